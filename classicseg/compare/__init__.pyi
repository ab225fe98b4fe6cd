from .evidence import EVIDENCE as EVIDENCE
from .inference import ENGINES as ENGINES
from .inference import INFERENCE as INFERENCE
from .pipelines import default as default
from .pipelines import names as names
from .pipelines import segment as segment
from .report import as_dict as as_dict
from .report import table as table
from .report import write as write
from .runner import run as run
from .scoring import WIDTHS as WIDTHS
from .summary import Comparison as Comparison
from .summary import Failure as Failure
from .summary import Row as Row
from .tasks import DoesNotApply as DoesNotApply
from .tasks import Evidence as Evidence
from .tasks import Task as Task

__all__ = [
    "ENGINES",
    "EVIDENCE",
    "INFERENCE",
    "WIDTHS",
    "Comparison",
    "DoesNotApply",
    "Evidence",
    "Failure",
    "Row",
    "Task",
    "as_dict",
    "default",
    "names",
    "run",
    "segment",
    "table",
    "write",
]
