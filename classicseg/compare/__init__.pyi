from .pipelines import ENGINES as ENGINES
from .pipelines import EVIDENCE as EVIDENCE
from .pipelines import INFERENCE as INFERENCE
from .pipelines import Evidence as Evidence
from .pipelines import Task as Task
from .pipelines import names as names
from .pipelines import segment as segment
from .report import as_dict as as_dict
from .report import table as table
from .report import write as write
from .runner import Comparison as Comparison
from .runner import Result as Result
from .runner import Row as Row
from .runner import run as run

__all__ = [
    "ENGINES",
    "EVIDENCE",
    "INFERENCE",
    "Comparison",
    "Evidence",
    "Result",
    "Row",
    "Task",
    "as_dict",
    "names",
    "run",
    "segment",
    "table",
    "write",
]
