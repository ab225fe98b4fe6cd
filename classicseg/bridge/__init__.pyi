from . import functional as functional
from . import nets as nets
from ._augment import Augmentation as Augmentation
from ._crf_layer import CRFLayer as CRFLayer
from ._pairs import pick as pick
from ._recipes import Recipe as Recipe
from ._recipes import fcn_recipe as fcn_recipe
from ._recipes import modern_recipe as modern_recipe
from ._unary import unary as unary
from ._weights import Card as Card
from ._weights import card as card
from ._weights import load as load
from .training import Training as Training
from .training import train as train

__all__ = [
    "Augmentation",
    "CRFLayer",
    "Card",
    "Recipe",
    "Training",
    "card",
    "fcn_recipe",
    "functional",
    "load",
    "modern_recipe",
    "nets",
    "pick",
    "train",
    "unary",
]
