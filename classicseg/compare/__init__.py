"""The cross table: every evidence with every inference, by mean IoU."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
