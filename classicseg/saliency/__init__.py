"""Where a picture draws the eye: maps (H, W) in [0, 1], higher is more salient."""

from __future__ import annotations

from classicseg.saliency.centre import centre_prior
from classicseg.saliency.frequency import frequency_tuned
from classicseg.saliency.threshold import adaptive_threshold

__all__ = ["adaptive_threshold", "centre_prior", "frequency_tuned"]
