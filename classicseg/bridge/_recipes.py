"""How to train: the settings of a published recipe, and of a younger one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from classicseg._settings import finite, lengths_of, non_negative, one_of, positive, positive_int
from classicseg.bridge._augment import Augmentation

__all__ = ["Recipe", "fcn_recipe", "modern_recipe"]

# Chosen by line search (Long et al. 2015, section 4.3).
_RATES = {"alexnet": 1e-3, "vgg16": 1e-4, "googlenet": 5e-5}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is learned, but for the network, the data and the seed.

    Attributes
    ----------
    epochs : int
        Of each stage, where a network is trained in several.
    batch_size : int
        Images in a step, over all devices together.
    optimizer : {"sgd", "adamw"}
    learning_rate : float
        The largest.
    schedule : {"constant", "poly", "onecycle"}
        Of the learning rate: "poly" falls as (1 - t)^0.9, "onecycle" rises over the first fifth
        and falls to zero, both by cosine.
    momentum : float
        Of SGD.
    weight_decay : float
        Not of biases and norms.
    bias_factor : float
        Of the biases' learning rate.
    stage_factor : float
        Of the learning rate in every stage after the first.
    balance : float
        Classes weigh (median frequency / frequency) to this power: 0 is no balance, 1 the median
        frequency balancing of SegNet (doi:10.1109/TPAMI.2016.2644615).
    border_weights : bool
        U-Net's weights on narrow gaps between regions of class 1.
    size : (int, int), optional
        Height and width of training samples. None: whole images, those of a batch grown to the
        largest of them with void.
    longest_side : int, optional
        Images are first brought to this size for the network, and its answers back; None leaves
        them as they are.
    augmentation : Augmentation
    precision : {"float32", "bfloat16"}
        "bfloat16" is mixed precision: weights stay in float32.
    """

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    schedule: str
    momentum: float = 0.9
    weight_decay: float = 5e-4
    bias_factor: float = 1.0
    stage_factor: float = 1.0
    balance: float = 0.0
    border_weights: bool = False
    size: tuple[int, int] | None = None
    longest_side: int | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            positive_int(getattr(self, name), name)
        if self.longest_side is not None:
            positive_int(self.longest_side, "longest_side")
        for name in ("momentum", "weight_decay", "bias_factor", "stage_factor", "balance"):
            non_negative(getattr(self, name), name)
        for name, known in (
            ("optimizer", ("sgd", "adamw")),
            ("schedule", ("constant", "poly", "onecycle")),
            ("precision", ("float32", "bfloat16")),
        ):
            one_of(getattr(self, name), known, name)
        positive(self.learning_rate, "learning_rate")
        if self.size is not None and len(lengths_of(self.size, "size")) != 2:
            raise ValueError(f"size is {self.size}, expected (height, width)")
        if self.size is None and self.augmentation != Augmentation():
            raise ValueError("augmentation needs a size of its samples, but size is None")

    def rate(self, progress: float) -> float:
        """The learning rate as a share of the largest, at a progress from 0 to 1.

        Examples
        --------
        >>> recipe = modern_recipe(epochs=10)
        >>> [round(recipe.rate(t), 2) for t in (0, 0.2, 0.6, 1)]
        [0.04, 1.0, 0.5, 0.0]
        """
        if not 0 <= finite(progress, "progress") <= 1:
            raise ValueError(f"progress is {progress}, expected a number from 0 to 1")
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "poly":
            return float((1 - progress) ** 0.9)
        rise = 0.2
        if progress < rise:
            return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / rise)) / 2
        return (1 + math.cos(math.pi * (progress - rise) / (1 - rise))) / 2


def fcn_recipe(
    backbone: str = "vgg16",
    *,
    epochs: int = 175,
    learning_rate: float | None = None,
    batch_size: int = 20,
    weight_decay: float = 5e-4,
) -> Recipe:
    """The recipe of the FCN paper: SGD with momentum 0.9 on whole images, 20 at a time.

    Learning rates are fixed and doubled for biases; each stage after the first, which adds finer
    scores to a trained network, runs at a hundredth. The paper found mirroring and jitter to change
    nothing and used neither.

    Parameters
    ----------
    backbone : str
        Sets the learning rate: "alexnet" 1e-3, "vgg16" 1e-4, "googlenet" 5e-5. These suit
        pretrained weights; networks that start from nothing get 1e-2.
    epochs : int
        Of each stage. The paper reports 175 passes for the first.
    learning_rate : float, optional
        Instead of the backbone's.
    batch_size : int
    weight_decay : float
        The paper used 5e-4 or 2e-4 and found little difference.

    Returns
    -------
    Recipe

    References
    ----------
    Long, Shelhamer & Darrell, Fully Convolutional Networks for Semantic Segmentation, 2015,
    doi:10.1109/CVPR.2015.7298965, section 4.3.

    Examples
    --------
    >>> from classicseg import bridge
    >>> recipe = bridge.fcn_recipe("alexnet")
    >>> recipe.learning_rate, recipe.batch_size, recipe.momentum, recipe.bias_factor
    (0.001, 20, 0.9, 2.0)
    """
    rate = _RATES.get(backbone, 1e-2) if learning_rate is None else learning_rate
    return Recipe(
        epochs,
        batch_size,
        "sgd",
        rate,
        "constant",
        weight_decay=weight_decay,
        bias_factor=2.0,
        stage_factor=0.01,
    )


def modern_recipe(
    *,
    epochs: int = 100,
    batch_size: int = 16,
    learning_rate: float = 3e-3,
    schedule: str = "onecycle",
    weight_decay: float = 1e-2,
    balance: float = 0.5,
    border_weights: bool = False,
    size: tuple[int, int] | None = (224, 224),
    longest_side: int | None = None,
    augmentation: Augmentation | None = None,
    precision: str = "bfloat16",
) -> Recipe:
    """AdamW with a one-cycle or poly schedule, augmentation and mixed precision.

    Parameters
    ----------
    epochs, batch_size, learning_rate, schedule, weight_decay, balance, border_weights, \
size, longest_side, precision
        See `Recipe`.
    augmentation : Augmentation, optional
        By default scales from 0.5 to 2, flips and colours; none where `size` is None.

    Returns
    -------
    Recipe

    References
    ----------
    Loshchilov & Hutter, Decoupled Weight Decay Regularization, 2019, arXiv:1711.05101.
    Smith & Topin, Super-Convergence, 2019, doi:10.1117/12.2520589.

    Examples
    --------
    >>> from classicseg import bridge
    >>> bridge.modern_recipe(epochs=30).augmentation.scale
    (0.5, 2.0)
    """
    if augmentation is None:
        varied = Augmentation(scale=(0.5, 2.0), flip=True, colour=0.5)
        augmentation = Augmentation() if size is None else varied
    return Recipe(
        epochs,
        batch_size,
        "adamw",
        learning_rate,
        schedule,
        weight_decay=weight_decay,
        balance=balance,
        border_weights=border_weights,
        size=size,
        longest_side=longest_side,
        augmentation=augmentation,
        precision=precision,
    )
