from .centre import centre_prior as centre_prior
from .frequency import frequency_tuned as frequency_tuned
from .threshold import adaptive_threshold as adaptive_threshold

__all__ = ["adaptive_threshold", "centre_prior", "frequency_tuned"]
