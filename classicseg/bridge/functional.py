"""Convolution and transposed convolution as the matrices that they are.

For teaching and for small inputs: a matrix has a row for each output and a column for each input
value. The transposed convolution's is the transpose of the convolution's that goes the other way;
it gives the shapes back, not the values.

V. Dumoulin, F. Visin: A guide to convolution arithmetic for deep learning. arXiv:1603.07285
"""

from __future__ import annotations

import torch
from torch import Tensor

from classicseg._settings import int_from, positive_int, sequence_of

__all__ = [
    "conv2d",
    "conv_transpose2d",
    "convolution_matrix",
    "output_size",
    "transposed_convolution_matrix",
    "transposed_output_size",
]

Pair = int | tuple[int, int]

# 2^26 entries are 256 MB as float32.
_MAX_ENTRIES = 1 << 26


def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """How many outputs a convolution has along an axis of this length.

    Examples
    --------
    >>> output_size(4, kernel=3), output_size(5, kernel=3, stride=2, padding=1)
    (2, 3)
    """
    size, kernel = positive_int(size, "size"), positive_int(kernel, "kernel")
    stride, padding = positive_int(stride, "stride"), int_from(0, padding, "padding")
    dilation = positive_int(dilation, "dilation")
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def transposed_output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> int:
    """How many outputs a transposed convolution has along an axis of this length.

    Examples
    --------
    >>> transposed_output_size(2, kernel=3), transposed_output_size(3, 3, stride=2, padding=1)
    (4, 5)
    """
    size, kernel = positive_int(size, "size"), positive_int(kernel, "kernel")
    stride, padding = positive_int(stride, "stride"), int_from(0, padding, "padding")
    output_padding = int_from(0, output_padding, "output_padding")
    return (size - 1) * stride - 2 * padding + kernel + output_padding


def convolution_matrix(
    kernel: Tensor, size: Pair, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """The matrix that a convolution multiplies its flattened input with.

    Parameters
    ----------
    kernel : (kh, kw) or (C_out, C_in, kh, kw) tensor
        As torch's: it is not flipped.
    size : int or (height, width)
        Of the input.
    stride, padding, dilation : int or (rows, columns)
        As torch's. Padding is with zeros: those have no column.

    Returns
    -------
    (C_out h_out w_out, C_in height width) tensor
        It can be differentiated with respect to the kernel.

    Raises
    ------
    TypeError, ValueError
        For a kernel of another form, sizes without any output, matrices beyond 2^26 entries.

    Examples
    --------
    A 3x3 kernel over 4x4 values, without padding, has 2x2 outputs: a 4 x 16 matrix.

    >>> kernel = torch.arange(1.0, 10.0).view(3, 3)
    >>> matrix = convolution_matrix(kernel, 4)
    >>> matrix.shape
    torch.Size([4, 16])
    >>> matrix[0].view(4, 4).int().tolist()
    [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0], [0, 0, 0, 0]]
    """
    _check_kernel(kernel)
    kernel = kernel if kernel.ndim == 4 else kernel[None, None]
    n_out, n_in, *sides = kernel.shape
    sizes = _pair(size, "size", 1)
    options = zip(
        _pair(stride, "stride", 1),
        _pair(padding, "padding", 0),
        _pair(dilation, "dilation", 1),
        strict=True,
    )
    places = []
    for length, side, (step, pad, hole) in zip(sizes, sides, options, strict=True):
        n = output_size(length, side, step, pad, hole)
        if n < 1:
            raise ValueError(f"size is {sizes}, too small for a kernel of {sides[0]} x {sides[1]}")
        # Which input each output meets with each of the kernel's entries: (outputs, entries).
        places.append(torch.arange(n)[:, None] * step - pad + torch.arange(side) * hole)
    height, width = sizes
    rows, columns = len(places[0]), len(places[1])
    if n_out * rows * columns * n_in * height * width > _MAX_ENTRIES:
        raise ValueError(f"size is {sizes}: the matrix would have more than 2^26 entries")
    # One-hot: (outputs, kernel's entries, inputs), with zeros where an entry meets the padding.
    hot = [
        (place[..., None] == torch.arange(length)).to(kernel)
        for place, length in zip(places, sizes, strict=True)
    ]
    matrix = torch.einsum("oikl,ykh,xlw->oyxihw", kernel, *hot)
    return matrix.reshape(n_out * rows * columns, n_in * height * width)


def transposed_convolution_matrix(
    kernel: Tensor, size: Pair, *, stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0
) -> Tensor:
    """The matrix that a transposed convolution multiplies its flattened input with.

    Parameters
    ----------
    kernel : (kh, kw) or (C_in, C_out, kh, kw) tensor
        As torch's.
    size : int or (height, width)
        Of the input.
    stride, padding, output_padding : int or (rows, columns)
        As torch's: stride spreads the inputs, padding takes from the output.

    Returns
    -------
    (C_out h_out w_out, C_in height width) tensor

    Raises
    ------
    TypeError, ValueError
        As `convolution_matrix`.

    Examples
    --------
    A 3x3 kernel enlarges 2x2 values to 4x4; with stride 2 and padding 1 it enlarges 3x3 to 5x5.

    >>> kernel = torch.ones(3, 3)
    >>> transposed_convolution_matrix(kernel, 2).shape
    torch.Size([16, 4])
    >>> transposed_convolution_matrix(kernel, 3, stride=2, padding=1).shape
    torch.Size([25, 9])
    """
    _check_kernel(kernel)
    steps, pads = _pair(stride, "stride", 1), _pair(padding, "padding", 0)
    more = _pair(output_padding, "output_padding", 0)
    if any(a >= b for a, b in zip(more, steps, strict=True)):
        raise ValueError(f"output_padding is {more}, expected less than the stride {steps}")
    larger = [
        transposed_output_size(*axis)
        for axis in zip(_pair(size, "size", 1), kernel.shape[-2:], steps, pads, more, strict=True)
    ]
    if min(larger) < 1:
        raise ValueError(f"padding is {pads}, which leaves no output")
    # From the enlarged map back to the input.
    return convolution_matrix(kernel, (larger[0], larger[1]), stride=steps, padding=pads).T


def conv2d(
    x: Tensor, kernel: Tensor, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """A convolution by its matrix: equals `torch.nn.functional.conv2d`.

    Parameters
    ----------
    x : (H, W) or (N, C_in, H, W) tensor
    kernel : (kh, kw) or (C_out, C_in, kh, kw) tensor
    stride, padding, dilation : int or (rows, columns)

    Returns
    -------
    (h_out, w_out) or (N, C_out, h_out, w_out) tensor

    Raises
    ------
    TypeError, ValueError
        As `convolution_matrix`, or for an input of another form.

    Examples
    --------
    >>> conv2d(torch.eye(4), torch.ones(3, 3)).tolist()
    [[3.0, 2.0], [2.0, 3.0]]
    """
    batch = _batch(x, kernel, in_axis=1)
    size = (batch.shape[2], batch.shape[3])
    matrix = convolution_matrix(kernel, size, stride=stride, padding=padding, dilation=dilation)
    sides = kernel.shape[-2:]
    options = (
        _pair(stride, "stride", 1),
        _pair(padding, "padding", 0),
        _pair(dilation, "dilation", 1),
    )
    shape = [output_size(*axis) for axis in zip(size, sides, *options, strict=True)]
    return _applied(matrix, batch, shape, x.ndim)


def conv_transpose2d(
    x: Tensor, kernel: Tensor, *, stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0
) -> Tensor:
    """A transposed convolution by its matrix: equals `torch.nn.functional.conv_transpose2d`.

    Parameters
    ----------
    x : (H, W) or (N, C_in, H, W) tensor
    kernel : (kh, kw) or (C_in, C_out, kh, kw) tensor
    stride, padding, output_padding : int or (rows, columns)

    Returns
    -------
    (h_out, w_out) or (N, C_out, h_out, w_out) tensor

    Raises
    ------
    TypeError, ValueError
        As `transposed_convolution_matrix`, or for an input of another form.

    Examples
    --------
    >>> conv_transpose2d(torch.eye(2), torch.ones(3, 3)).int().tolist()
    [[1, 1, 1, 0], [1, 2, 2, 1], [1, 2, 2, 1], [0, 1, 1, 1]]
    """
    batch = _batch(x, kernel, in_axis=0)
    size = (batch.shape[2], batch.shape[3])
    matrix = transposed_convolution_matrix(
        kernel, size, stride=stride, padding=padding, output_padding=output_padding
    )
    options = (
        _pair(stride, "stride", 1),
        _pair(padding, "padding", 0),
        _pair(output_padding, "output_padding", 0),
    )
    shape = [
        transposed_output_size(*axis)
        for axis in zip(size, kernel.shape[-2:], *options, strict=True)
    ]
    return _applied(matrix, batch, shape, x.ndim)


def _check_kernel(kernel: Tensor) -> None:
    if not isinstance(kernel, Tensor):
        raise TypeError(f"kernel is a {type(kernel).__name__}, expected a tensor")
    if kernel.ndim not in (2, 4) or kernel.numel() == 0:
        raise ValueError(
            f"kernel has shape {tuple(kernel.shape)}, expected (kh, kw), or four axes with the "
            f"channels first"
        )


def _batch(x: Tensor, kernel: Tensor, in_axis: int) -> Tensor:
    if not isinstance(x, Tensor) or not isinstance(kernel, Tensor):
        raise TypeError("x and kernel must be tensors")
    if x.dtype != kernel.dtype:
        raise TypeError(f"x has dtype {x.dtype} and kernel {kernel.dtype}, expected the same")
    if x.ndim not in (2, 4) or x.numel() == 0 or x.ndim != kernel.ndim:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and kernel {tuple(kernel.shape)}, expected both with "
            f"two axes or both with four"
        )
    if x.ndim == 4 and x.shape[1] != kernel.shape[in_axis]:
        raise ValueError(
            f"x has {x.shape[1]} channels, expected the kernel's {kernel.shape[in_axis]}"
        )
    return x if x.ndim == 4 else x[None, None]


def _applied(matrix: Tensor, batch: Tensor, shape: list[int], n_axes: int) -> Tensor:
    y = (batch.flatten(1) @ matrix.T).view(len(batch), -1, *shape)
    return y if n_axes == 4 else y[0, 0]


def _pair(value: Pair, name: str, least: int) -> tuple[int, int]:
    given = (value, value) if isinstance(value, int) else value
    pair = sequence_of(given, name, f"one or two whole numbers from {least}")
    if len(pair) != 2:
        raise ValueError(f"{name} is {value!r}, expected one or two whole numbers from {least}")
    first, second = (int_from(least, v, name, _MAX_ENTRIES) for v in pair)
    return first, second
