"""The filters against plain torch in float64."""

import plain_filters
import pytest
import torch

from radgs_core.gradient_filter import smooth, smooth_gradient

# narrower than a vector of the processor, just as wide, and between; one row; several stacks
SHAPES = ((37, 50), (3, 5, 7), (2, 3, 18, 16), (4, 17, 33), (1, 1), (1, 40))
SIGMAS_PX = (0.3, 1.7, 6.0)  # the last one reaches across every image


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    assert actual.dtype == torch.float32
    assert actual.shape == expected.shape
    assert float((actual - expected).abs().max()) <= 1e-6 * float(expected.abs().max()) + 1e-9


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma_px", SIGMAS_PX)
def test_smooth(shape: tuple[int, ...], sigma_px: float) -> None:
    images = noise(*shape)
    assert_close(smooth(images, sigma_px), plain_filters.smooth(images.double(), sigma_px))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma_px", SIGMAS_PX)
def test_smooth_gradient(shape: tuple[int, ...], sigma_px: float) -> None:
    images = noise(*shape)
    assert_close(smooth_gradient(images, sigma_px), plain_filters.smooth_gradient(images.double(), sigma_px))


def test_the_gradient_of_a_ramp_is_its_slope() -> None:
    x, y = torch.arange(60.0), torch.arange(50.0)[:, None]
    gradient = smooth_gradient(0.5 * x - 0.25 * y, 2.0)[:, 10:-10, 10:-10]
    # the kernel is cut off and sampled, so the slope is right to a few per cent
    torch.testing.assert_close(gradient[0], torch.full_like(gradient[0], 0.5), atol=0.02, rtol=0)
    torch.testing.assert_close(gradient[1], torch.full_like(gradient[1], -0.25), atol=0.01, rtol=0)


def test_images_need_not_be_contiguous() -> None:
    images = noise(50, 37)
    torch.testing.assert_close(smooth(images.T, 2.0), smooth(images.T.contiguous(), 2.0), atol=0, rtol=0)


@pytest.mark.parametrize("shape", [(7, 0, 0), (7, 0, 5), (0, 4, 5)])
def test_no_pixels(shape: tuple[int, ...]) -> None:
    assert smooth_gradient(torch.zeros(shape), 2.0).shape == (shape[0], 2, *shape[1:])


def test_the_number_of_threads_does_not_matter() -> None:
    images = noise(3, 61, 45)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append(smooth_gradient(images, 1.7))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_other_numbers_than_float32_are_refused() -> None:
    with pytest.raises(ValueError, match=r"float32 images, not torch\.float64"):
        smooth(torch.zeros(4, 4, dtype=torch.float64), 1.0)
