"""Makes docs/images/{graphcut,grabcut,gridcrf,saliency,semantic,unary,metrics,datasets}_*.png.

    python docs/parameter_pictures.py [name ...]

What each parameter does, small, middling and large, on photographs that come with scikit-image and
scikit-learn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage import data
from skimage.transform import resize

import classicseg as cs

IMAGES = Path(__file__).parent / "images"
sys.path.insert(0, str(Path(__file__).parent.parent / "samples"))


def half(name: str) -> cs.samples.Sample:
    """A sample at half its size."""
    whole = cs.samples.load(name)
    x, y, width, height = whole.rect
    return cs.samples.Sample(
        name,
        whole.image[::2, ::2],
        whole.mask[::2, ::2],
        whole.void[::2, ::2],
        whole.truth[::2, ::2],
        (x // 2, y // 2, width // 2, height // 2),
        whole.scribbles[::2, ::2],
        whole.description,
    )


def titled(pictures: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Each picture under its own title."""
    return [cs.viz.sheet([[picture]], [title], cell=260) for title, picture in pictures.items()]


def save(name: str, rows: list[list[np.ndarray]]) -> None:
    """Rows of pictures that are titled already, or of plain ones."""
    height = [max(p.shape[0] for p in row) for row in rows]
    lines = [
        np.hstack(
            [np.pad(p, ((0, h - p.shape[0]), (0, 0), (0, 0)), constant_values=255) for p in row]
        )
        for row, h in zip(rows, height, strict=True)
    ]
    width = max(line.shape[1] for line in lines)
    page = [
        np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=255)
        for line in lines
    ]
    cs.io.write_image(IMAGES / f"{name}.png", np.vstack(page))


def graphcut() -> None:
    sample = half("chelsea")
    marked = cs.viz.draw_scribbles(sample.image, sample.scribbles)
    shown = {"strokes": marked}
    for gamma in (0, 50, 1000):
        mask = cs.graphcut.segment(sample.image, sample.scribbles, gamma=gamma)
        shown[f"gamma = {gamma}"] = cs.viz.cutout(sample.image, mask)
    second = {}
    for n in (1, 5, 20):
        mask = cs.graphcut.segment(sample.image, sample.scribbles, n_components=n)
        second[f"n_components = {n}"] = cs.viz.cutout(sample.image, mask)
    # A disc of which one pixel in twenty is known; links are the same everywhere.
    y, x = np.mgrid[:80, :80] - 39.5
    disc = np.hypot(y, x) < 28
    known = np.random.default_rng(0).random(disc.shape) < 0.05
    energies = np.where(known, np.where(disc, -1, 1), 0)[..., None] * np.array([-2.0, 2.0])
    dots = np.where(known, np.where(disc, 255, 0), 128).astype(np.uint8)
    third = {"what is known": np.repeat(np.repeat(dots, 3, 0), 3, 1)}
    for connectivity in (4, 8):
        mask = cs.graphcut.cut_unary(
            energies, np.zeros(disc.shape), gamma=1.0, beta=0.0, connectivity=connectivity
        )
        large = np.repeat(np.repeat(mask, 3, 0), 3, 1)
        white = np.full(large.shape, 255, np.uint8)
        third[f"connectivity = {connectivity}"] = cs.viz.overlay(white, large)
    save("graphcut_parameters", [titled(shown), titled(second), titled(third)])


def grabcut() -> None:
    other = half("astronaut")
    rows = []
    for parameter, values in (
        ("gamma", (1, 50, 400)),
        ("n_components", (1, 5, 12)),
        ("max_iter", (1, 3, None)),
    ):
        row = {"rectangle": cs.viz.draw_rect(other.image, other.rect)}
        for value in values:
            mask = cs.grabcut.segment(other.image, rect=other.rect, **{parameter: value})
            row[f"{parameter} = {value}"] = cs.viz.cutout(other.image, mask)
        rows.append(titled(row))
    save("grabcut_parameters", rows)


def gridcrf() -> None:
    rng = np.random.default_rng(0)
    clean = resize(data.camera(), (128, 128), anti_aliasing=True) * 15
    noisy = clean + rng.normal(scale=2.0, size=clean.shape)
    unary = ((noisy[..., None] - np.arange(16)) ** 2 / 2).astype(np.float32)

    def restored(weight: float, cost: np.ndarray) -> np.ndarray:
        edges = {(0, 1): weight, (1, 0): weight}
        labels = cs.gridcrf.trws(unary, edges, label_cost=cost, max_iter=30).labels
        return np.repeat(np.repeat((labels * 17).astype(np.uint8), 2, 0), 2, 1)

    costs = {
        "Potts": 1 - np.eye(16),
        "truncated_linear, limit 3": cs.gridcrf.truncated_linear(16, scale=1, limit=3),
        "truncated_quadratic, limit 9": cs.gridcrf.truncated_quadratic(16, scale=1, limit=9),
    }
    linear = costs["truncated_linear, limit 3"]
    grey = (np.clip(noisy, 0, 15) * 17).astype(np.uint8)
    noise = {"noisy": np.repeat(np.repeat(grey, 2, 0), 2, 1)}
    first = noise | {f"weight = {w}": restored(w, linear) for w in (0.2, 1, 6)}
    second = noise | {name: restored(1.0, cost) for name, cost in costs.items()}
    save("gridcrf_parameters", [titled(first), titled(second)])


def saliency() -> None:
    sample = half("rocket")
    found = cs.saliency.minimum_barrier(sample.image)
    first = {
        "photograph": sample.image,
        "minimum_barrier": cs.viz.heat(found),
        "with_centre": cs.viz.heat(cs.saliency.with_centre(found)),
        "to_mask": cs.viz.cutout(sample.image, cs.saliency.to_mask(found)),
    }
    flower = half("flower")
    wanted = cs.saliency.color_relevance(flower.image, flower.scribbles == 2)
    free = cs.saliency.frequency_tuned(flower.image)
    second = {
        "photograph": flower.image,
        "frequency_tuned": cs.viz.heat(free),
        "color_relevance of a stroke": cs.viz.heat(wanted),
        "top_down of both": cs.viz.heat(cs.saliency.top_down(free, wanted)),
    }
    save("saliency_steps", [titled(first), titled(second)])


def semantic() -> None:
    from fields import COLORS, dataset

    images, truths = zip(*((i.image, i.labels) for i in dataset("train", 4)), strict=True)
    item = dataset("test", 1)[0]
    rows = []
    variations = {
        "n_segments": (60, 250, 800),
        "features": (("color",), ("color", "texture"), ("color", "texture", "context")),
    }
    for name, values in variations.items():
        row = {"image": item.image}
        for value in values:
            options = {"n_segments": 250, "n_stages": 1, "n_textons": 24, "progress": False}
            model = cs.semantic.SuperpixelClassifier(**(options | {name: value}))
            labels = model.fit(list(images), list(truths)).predict(item.image)
            text = "+".join(value) if isinstance(value, tuple) else f"{name} = {value}"
            row[text] = COLORS[labels]
        rows.append(titled(row))
    save("semantic_parameters", rows)


def unary() -> None:
    odds = np.linspace(-6, 6, 240)[None].repeat(60, axis=0)

    def foreground(energies: np.ndarray) -> np.ndarray:
        return cs.viz.heat(cs.unary.to_probabilities(energies)[..., 1])

    scores = np.stack([-odds / 2, odds / 2], axis=-1)
    p = cs.unary.to_probabilities(cs.unary.from_scores(scores))
    labels = (odds > 0).astype(int)
    labels[:, 100:140] = 255
    rows = [
        {f"temperature = {t}": foreground(cs.unary.from_scores(scores, t)) for t in (0.3, 1, 4)},
        {f"clip = {c}": foreground(cs.unary.from_probabilities(p, c)) for c in (1e-5, 0.05, 0.25)},
        {
            f"certainty = {c}": foreground(cs.unary.from_labels(labels, 2, c))
            for c in (0.55, 0.7, 0.95)
        },
    ]
    save("unary_parameters", [titled(row) for row in rows])


def metrics() -> None:
    sample = half("coffee")
    truth = sample.mask
    y, x = np.mgrid[: truth.shape[0], : truth.shape[1]]
    found = {
        "shrunk by 4": ndimage.binary_erosion(truth, iterations=4),
        "rough edge": truth
        ^ (ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(truth.shape), 3) > 0.12)
        & cs.metrics.band(truth.astype(int), 8),
        "a spot missed": truth & (np.hypot(y - 100, x - 150) > 30),
    }
    row = {"truth": cs.viz.cutout(sample.image, truth)}
    for name, mask in found.items():
        matrix = cs.metrics.ConfusionMatrix(2).update(truth, mask)
        near = np.where(cs.metrics.band(truth.astype(int), 5), truth, 255)
        band = cs.metrics.ConfusionMatrix(2).update(near, mask)
        edge = cs.metrics.boundary_f(truth, mask)
        title = f"{name}: mIoU {100 * matrix.mean_iou:.0f}, within 5 px {100 * band.mean_iou:.0f}, "
        row[f"{title}boundary F {100 * edge:.0f}"] = cs.viz.difference(truth, mask)
    save("metrics", [titled(row)])


def datasets() -> None:
    rows = []
    for item in cs.datasets.bundled().select(["coffee", "coins", "rocket"]):
        marked = cs.viz.draw_rect(cs.viz.draw_scribbles(item.image, item.scribbles), item.rect)
        shown = {
            f"{item.id}: image": item.image,
            "labels, void clear": cs.viz.overlay(item.image, item.labels),
            "rect and scribbles": marked,
        }
        rows.append(titled(shown))
    save("datasets", rows)


ALL = (graphcut, grabcut, gridcrf, saliency, semantic, unary, metrics, datasets)

if __name__ == "__main__":
    for make in ALL:
        if len(sys.argv) == 1 or make.__name__ in sys.argv[1:]:
            make()
