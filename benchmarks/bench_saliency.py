"""Saliency maps: how good they are against objects and fixations, and how fast.

    python benchmarks/bench_saliency.py objects      # voc2012/salient, 200 images
    python benchmarks/bench_saliency.py halves       # what was chosen by looking at them
    python benchmarks/bench_saliency.py fixations    # mit1003, 50 images
    python benchmarks/bench_saliency.py speed        # frames a second on one core
    python benchmarks/bench_saliency.py huge         # 40 megapixels: seconds, bytes a pixel

Objects: maps are scaled to [0, 1]; max F is that of precision and recall averaged over the images
that have foreground, at the best of 256 thresholds; the other figures are means over the images.
Fixations: the data holds densities alone, so that their highest twentieth is taken as fixated. They
are blurred: maps and densities are compared at a quarter of their size.
The settings of `with_centre` were chosen on every second image, from the first; the gain over the
centre prior is that on the others, with the 95 % interval of 10,000 bootstrap samples of them.
Speed: CPU time of one thread, medians; the spectral residual beside OpenCV's where cv2 has it, else
its steps in cv2 and NumPy, in turns.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import resource
import time
from unittest import mock

import numpy as np
from common import data_folder, machine, save
from rich.console import Console
from rich.progress import track
from rich.table import Table
from skimage import data, transform
from threadpoolctl import threadpool_limits

import classicseg as cs
from classicseg.saliency import _regions, metrics
from classicseg.saliency._scale import enlarged, shrunk, stretched
from classicseg.saliency.minimum_barrier import contrasted

OBJECTS = (
    "combined",
    "minimum_barrier",
    "robust_background",
    "geodesic",
    "region_contrast",
    "histogram_contrast",
    "frequency_tuned",
)
FIXATIONS = ("gbvs", "boolean_map", "image_signature", "itti_koch", "spectral_residual")
METHODS = {name: getattr(cs.saliency, name) for name in ("centre_prior", *OBJECTS, *FIXATIONS)}


def scaled(values):
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def salient_objects():
    for item in cs.datasets.salient_objects(data_folder("voc2012")):
        if item.labels.any():
            yield item.image, item.labels == 1


def fixations():
    for item in cs.datasets.fixations(data_folder("mit1003")):
        density = quarter(item.density)
        yield item.image, density, density >= np.percentile(density, 95)


def quarter(values):
    height, width = (n // 4 for n in values.shape)
    return values[: 4 * height, : 4 * width].reshape(height, 4, width, 4).mean(axis=(1, 3))


def compare_objects(console, every):
    samples = list(salient_objects())[::every]
    rows = []
    for name, method in METHODS.items():
        curves, scores = [], []
        for image, truth in track(samples, name, console=Console(stderr=True), transient=True):
            found = scaled(method(image))
            curve = metrics.precision_recall(found, truth)
            curves.append((curve.precision, curve.recall))
            scores.append(
                [
                    measure(found, truth)
                    for measure in (
                        metrics.mae,
                        metrics.adaptive_f,
                        metrics.s_measure,
                        metrics.e_measure,
                    )
                ]
            )
        precision, recall = np.mean(curves, axis=0)
        best = float(metrics.f_measure(precision, recall).max())
        rows.append([name, best, *map(float, np.mean(scores, axis=0))])
    rows.sort(key=lambda row: -row[1])
    titles = ("method", "max F", "MAE", "adaptive F", "S-measure", "E-measure")
    show(console, f"{len(samples)} images of voc2012/salient", titles, rows)
    save("saliency_objects", [dict(zip(titles, row, strict=True)) for row in rows])


def compare_halves(console):
    """What `combined` might have been, on every second image and on the others."""
    samples = list(salient_objects())
    rows = []
    for n_steps in (1, 2, 3):
        with mock.patch.object(_regions, "within_two_steps", lambda t, n=n_steps: within(t, n)):
            maps = [candidates(image) for image, _ in samples]
        for name in maps[0]:
            scores = [
                figure
                for half in (slice(0, None, 2), slice(1, None, 2), slice(None))
                for figure in f_and_mae([m[name] for m in maps[half]], samples[half])
            ]
            rows.append([f"{name}, steps: {n_steps}", *scores])
    titles = ("with minimum_barrier", *(f"{m} {h}" for h in "12a" for m in ("max F", "MAE")))
    show(console, "every second image (1), the others (2), all (a)", titles, rows)
    save("saliency_halves", [dict(zip(titles, row, strict=True)) for row in rows])


def within(touching, n_steps):
    """Regions that are at most `n_steps` apart."""
    near = touching
    for _ in range(n_steps - 1):
        near = near | (near.astype(np.float32) @ touching > 0)
    return near & ~np.eye(len(near), dtype=bool)


def candidates(image):
    small = shrunk(image, 400) / np.float32(255)
    barrier, robust, geodesic = (
        getattr(cs.saliency, name)(small)
        for name in ("minimum_barrier", "robust_background", "geodesic")
    )
    sums = {
        "robust_background": barrier + robust,
        "geodesic": barrier + geodesic,
        "both": barrier + robust + geodesic,
    }
    return {name: enlarged(contrasted(stretched(v)), image) for name, v in sums.items()}


def f_and_mae(maps, samples):
    pairs = [(scaled(found), truth) for found, (_, truth) in zip(maps, samples, strict=True)]
    curves = [metrics.precision_recall(*pair) for pair in pairs]
    precision, recall = np.mean([(c.precision, c.recall) for c in curves], axis=0)
    errors = [metrics.mae(*pair) for pair in pairs]
    return float(metrics.f_measure(precision, recall).max()), float(np.mean(errors))


def compare_fixations(console, every):
    samples = list(fixations())[::every]
    scores = collections.defaultdict(list)
    for name, method in METHODS.items():
        console_of_bar = Console(stderr=True)
        for image, density, fixated in track(samples, name, console=console_of_bar, transient=True):
            found = method(image)
            for kind, values in (("", found), (", with centre", cs.saliency.with_centre(found))):
                scores[name + kind].append(fixation_scores(quarter(values), density, fixated))
    rows = []
    for name, values in scores.items():
        gains = np.subtract(values, scores["centre_prior"])[1::2, 0]
        picks = np.random.default_rng(0).integers(0, len(gains), (10_000, len(gains)))
        interval = np.percentile(gains[picks].mean(axis=1), (2.5, 97.5))
        rows.append([name, *map(float, np.mean(values, axis=0)), float(gains.mean()), *interval])
    rows.sort(key=lambda row: -row[1])
    titles = ("method", "AUC-Judd", "AUC-Borji", "NSS", "CC", "SIM", "KL", "gain", "from", "to")
    show(console, f"{len(samples)} images of mit1003", titles, rows)
    save("saliency_fixations", [dict(zip(titles, row, strict=True)) for row in rows])


def fixation_scores(found, density, fixated):
    return (
        metrics.auc_judd(found, fixated),
        metrics.auc_borji(found, fixated, n_splits=10),
        metrics.nss(found, fixated),
        metrics.cc(found, density),
        metrics.sim(found, density),
        metrics.kl(found, density),
    )


def show(console, title, titles, rows):
    table = Table(title=title)
    for name in titles:
        table.add_column(name, justify="left" if name == "method" else "right")
    for name, *values in rows:
        table.add_row(name, *(f"{value:.3f}" for value in values))
    console.print(table)


def opencv_spectral_residual():
    import cv2

    cv2.setNumThreads(1)
    if hasattr(cv2, "saliency"):
        peer = cv2.saliency.StaticSaliencySpectralResidual_create()
        return "cv2.saliency", lambda image: peer.computeSaliency(image)[1]

    def steps(image):
        """As OpenCV's: grey, 64 x 64, DFT, residual by a box of 3, blur, full size."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
        small = cv2.resize(grey, (64, 64)).astype(np.float32)
        planes = cv2.dft(small, flags=cv2.DFT_COMPLEX_OUTPUT)
        amplitude, angle = cv2.cartToPolar(planes[..., 0], planes[..., 1])
        log = cv2.log(amplitude + 1e-9)
        residual = cv2.exp(log - cv2.blur(log, (3, 3)))
        back = cv2.dft(cv2.merge(cv2.polarToCart(residual, angle)), flags=cv2.DFT_INVERSE)
        energy = cv2.GaussianBlur(cv2.magnitude(back[..., 0], back[..., 1]) ** 2, (5, 5), 8)
        energy = cv2.normalize(energy, None, 0, 1, cv2.NORM_MINMAX)
        return cv2.resize(energy, (image.shape[1], image.shape[0]))

    return "its steps in cv2 (this cv2 has no saliency module)", steps


def cpu_seconds(run, image):
    begin = time.thread_time()
    run(image)
    return time.thread_time() - begin


def compare_speed(console, repeats):
    photo = data.astronaut()
    sizes = {"300 x 225": (225, 300), "500 x 375": (375, 500), "1920 x 1080": (1080, 1920)}
    images = {
        name: (transform.resize(photo, shape) * 255).astype(np.uint8)
        for name, shape in sizes.items()
    }
    table = Table(title="CPU milliseconds, one thread: median (least)")
    table.add_column("method")
    for name in images:
        table.add_column(name, justify="right")
    results = []
    barrier_alone = {
        "minimum_barrier, distance alone": lambda image, n_threads: cs.saliency.minimum_barrier(
            image, background=False, postprocess=False, n_threads=n_threads
        )
    }
    for name, method in {**METHODS, **barrier_alone}.items():
        options = {} if name == "centre_prior" else {"n_threads": 1}
        row = {"method": name}
        for size, image in images.items():
            times = [cpu_seconds(lambda i: method(i, **options), image) for _ in range(repeats)]  # noqa: B023
            row[size] = [1e3 * float(np.median(times)), 1e3 * min(times)]
        results.append(row)
        table.add_row(name, *(f"{row[s][0]:.1f} ({row[s][1]:.1f})" for s in images))
    console.print(table)
    results += compare_spectral_residual(console, photo, 20 * repeats)
    save("saliency_speed", results)


def compare_spectral_residual(console, photo, repeats):
    """Wall-clock microseconds: the shortest calls are shorter than the CPU clock's step."""
    who, peer = opencv_spectral_residual()
    title = f"spectral residual: times as fast as {who}, median (ours, theirs in microseconds)"
    names = ("RGB, 8 bits", "grey, 8 bits", "RGB, float32", "grey, float32")
    table = Table("size", *names, title=title)
    results = []
    for width, height in ((100, 75), (400, 300), (640, 480), (1920, 1080)):
        rgb = (transform.resize(photo, (height, width)) * 255).astype(np.uint8)
        grey = np.ascontiguousarray(rgb[..., 1])
        row = []
        for name, image in zip(names, (rgb, grey, rgb / 255, grey / 255), strict=True):
            image = image if image.dtype == np.uint8 else image.astype(np.float32)
            both = [
                (wall_seconds(cs.saliency.spectral_residual, image), wall_seconds(peer, image))
                for _ in range(repeats)
            ]
            ours, theirs = 1e6 * np.median(both, axis=0)
            ratios = np.divide(*np.transpose(both)[::-1])
            size = f"{width} x {height}"
            results.append(
                {
                    "peer": who,
                    "size": size,
                    "image": name,
                    "ours": float(ours),
                    "theirs": float(theirs),
                    "ratio": float(np.median(ratios)),
                    "quartiles": np.percentile(ratios, (25, 75)).tolist(),
                }
            )
            row.append(f"{np.median(ratios):.2f} ({ours:.0f}, {theirs:.0f})")
        table.add_row(size, *row)
    console.print(table)
    return results


def wall_seconds(run, image):
    begin = time.perf_counter()
    options = {"n_threads": 1} if run is cs.saliency.spectral_residual else {}
    run(image, **options)
    return time.perf_counter() - begin


def measure_huge(name, connection):
    """In a process of its own, so that the largest memory is this method's."""
    image = np.empty((5000, 8000, 3), np.uint8)
    photo = data.astronaut()
    for row in range(5000):
        image[row] = photo[row * 512 // 5000].repeat(16, axis=0)[:8000]
    METHODS[name](photo)  # whatever is imported or made once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, begin_cpu = time.perf_counter(), time.process_time()
    METHODS[name](image)
    seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connection.send((*seconds, 1024 * (after - before) / (5000 * 8000)))


def compare_huge(console):
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for name in METHODS:
        mine, theirs = spawn.Pipe()
        process = spawn.Process(target=measure_huge, args=(name, theirs))
        process.start()
        rows.append([name, *mine.recv()])
        process.join()
    titles = ("method", "seconds", "CPU seconds", "bytes a pixel")
    show(console, "8000 x 5000 pixels, 8-bit; the map of 4 bytes a pixel counted", titles, rows)
    save("saliency_huge", [dict(zip(titles, row, strict=True)) for row in rows])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("objects", "halves", "fixations", "speed", "huge"))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--every", type=int, default=1, help="take every n-th image only")
    options = parser.parse_args()
    console = Console(width=110)
    console.print(machine("classicseg", "opencv-python-headless"))
    with threadpool_limits(1):  # NumPy's, so that one core is one core
        if options.what == "objects":
            compare_objects(console, options.every)
        elif options.what == "halves":
            compare_halves(console)
        elif options.what == "fixations":
            compare_fixations(console, options.every)
        elif options.what == "huge":
            compare_huge(console)
        else:
            compare_speed(console, options.repeats)


if __name__ == "__main__":
    main()
