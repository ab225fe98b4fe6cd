from typing import Any, overload

from numpy.typing import NDArray

version: str
instruction_set: str

class GridMaxflow:
    @overload
    def __init__(self, height: int, width: int, wide: bool, limit: int) -> None: ...
    @overload
    def __init__(
        self, depth: int, height: int, width: int, connectivity: int, wide: bool, limit: int
    ) -> None: ...
    def solve(self, minimal: NDArray[Any], maximal: NDArray[Any], n_threads: int, /) -> int: ...
    def __getattr__(self, name: str) -> Any: ...

def parse_dimacs(text: bytes, /) -> tuple[int, int, int, NDArray[Any]]: ...

class GraphMaxflow:
    def __init__(self, n_nodes: int, wide: bool, limit: int) -> None: ...
    def solve(self, minimal: NDArray[Any], maximal: NDArray[Any], n_threads: int, /) -> int: ...
    def __getattr__(self, name: str) -> Any: ...

class LabelMoves:
    def __init__(self, *arguments: Any) -> None: ...
    def start(self, labels: NDArray[Any] | None, n_threads: int) -> float: ...
    def get_labels(self, labels: NDArray[Any], /) -> None: ...
    def expand(self, alpha: int, n_threads: int, /) -> float: ...
    def swap(self, alpha: int, beta: int, n_threads: int, /) -> float: ...

def unary_range(unary: NDArray[Any], n_threads: int, /) -> tuple[float, bool]: ...
def sum_squared_differences(
    volume: NDArray[Any], steps: list[tuple[int, ...]], n_threads: int, /
) -> float: ...
def contrast_weights(
    volume: NDArray[Any],
    steps: list[tuple[int, ...]],
    strengths: list[float],
    beta: float,
    weights: list[NDArray[Any]],
    n_threads: int,
    /,
) -> None: ...
def cut_cost(
    weights: list[NDArray[Any] | None], mask: NDArray[Any], n_threads: int, /
) -> float: ...
def gmm_energies(
    image: NDArray[Any],
    wanted: list[NDArray[Any] | None],
    components: NDArray[Any],
    energy: NDArray[Any],
    best: NDArray[Any],
    n_threads: int,
    /,
) -> None: ...
def trimap_terminals(
    background: NDArray[Any],
    foreground: NDArray[Any],
    trimap: NDArray[Any],
    source: NDArray[Any],
    sink: NDArray[Any],
    n_threads: int,
    /,
) -> None: ...
def data_energy(
    background: NDArray[Any], foreground: NDArray[Any], mask: NDArray[Any], n_threads: int, /
) -> float: ...
def gmm_statistics(
    image: NDArray[Any],
    mask: NDArray[Any],
    background: NDArray[Any],
    foreground: NDArray[Any],
    totals: NDArray[Any],
    n_threads: int,
    /,
) -> None: ...
def kmeans(
    colours: NDArray[Any],
    uniform: NDArray[Any],
    iterations: int,
    centres: NDArray[Any],
    counts: NDArray[Any],
    /,
) -> None: ...

class DenseCrf:
    def n_vertices(self) -> int: ...
    def infer(
        self,
        unary: NDArray[Any],
        start: NDArray[Any] | None,
        weights: NDArray[Any],
        label_weight: NDArray[Any] | None,
        penalty: NDArray[Any] | None,
        n_iterations: int,
        tolerance: float,
        probabilities: NDArray[Any],
        labels: NDArray[Any],
        free_energy: NDArray[Any] | None,
        n_threads: int,
    ) -> int: ...

def prepare_densecrf(
    depth: int,
    height: int,
    width: int,
    kernels: list[Any],
    normalization: int,
    n_threads: int,
    /,
) -> DenseCrf | tuple[int, int, float]: ...

class KernelFilter:
    def n_vertices(self) -> int: ...
    def n_corners(self) -> int: ...
    def apply(
        self, values: NDArray[Any], transposed: bool, result: NDArray[Any], n_threads: int, /
    ) -> None: ...
    def describe(
        self,
        vertices: NDArray[Any],
        weights: NDArray[Any],
        neighbours: NDArray[Any],
        n_threads: int,
        /,
    ) -> float: ...

def make_kernel_filter(
    depth: int, height: int, width: int, kernel: tuple[Any, ...], n_threads: int, /
) -> KernelFilter | tuple[int, int, float]: ...
def energies_of_probabilities(
    probabilities: NDArray[Any],
    least: float,
    tolerance: float,
    energies: NDArray[Any],
    n_threads: int,
    /,
) -> bool: ...

class LabelCosts:
    def __init__(
        self,
        kind: int,
        n_labels: int,
        scale: float,
        limit: float,
        lowest: float,
        rows: NDArray[Any],
        transposed: NDArray[Any],
        /,
    ) -> None: ...

class _LocalNodes:
    def sweep(
        self,
        costs: LabelCosts,
        unary: NDArray[Any],
        messages: NDArray[Any],
        forward: bool,
        tree_reweighted: bool,
        sum_product: bool,
        labels: NDArray[Any] | None,
        beliefs: NDArray[Any] | None,
        n_threads: int,
    ) -> float: ...
    def icm(
        self, costs: LabelCosts, unary: NDArray[Any], labels: NDArray[Any], n_threads: int, /
    ) -> int: ...
    def energy(
        self, costs: LabelCosts, unary: NDArray[Any], labels: NDArray[Any], n_threads: int, /
    ) -> float: ...

class LocalGrid(_LocalNodes):
    def __init__(
        self, height: int, width: int, offsets: list[tuple[int, int, NDArray[Any]]], /
    ) -> None: ...

class LocalGraph(_LocalNodes):
    def __init__(
        self,
        n_nodes: int,
        pairs: NDArray[Any],
        weight: NDArray[Any],
        flipped: NDArray[Any],
        later_start: NDArray[Any],
        earlier_start: NDArray[Any],
        earlier_edges: NDArray[Any],
        /,
    ) -> None: ...

def shrink_uint8(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def shrink_float32(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def shrink_float64(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def grey_uint8(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def grey_float32(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def grey_float64(image: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> bool: ...
def spectral_residual(grey: NDArray[Any], sigma: float, out: NDArray[Any], /) -> None: ...
def enlarge(map: NDArray[Any], out: NDArray[Any], n_threads: int, /) -> None: ...
def minimum_barrier(
    image: NDArray[Any], seeds: NDArray[Any], passes: int, out: NDArray[Any], /
) -> None: ...
def reconstruct(mask: NDArray[Any], values: NDArray[Any], /) -> None: ...
def lab_bytes(rgb: NDArray[Any], planes: NDArray[Any], n_threads: int, /) -> None: ...
def lab_floats(rgb: NDArray[Any], planes: NDArray[Any], n_threads: int, /) -> None: ...
def slic(
    planes: NDArray[Any],
    channels: int,
    mask: list[NDArray[Any]],
    labels: NDArray[Any],
    n_segments: int,
    n_iterations: int,
    compactness: float,
    spacing_z: float,
    spacing_y: float,
    spacing_x: float,
    adaptive: bool,
    refined: bool,
    n_threads: int,
    /,
) -> int: ...

class Stopped(Exception): ...

class Stop:
    def __init__(self) -> None: ...
    def set(self) -> None: ...
    def is_set(self) -> bool: ...
    def __enter__(self) -> Stop: ...
    def __exit__(self, *exception: object) -> None: ...
