from ._bundled import bundled as bundled
from ._coco import coco as coco
from ._coco import coco_stuff as coco_stuff
from ._dataset import Dataset as Dataset
from ._dataset import Item as Item
from ._folder import folder as folder
from ._objects import fixations as fixations
from ._objects import grabcut as grabcut
from ._objects import salient_objects as salient_objects
from ._open import guide as guide
from ._open import names as names
from ._open import open as open
from ._regions import bsds500 as bsds500
from ._regions import isbi2012 as isbi2012
from ._streets import camvid as camvid
from ._streets import cityscapes as cityscapes
from ._streets import stanford_background as stanford_background
from ._voc import sbd as sbd
from ._voc import voc2012 as voc2012

__all__ = [
    "Dataset",
    "Item",
    "bsds500",
    "bundled",
    "camvid",
    "cityscapes",
    "coco",
    "coco_stuff",
    "fixations",
    "folder",
    "grabcut",
    "guide",
    "isbi2012",
    "names",
    "open",
    "salient_objects",
    "sbd",
    "stanford_background",
    "voc2012",
]
