"""Windows and blocks against plain loops."""

import numpy as np
import pytest
import torch

from radgs_core.box_filter import block_mean, box_mean

IMAGES = torch.rand(2, 12, 9, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("zeros_beyond", [True, False])
def test_means_over_windows(zeros_beyond: bool) -> None:
    found = box_mean(IMAGES, 5, zeros_beyond=zeros_beyond)
    for row, column in np.ndindex(12, 9):
        window = IMAGES[:, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        wanted = window.sum((1, 2)) / (25 if zeros_beyond else window[0].numel())
        torch.testing.assert_close(found[:, row, column], wanted)


def test_windows_have_a_middle() -> None:
    with pytest.raises(ValueError, match="odd width, not 4"):
        box_mean(IMAGES, 4, zeros_beyond=True)


def test_what_inference_has_used_can_be_trained_with() -> None:
    with torch.inference_mode():
        box_mean(IMAGES, 7, zeros_beyond=True), block_mean(IMAGES, 2)
    images = IMAGES.clone().requires_grad_()
    (box_mean(images, 7, zeros_beyond=True).sum() + block_mean(images, 2).square().sum()).backward()
    assert images.grad is not None and images.grad.abs().min() > 0


def test_pixels_of_no_whole_block_are_left_out() -> None:
    torch.testing.assert_close(block_mean(IMAGES, 2), block_mean(IMAGES[..., :8], 2))


def test_means_over_blocks() -> None:
    found = block_mean(IMAGES, 3)
    assert found.shape == (2, 4, 3)
    for row, column in np.ndindex(4, 3):
        block = IMAGES[:, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
        torch.testing.assert_close(found[:, row, column], block.mean((1, 2)))
