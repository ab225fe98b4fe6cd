from . import metrics as metrics
from .centre import centre_prior as centre_prior
from .frequency import frequency_tuned as frequency_tuned
from .minimum_barrier import minimum_barrier as minimum_barrier
from .threshold import adaptive_threshold as adaptive_threshold
from .threshold import to_mask as to_mask

__all__ = [
    "adaptive_threshold",
    "centre_prior",
    "frequency_tuned",
    "metrics",
    "minimum_barrier",
    "to_mask",
]
