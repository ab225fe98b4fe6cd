"""``python -m classicseg``."""

import sys

from classicseg.cli import program

if __name__ == "__main__":
    sys.exit(program())
