from . import functional as functional
from . import nets as nets

__all__ = ["functional", "nets"]
