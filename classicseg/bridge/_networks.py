"""Networks by name, as the command line and the cards of shipped weights write them."""

from __future__ import annotations

from torch import nn

from classicseg.bridge import nets

__all__ = ["build", "stages"]


def build(name: str, n_classes: int, stride: int | None = None) -> nn.Module:
    """Make the network of a name such as "fcn:small", "deeplab:small" or "unet:16".

    `stride` is for FCNs alone, whose finest is 8.
    """
    family, _, kind = name.partition(":")
    if family == "fcn" and kind:
        return nets.fcn(kind, stride=stride or 8, n_classes=n_classes)
    if family == "deeplab" and kind == "small":
        return nets.SmallDeepLab(n_classes)
    if family == "unet" and kind == "paper":
        return nets.unet(n_classes)
    if family == "unet" and kind.isdecimal():
        return nets.unet(n_classes, width=int(kind), padded=True, batch_norm=True)
    raise ValueError(
        f"there is no network {name!r}, expected fcn:small, fcn:vgg16, fcn:alexnet, "
        f"fcn:googlenet, deeplab:small, unet:paper, or unet:WIDTH such as unet:16"
    )


def stages(name: str, n_classes: int) -> list[nn.Module]:
    """An FCN's networks of stride 32, 16 and 8, to be trained one after the other."""
    if not name.startswith("fcn:"):
        raise ValueError(f"only FCNs are trained in stages, not {name!r}")
    return [build(name, n_classes, stride) for stride in (32, 16, 8)]
