"""Every public function with good arguments, and ways to spoil them: for test_bad_input."""

from __future__ import annotations

from calls import compared, cuts, images, learned
from calls.values import Call

__all__ = ["CALLS", "EXCLUDED", "Call"]

CALLS: list[Call] = [*images.CALLS, *cuts.CALLS, *learned.CALLS, *compared.CALLS]

# What is public and not called with bad arguments, and why.
_RESULT = "a result, made by a function that is in the table"
_LARGE = "makes a large network, in seconds; its own tests have its errors"
_MODULE = "a module, whose functions are in the table"
_TABLE = "a constant or a table"
EXCLUDED: dict[str, str] = {
    **{f"compare.{name}": _RESULT for name in ("Comparison", "Failure", "Row")},
    **{f"compare.{name}": _TABLE for name in ("ENGINES", "EVIDENCE", "INFERENCE", "WIDTHS")},
    "compare.DoesNotApply": "an error",
    "compare.Evidence": "what an evidence gives, whose function is checked by what takes it",
    "compare.Task": "what an evidence is given, made by run and segment",
    "datasets.Dataset": _RESULT,
    "datasets.Item": _RESULT,
    "bridge.Card": _RESULT,
    "bridge.Training": _RESULT,
    "bridge.functional": _MODULE,
    "bridge.nets": _MODULE,
    "bridge.nets.FCN": _LARGE,
    "bridge.nets.convolutionalize": _LARGE,
    "bridge.nets.deeplab": _LARGE,
    "bridge.nets.deeplab_v3plus": _LARGE,
    "bridge.nets.fcn": _LARGE,
    "bridge.nets.fixation_loss": _LARGE,
    "bridge.nets.load_pretrained": _LARGE,
    "bridge.nets.receptive_field": "takes a network; its own tests have its errors",
    "bridge.nets.ReceptiveField": _RESULT,
    "bridge.nets.saliency": _LARGE,
    "bridge.nets.segnet": _LARGE,
    "bridge.train": "minutes in all; test_bridge_train has its errors",
    "densecrf.Lattice": _RESULT,
    "densecrf.PreparedCRF": _RESULT,
    "densecrf.MeanField": _RESULT,
    "densecrf.Trial": _RESULT,
    "densecrf.Tuning": _RESULT,
    "graphcut.Cut": _RESULT,
    "graphcut.Labelling": _RESULT,
    "grabcut.GMM": _RESULT,
    "gridcrf.Labelling": _RESULT,
    "io.atomic": "a context; test_io_write has its errors",
    "saliency.metrics": _MODULE,
    "saliency.metrics.PrecisionRecall": _RESULT,
    "samples.Sample": _RESULT,
    "superpixels.Adjacency": _RESULT,
    "superpixels.RegionFeatures": _RESULT,
    "viz.BLUE": "a colour",
    "viz.ORANGE": "a colour",
    "viz.SKY_BLUE": "a colour",
    "viz.VERMILION": "a colour",
    "viz.YELLOW": "a colour",
}
