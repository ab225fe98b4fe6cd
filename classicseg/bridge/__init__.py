"""Networks as evidence. PyTorch lives here only, and is loaded when a name is first used."""

import lazy_loader as _lazy

from classicseg.bridge._extra import naming_the_extra as _naming_the_extra

_getattr, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__getattr__ = _naming_the_extra(_getattr)
