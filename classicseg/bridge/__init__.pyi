from . import nets as nets

__all__ = ["nets"]
