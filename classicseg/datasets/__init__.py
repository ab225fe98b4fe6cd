"""Pictures with their labels, read from folders in the layouts that data sets come in."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
