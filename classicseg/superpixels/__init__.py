"""Regions of similar pixels: SLIC, what they look like, who touches whom, how good they are."""

from classicseg.superpixels._features import RegionFeatures, features
from classicseg.superpixels._quality import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    explained_variation,
    undersegmentation_error,
)
from classicseg.superpixels._regions import Adjacency, adjacency, pool, pool_edges, spread
from classicseg.superpixels._slic import slic

__all__ = [
    "Adjacency",
    "RegionFeatures",
    "achievable_accuracy",
    "adjacency",
    "boundary_recall",
    "compactness",
    "explained_variation",
    "features",
    "pool",
    "pool_edges",
    "slic",
    "spread",
    "undersegmentation_error",
]
