"""Turns evidence about pixels into labels.

`import classicseg as cs`, then `cs.grabcut.GrabCut(...)`: modules are loaded when first used.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
