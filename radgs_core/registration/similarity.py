"""Similarity of an X-ray and a rendering: local correlation of their gradients, with separate gains for body and bone.

In a Gaussian window c, the gradient F of the X-ray is explained by the gradients B of the rendered body and M of the
rendered vertebrae, each with a gain of that window:

    E(c) = min over a, b >= 0 of  |F - a B - b M|^2_c + RIDGE (a - b)^2 |M|^2_c
    <A, B>_c = sum_x G_c(x) v(x) A(x).B(x),  |A|^2_c = <A, A>_c

where v is 1 on usable pixels. The similarity is ``sqrt(1 - E(c) / |F|^2_c)``, the multiple correlation. Gradients,
because scatter and the background's slow changes vanish in them; local windows, because scatter, beam hardening and the
detector change the contrast by a factor that varies over the image, and because strong edges of the body (diaphragm,
skin) must not outvote a vertebra's faint ones elsewhere; two gains, because the unknown spectrum changes bone's
contrast against that of soft tissue.
"""

from dataclasses import dataclass

import torch

from radgs_core.kernels import similarity as kernels
from radgs_core.kernels.engine import launch
from radgs_core.registration.windows import Windows, lanes

RIDGE = 0.3
FLOOR_SHARE = 1e-3
"""Of the mean over windows, added to |F|^2 and |B|^2: a window without any structure says nothing."""


@dataclass(frozen=True)
class LocalFit:
    """The similarity at one rendering, and its quadratic model for a Gauss-Newton step.

    With each window's gains held, the weighted sum of ``(1 - E / |F|^2) / 2`` changes with dB and dM by

        sum_x p_B.dB + p_M.dM - (w_BB |dB|^2 + 2 w_BM dB.dM + w_MM |dM|^2) / 2

    of which the first-order terms are the gradient with free gains, too: at their best, gains have no slope.

    Attributes:
        correlation: (h, w) in 0..1, of each window.
        bone_correlation: (h, w) in 0..1, the partial correlation: how well the vertebrae explain what the body leaves
            unexplained. The body alone can correlate well where a vertebra is not.
        pulls: (2, 2, H, W) first-order terms p_B and p_M.
        weights: (3, H, W) second-order weights w_BB, w_BM and w_MM.
    """

    correlation: torch.Tensor
    bone_correlation: torch.Tensor
    pulls: torch.Tensor
    weights: torch.Tensor


class LocalCorrelation:
    """Correlates renderings with one X-ray locally.

    Args:
        target: (2, H, W) float32 gradient of the X-ray.
        usable: (H, W) float32, 1 where the X-ray can be trusted, else 0.
        window_px: standard deviation of the windows, pixels.

    Attributes:
        windows: where the windows are.
    """

    def __init__(self, target: torch.Tensor, usable: torch.Tensor, window_px: float) -> None:
        self.windows = Windows((usable.shape[0], usable.shape[1]), window_px)
        self._target = target.contiguous()
        self._usable = usable.contiguous()
        squared = self.windows.gather(target.square().sum(0) * usable)
        self._target_squared = squared + FLOOR_SHARE * _mean(squared)

    def fit(self, body: torch.Tensor, bone: torch.Tensor, weight: torch.Tensor) -> LocalFit:
        """Correlate a rendering with the X-ray.

        Args:
            body, bone: (2, H, W) float32 gradients of the rendered body and of the rendered vertebrae.
            weight: (h, w) float32, how much each window counts (`Windows.pool` makes it of weights of pixels).
        """
        windows, device = self.windows, self._target.device
        (rows, columns), (height, width) = windows.shape, windows.image_shape
        for name, tensor, shape in (
            ("body", body, (2, height, width)),
            ("bone", bone, (2, height, width)),
            ("weight", weight, (rows, columns)),
        ):
            if tensor.shape != shape or tensor.dtype != torch.float32:
                raise ValueError(f"{name} must be float32 {shape}, not {tensor.dtype} {tuple(tensor.shape)}.")
        images = [image.contiguous().view(-1) for image in (self._target, body, bone, self._usable)]

        products = body.new_empty(5, rows, columns)
        grid = (height, width, windows.stride)
        launch(kernels.products, windows.cell_tasks(device), [*images, *grid, products.view(-1)], device)
        sums = windows.blur(products)

        floor = FLOOR_SHARE * _mean(sums[2])
        correlation, bone_correlation = torch.empty_like(weight), torch.empty_like(weight)
        maps = torch.empty_like(sums)
        fitted = [correlation.view(-1), bone_correlation.view(-1), maps.view(-1)]
        squared, weights = self._target_squared.view(-1), weight.contiguous().view(-1)
        count = rows * columns
        arguments = [squared, sums.view(-1), floor, weights, count, RIDGE, *fitted]
        launch(kernels.gains, -(-count // lanes(device)), arguments, device)
        maps[2] += FLOOR_SHARE * _mean(maps[2])  # the adjoint of the floor, which depends on the body

        pulls, second = body.new_empty(2, *body.shape), body.new_empty(3, height, width)
        arguments = [windows.blur(maps).view(-1), *images, *grid, pulls.view(-1), second.view(-1)]
        launch(kernels.pulls, windows.pixel_tasks(device), arguments, device)
        return LocalFit(correlation, bone_correlation, pulls, second)


def _mean(values: torch.Tensor) -> torch.Tensor:
    """(1,) mean of (h, w); by rows first, because torch's order of a whole sum depends on the number of threads."""
    return values.mean(1).mean(0, keepdim=True)
