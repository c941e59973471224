"""The grid of windows."""

import pytest
import torch
from plain_similarity import PlainWindows

from radgs_core.registration.windows import Windows

SHAPE = (35, 53)


@pytest.mark.parametrize(("sigma_px", "stride"), [(1.0, 1), (3.9, 1), (4.0, 2), (7.5, 3), (16.0, 8), (40.0, 8)])
def test_windows_are_about_half_a_sigma_apart(sigma_px: float, stride: int) -> None:
    windows = Windows(SHAPE, sigma_px)
    assert windows.stride == stride
    assert windows.shape == (-(-35 // stride), -(-53 // stride))


@pytest.mark.parametrize("sigma_px", [1.0, 4.0, 7.5, 20.0])
def test_values_are_sums_weighed_by_the_windows(sigma_px: float) -> None:
    images = torch.randn(2, 3, *SHAPE, generator=torch.Generator().manual_seed(1))
    windows = Windows(SHAPE, sigma_px)
    expected = PlainWindows.of(SHAPE, sigma_px, windows.stride).gather(images.double())
    torch.testing.assert_close(windows.gather(images), expected.float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sigma_px", [1.0, 4.0, 7.5, 20.0])
def test_pooling_keeps_sums_and_places(sigma_px: float) -> None:
    weights = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    windows = Windows(SHAPE, sigma_px)
    cells = windows.pool(weights)
    torch.testing.assert_close(cells.sum((1, 2)), weights.sum((1, 2)))
    stride = windows.stride
    torch.testing.assert_close(cells[2, 0, -1], weights[2, :stride, (windows.shape[1] - 1) * stride :].sum())


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="float32 images"):
        Windows(SHAPE, 4.0).pool(torch.zeros(SHAPE, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"images of \(35, 53\), not \(53, 35\)"):
        Windows(SHAPE, 4.0).pool(torch.zeros(53, 35))
