from ._convolutionalize import convolutionalize as convolutionalize
from ._deeplab import deeplab as deeplab
from ._deeplab import deeplab_v3plus as deeplab_v3plus
from ._fcn import FCN as FCN
from ._fcn import fcn as fcn
from ._pretrained import load_pretrained as load_pretrained
from ._receptive_field import ReceptiveField as ReceptiveField
from ._receptive_field import receptive_field as receptive_field
from ._saliency import fixation_loss as fixation_loss
from ._saliency import saliency as saliency
from ._segnet import segnet as segnet
from ._upsampling import MaxUnpool as MaxUnpool
from ._upsampling import NearestUnpool as NearestUnpool
from ._upsampling import SparseUnpool as SparseUnpool
from ._upsampling import bilinear_kernel as bilinear_kernel
from .small import SmallDeepLab as SmallDeepLab
from .small import SmallFCN as SmallFCN
from .unet import UNet as UNet
from .unet import unet as unet

__all__ = [
    "FCN",
    "MaxUnpool",
    "NearestUnpool",
    "ReceptiveField",
    "SmallDeepLab",
    "SmallFCN",
    "SparseUnpool",
    "UNet",
    "bilinear_kernel",
    "convolutionalize",
    "deeplab",
    "deeplab_v3plus",
    "fcn",
    "fixation_loss",
    "load_pretrained",
    "receptive_field",
    "saliency",
    "segnet",
    "unet",
]
