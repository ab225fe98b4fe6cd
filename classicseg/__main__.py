"""``python -m classicseg``."""

import sys

from classicseg.cli import main

if __name__ == "__main__":
    sys.exit(main())
