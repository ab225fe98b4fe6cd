"""From a classifier of images of one size to a network that scores every position of any image."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from classicseg._checks import positive_int

__all__ = ["as_convolution", "convolutionalize"]

_FLATTENING = (torch.flatten, Tensor.flatten, Tensor.view, Tensor.reshape, torch.reshape)
# What treats vectors and maps alike.
_POINTWISE_MODULES = (
    nn.Dropout,
    nn.ReLU,
    nn.Identity,
    nn.Sigmoid,
    nn.Tanh,
    nn.GELU,
    nn.SiLU,
    nn.LeakyReLU,
)
_POINTWISE_CALLS = (F.relu, torch.relu, torch.sigmoid, torch.tanh, F.gelu, F.silu, F.dropout)


def convolutionalize(classifier: nn.Module, input_size: int | tuple[int, int] = 224) -> nn.Module:
    """Turn a classifier that ends in linear layers into one that gives a map of scores.

    A linear layer over a flattened map is a convolution with a kernel of the map's size, one over
    a vector is a 1x1 convolution, and a global average is a pooling over what the map has for the
    size that the classifier was made for. The network then takes images of at least that size and
    scores all windows at once, as far apart as its strides multiply to.

    Where the convolutions do not pad, each score equals the classifier's for that window. Where
    they do, a window inside the image sees its neighbours where the classifier saw zeros.

    Parameters
    ----------
    classifier : nn.Module
        (N, C, H, W) -> (N, K), that `torch.fx` can trace: convolutions, then a flattening or a
        global average or both, then linear layers. It is left as it is.
    input_size : int or (height, width)
        Of the images that it classifies.

    Returns
    -------
    nn.Module
        (N, C, H, W) -> (N, K, h, w), with a copy of the same weights.

    Raises
    ------
    TypeError, ValueError
        For a classifier of another form.

    References
    ----------
    J. Long, E. Shelhamer, T. Darrell: Fully convolutional networks for semantic segmentation.
    CVPR 2015. doi:10.1109/CVPR.2015.7298965, section 3.1
    P. Sermanet et al.: OverFeat. ICLR 2014. arXiv:1312.6229

    Examples
    --------
    >>> from torch import nn
    >>> classifier = nn.Sequential(
    ...     nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 7 * 7, 5)
    ... )
    >>> network = convolutionalize(classifier, input_size=16)
    >>> image = torch.rand(1, 3, 20, 30)
    >>> scores = network(image)
    >>> scores.shape  # windows of 16 x 16 at steps of 2
    torch.Size([1, 5, 3, 8])
    >>> window = image[:, :, 4:20, 14:30]
    >>> torch.allclose(scores[:, :, 2, 7], classifier(window), atol=1e-5)
    True
    """
    if not isinstance(classifier, nn.Module):
        raise TypeError(f"classifier is a {type(classifier).__name__}, expected an nn.Module")
    height, width = (input_size,) * 2 if isinstance(input_size, int) else input_size
    positive_int(height, "input_size")
    positive_int(width, "input_size")
    was_training = classifier.training
    graph_module = _traced(classifier)
    _propagate_shapes(graph_module, height, width)
    _Rewriter(graph_module).run()
    graph_module.graph.eliminate_dead_code()
    graph_module.delete_all_unused_submodules()
    graph_module.recompile()
    return graph_module.train(was_training)


def as_convolution(
    weight: Tensor, bias: Tensor | None, channels: int, side: tuple[int, int]
) -> nn.Conv2d:
    """A linear layer over a map of `channels` and this size, as a convolution."""
    height, width = side
    layer = nn.Conv2d(
        channels, len(weight), side, bias=bias is not None, device=weight.device, dtype=weight.dtype
    )
    with torch.no_grad():
        layer.weight.copy_(weight.view(len(weight), channels, height, width))
        if layer.bias is not None and bias is not None:
            layer.bias.copy_(bias)
    return layer


def _traced(classifier: nn.Module) -> fx.GraphModule:
    try:
        return fx.symbolic_trace(copy.deepcopy(classifier))
    except (fx.proxy.TraceError, TypeError, NameError, RuntimeError) as error:
        raise TypeError(
            f"classifier is a {type(classifier).__name__} that torch.fx cannot trace: {error}"
        ) from error


def _propagate_shapes(module: fx.GraphModule, height: int, width: int) -> None:
    """Every node's shape in the classifier's own use."""
    first = next((p for p in module.parameters() if p.ndim == 4), None)
    if first is None:
        raise ValueError("classifier has no convolution, expected one that ends in linear layers")
    convolutions = [m for m in module.modules() if isinstance(m, nn.Conv2d)]
    channels = convolutions[0].in_channels if convolutions else first.shape[1]
    example = torch.zeros(1, channels, height, width, device=first.device, dtype=first.dtype)
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            _Shapes(module).run(example)
    except RuntimeError as error:
        raise ValueError(
            f"classifier does not take images of {height} x {width}, give its input_size"
        ) from error
    module.train(training)


class _Rewriter:
    """Walks a graph in order; `maps` has the form behind each node that came to be a vector."""

    def __init__(self, module: fx.GraphModule) -> None:
        self.module = module
        # Channels, height, width and step of the map whose values a flattened node holds.
        self.maps: dict[fx.Node, tuple[int, int, int, int, int]] = {}
        self.n_linear = 0

    def run(self) -> None:
        for node in list(self.module.graph.nodes):
            self._rewrite(node)
        if not self.n_linear:
            raise ValueError("classifier has no linear layer after a flattened map or an average")

    def _rewrite(self, node: fx.Node) -> None:
        layer = self._layer(node)
        source = node.args[0] if node.args and isinstance(node.args[0], fx.Node) else None
        if source is None:
            return
        if isinstance(layer, nn.AdaptiveAvgPool2d) or node.target is F.adaptive_avg_pool2d:
            self._replace_average(node, source)
        elif self._flattens(node, layer, source):
            if source not in self.maps:
                _, channels, height, width = _shape(source)
                self.maps[source] = (channels, height, width, 1, 1)
            self._become(node, source)
        elif isinstance(layer, nn.Linear) and source in self.maps:
            self._replace_linear(node, layer, source)
        elif source in self.maps and len(_shape(node)) == 2 and node.op != "output":
            self._keep(node, layer, source)

    def _replace_average(self, node: fx.Node, source: fx.Node) -> None:
        """The windows that the average has at this size, at every position."""
        _, channels, height, width = _shape(source)
        rows, columns = _shape(node)[2:]
        if height % rows or width % columns:
            raise ValueError(
                f"classifier averages a map of {height} x {width} to {rows} x {columns}, expected "
                f"whole windows"
            )
        step = (height // rows, width // columns)
        self._replace(node, source, "average", nn.AvgPool2d(step, 1))
        self.maps[node] = (channels, rows, columns, *step)

    def _replace_linear(self, node: fx.Node, layer: nn.Linear, source: fx.Node) -> None:
        channels, height, width, *step = self.maps[source]
        convolution = as_convolution(layer.weight, layer.bias, channels, (height, width))
        convolution.dilation = (step[0], step[1])
        convolution.requires_grad_(layer.weight.requires_grad)
        self._replace(node, source, "score", convolution)
        self.maps[node] = (layer.out_features, 1, 1, 1, 1)
        self.n_linear += 1

    def _keep(self, node: fx.Node, layer: nn.Module | None, source: fx.Node) -> None:
        """Layers between the linear ones."""
        if isinstance(layer, nn.BatchNorm1d):
            norm = nn.BatchNorm2d(
                layer.num_features, layer.eps, layer.momentum, layer.affine,
                layer.track_running_stats,
            )  # fmt: skip
            norm.load_state_dict(layer.state_dict())
            self._replace(node, source, "norm", norm)
        elif not (
            isinstance(layer, _POINTWISE_MODULES)
            or (layer is None and node.target in (*_POINTWISE_CALLS, "relu", "sigmoid", "tanh"))
        ):
            raise ValueError(
                f"classifier has {layer or node.target} among its linear layers, expected layers "
                f"that work value by value"
            )
        self.maps[node] = self.maps[source]

    def _layer(self, node: fx.Node) -> nn.Module | None:
        return self.module.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _flattens(self, node: fx.Node, layer: nn.Module | None, source: fx.Node) -> bool:
        if isinstance(layer, nn.Flatten) or node.target in (
            *_FLATTENING,
            "flatten",
            "view",
            "reshape",
        ):
            before, after = _shape(source), _shape(node)
            if len(before) == 4 and after == (before[0], before[1] * before[2] * before[3]):
                return True
            raise ValueError(f"classifier reshapes {before} to {after}, expected (N, C H W)")
        return False

    def _replace(self, node: fx.Node, source: fx.Node, name: str, layer: nn.Module) -> None:
        name = f"{name}{sum(1 for other, _ in self.module.named_children() if name in other)}"
        self.module.add_submodule(name, layer.train(self.module.training))
        node.op, node.target, node.args, node.kwargs = "call_module", name, (source,), {}

    def _become(self, node: fx.Node, source: fx.Node) -> None:
        node.replace_all_uses_with(source)
        self.module.graph.erase_node(node)


class _Shapes(fx.Interpreter):
    """Runs a graph and keeps the shape of every tensor in it."""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        n.meta["shape"] = tuple(result.shape) if isinstance(result, Tensor) else ()
        return result


def _shape(node: fx.Node) -> tuple[int, ...]:
    shape: tuple[int, ...] = node.meta["shape"]
    return shape
