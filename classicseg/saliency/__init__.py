"""Where a picture draws the eye: maps (H, W) in [0, 1], higher is more salient."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
