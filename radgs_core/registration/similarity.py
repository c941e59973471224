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
from radgs_core.registration.windows import LANES, Windows

RIDGE = 0.3
FLOOR_SHARE = 1e-3
"""Of the mean over windows, added to |F|^2 and |B|^2: a window without any structure says nothing."""


@dataclass(frozen=True)
class LocalFit:
    """The similarity at one rendering, and its quadratic model for a Gauss-Newton step.

    With each window's gains held, the weighted sum of ``(1 - E / |F|^2) / 2`` changes with dB and dM by

        sum_x p_B.dB + p_M.dM - (w_BB |dB|^2 + 2 w_BM dB.dM + w_MM |dM|^2) / 2

    The first-order terms are those with free gains, too: at their best, gains have no slope. The ridge has a part in
    them, but none in the second-order weights, because these also tell how well the image determines the pose.

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
        self._target, self._usable = target.contiguous(), usable.contiguous()
        squared = self.windows.gather(target.square().sum(0) * usable)
        self._target_squared = squared + FLOOR_SHARE * _mean(squared)

    def fit(self, body: torch.Tensor, bone: torch.Tensor, weight: torch.Tensor) -> LocalFit:
        """Correlate a rendering with the X-ray.

        Args:
            body, bone: (2, H, W) float32 gradients of the rendered body and of the rendered vertebrae.
            weight: (h, w) float32, how much each window counts (`Windows.pool` makes it of weights of pixels).

        Raises:
            ValueError: a tensor has another shape or type.
        """
        windows = self.windows
        for name, tensor, shape in (
            ("body", body, (2, *windows.image_shape)),
            ("bone", bone, (2, *windows.image_shape)),
            ("weight", weight, windows.shape),
        ):
            if tensor.shape != shape or tensor.dtype != torch.float32:
                raise ValueError(f"{name} must be float32 {shape}, not {tensor.dtype} {tuple(tensor.shape)}.")
        images = [image.contiguous() for image in (self._target, body, bone, self._usable)]
        sums = windows.blur(self._products(images))
        correlation, bone_correlation, maps = self._gains(sums, weight)
        pulls, weights = self._pulls(windows.blur(maps), images)
        return LocalFit(correlation, bone_correlation, pulls, weights)

    def _products(self, images: list[torch.Tensor]) -> torch.Tensor:
        """(5, h, w) F.B, F.M, |B|^2, B.M and |M|^2 of the usable pixels, summed over cells."""
        windows, device = self.windows, self._target.device
        products = torch.empty(5, *windows.shape, device=device)
        arguments = [*images, *windows.image_shape, windows.stride, products]
        launch(kernels.products, windows.cell_tasks, arguments, device)
        return products

    def _gains(self, sums: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Both correlations (h, w), and (6, h, w) what the model's terms are made of (`pulls_task`)."""
        correlation, bone_correlation = sums.new_empty(2, *weight.shape)
        maps = sums.new_empty(6, *weight.shape)
        floor, count, device = FLOOR_SHARE * _mean(sums[2]), weight.numel(), sums.device
        given = [self._target_squared, sums, floor, weight.contiguous(), count, RIDGE]
        launch(kernels.gains, -(-count // LANES), [*given, correlation, bone_correlation, maps], device)
        maps[2] += FLOOR_SHARE * _mean(maps[2])  # the floor of |B|^2 changes with the body, too
        return correlation, bone_correlation, maps

    def _pulls(self, maps: torch.Tensor, images: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """First-order terms (2, 2, H, W) and second-order weights (3, H, W)."""
        windows, device = self.windows, maps.device
        pulls = maps.new_empty(2, 2, *windows.image_shape)
        weights = maps.new_empty(3, *windows.image_shape)
        arguments = [maps, *images, *windows.image_shape, windows.stride, pulls, weights]
        launch(kernels.pulls, windows.pixel_tasks, arguments, device)
        return pulls, weights


def _mean(values: torch.Tensor) -> torch.Tensor:
    """(1,) mean of (h, w); by rows first, because torch's order of a whole sum depends on the number of threads."""
    return values.mean(1).mean(0, keepdim=True)
