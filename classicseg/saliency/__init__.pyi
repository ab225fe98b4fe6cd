from . import metrics as metrics
from .background import geodesic as geodesic
from .background import robust_background as robust_background
from .boolean_map import boolean_map as boolean_map
from .centre import centre_prior as centre_prior
from .centre import with_centre as with_centre
from .combined import combined as combined
from .contrast import histogram_contrast as histogram_contrast
from .contrast import region_contrast as region_contrast
from .frequency import frequency_tuned as frequency_tuned
from .gbvs import gbvs as gbvs
from .itti_koch import itti_koch as itti_koch
from .minimum_barrier import minimum_barrier as minimum_barrier
from .spectral import image_signature as image_signature
from .spectral import spectral_residual as spectral_residual
from .threshold import adaptive_threshold as adaptive_threshold
from .threshold import to_mask as to_mask
from .top_down import color_relevance as color_relevance
from .top_down import top_down as top_down

__all__ = [
    "adaptive_threshold",
    "boolean_map",
    "centre_prior",
    "color_relevance",
    "combined",
    "frequency_tuned",
    "gbvs",
    "geodesic",
    "histogram_contrast",
    "image_signature",
    "itti_koch",
    "metrics",
    "minimum_barrier",
    "region_contrast",
    "robust_background",
    "spectral_residual",
    "to_mask",
    "top_down",
    "with_centre",
]
