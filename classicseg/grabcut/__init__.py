"""GrabCut: foreground from a rectangle, a trimap or strokes, by iterated graph cuts."""

from classicseg._gmm import GMM, fit_gmm
from classicseg.grabcut._grabcut import GrabCut
from classicseg.grabcut._matting import alpha, cutout
from classicseg.grabcut._segment import segment

__all__ = ["GMM", "GrabCut", "alpha", "cutout", "fit_gmm", "segment"]
