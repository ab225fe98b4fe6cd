"""Exact graph cuts: max-flow on grids and graphs, contrast weights, segmentation, many labels."""

from classicseg.graphcut._contrast import contrast_weights
from classicseg.graphcut._dimacs import read_dimacs, write_dimacs
from classicseg.graphcut._graph import Graph
from classicseg.graphcut._grid import Cut, GridGraph
from classicseg.graphcut._moves import Labelling, alpha_beta_swap, alpha_expansion
from classicseg.graphcut._segment import cut_unary, segment

__all__ = [
    "Cut",
    "Graph",
    "GridGraph",
    "Labelling",
    "alpha_beta_swap",
    "alpha_expansion",
    "contrast_weights",
    "cut_unary",
    "read_dimacs",
    "segment",
    "write_dimacs",
]
