from ._bundled import bundled as bundled
from ._dataset import Dataset as Dataset
from ._dataset import Item as Item
from ._open import names as names
from ._open import open as open

__all__ = ["Dataset", "Item", "bundled", "names", "open"]
