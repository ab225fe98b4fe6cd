from ._contrast import contrast_weights as contrast_weights
from ._grid import Cut as Cut
from ._grid import GridGraph as GridGraph
from ._segment import cut_unary as cut_unary
from ._segment import segment as segment

__all__ = ["Cut", "GridGraph", "contrast_weights", "cut_unary", "segment"]
