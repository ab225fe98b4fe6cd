"""Convolutions as matrices: equal to torch's, with the teaching cases by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from classicseg.bridge import functional  # noqa: E402  # needs torch

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def test_a_3x3_kernel_on_4x4_is_a_4_by_16_matrix() -> None:
    kernel = torch.arange(1.0, 10.0).view(3, 3)
    matrix = functional.convolution_matrix(kernel, 4)
    expected = [
        [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0],
        [0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0],
        [0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9],
    ]
    assert matrix.tolist() == expected
    x = torch.randn(4, 4)
    torch.testing.assert_close((matrix @ x.flatten()).view(2, 2), functional.conv2d(x, kernel))


def test_2x2_becomes_4x4_by_full_padding() -> None:
    """The transposed convolution is a convolution of the padded input with the kernel turned."""
    kernel, x = torch.randn(3, 3), torch.randn(2, 2)
    matrix = functional.transposed_convolution_matrix(kernel, 2)
    assert torch.equal(matrix, functional.convolution_matrix(kernel, 4).T)
    y = functional.conv_transpose2d(x, kernel)
    padded = functional.conv2d(torch.nn.functional.pad(x, (2, 2, 2, 2)), kernel.flip(0, 1))
    assert y.shape == (4, 4)
    torch.testing.assert_close(y, padded)
    torch.testing.assert_close(y.flatten(), matrix @ x.flatten())


def test_3x3_becomes_5x5_with_stride_2_and_padding_1() -> None:
    """A convolution of stride 1 over the input with zeros in between."""
    kernel, x = torch.randn(3, 3), torch.randn(3, 3)
    y = functional.conv_transpose2d(x, kernel, stride=2, padding=1)
    spread = torch.zeros(5, 5)
    spread[::2, ::2] = x
    assert y.shape == (5, 5)
    torch.testing.assert_close(y, functional.conv2d(spread, kernel.flip(0, 1), padding=1))


@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
@pytest.mark.parametrize("padding", [0, 1, (2, 0)])
@pytest.mark.parametrize("dilation", [1, (1, 2)])
def test_convolutions_equal_torchs(stride: object, padding: object, dilation: object) -> None:
    x, kernel = torch.randn(2, 3, 7, 8).double(), torch.randn(4, 3, 3, 2).double()
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    ours = functional.conv2d(x, kernel, **options)
    torch.testing.assert_close(ours, torch.nn.functional.conv2d(x, kernel, **options))


@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
@pytest.mark.parametrize("padding", [0, 1, (2, 0)])
@pytest.mark.parametrize("more", [0, 1])
def test_transposed_convolutions_equal_torchs(stride: object, padding: object, more: int) -> None:
    x, kernel = torch.randn(2, 3, 4, 5).double(), torch.randn(3, 4, 3, 4).double()
    options = {"stride": stride, "padding": padding, "output_padding": more}
    if more and stride == 1:
        with pytest.raises(ValueError, match="output_padding"):
            functional.conv_transpose2d(x, kernel, **options)
        return
    ours = functional.conv_transpose2d(x, kernel, **options)
    torch.testing.assert_close(ours, torch.nn.functional.conv_transpose2d(x, kernel, **options))


def test_the_kernel_learns_through_the_matrix() -> None:
    kernel = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    x = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, k: functional.conv2d(x, k, padding=1), (x, kernel))


def test_wrong_arguments_are_named() -> None:
    x, kernel = torch.zeros(4, 4), torch.zeros(3, 3)
    with pytest.raises(ValueError, match=r"kernel has shape \(3,\)"):
        functional.convolution_matrix(torch.zeros(3), 4)
    with pytest.raises(TypeError, match="kernel is a list"):
        functional.convolution_matrix([[1.0]], 4)
    with pytest.raises(ValueError, match=r"size is \(2, 2\), too small"):
        functional.convolution_matrix(kernel, 2)
    with pytest.raises(ValueError, match="more than 2"):
        functional.convolution_matrix(kernel, 500)
    with pytest.raises(ValueError, match="stride is 0"):
        functional.conv2d(x, kernel, stride=0)
    with pytest.raises(ValueError, match="both with two"):
        functional.conv2d(x[None, None], kernel)
    with pytest.raises(ValueError, match="x has 1 channels, expected the kernel's 2"):
        functional.conv2d(x[None, None], torch.zeros(1, 2, 3, 3))
    with pytest.raises(ValueError, match="leaves no output"):
        functional.conv_transpose2d(torch.zeros(1, 1), kernel, padding=2)
