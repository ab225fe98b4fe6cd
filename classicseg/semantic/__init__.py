"""Hand-made features and scikit-learn classifiers: semantic segmentation before networks."""

from classicseg.semantic._patches import PatchClassifier
from classicseg.semantic._sliding import SlidingWindow, window_features
from classicseg.semantic._superpixels import SuperpixelClassifier

__all__ = ["PatchClassifier", "SlidingWindow", "SuperpixelClassifier", "window_features"]
