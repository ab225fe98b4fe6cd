from .small import SmallDeepLab as SmallDeepLab
from .small import SmallFCN as SmallFCN
from .unet import UNet as UNet
from .unet import unet as unet

__all__ = ["SmallDeepLab", "SmallFCN", "UNet", "unet"]
