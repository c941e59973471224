"""An X-ray as the peer compares it with renderings: nanodrr's normalised cross-correlation of gradients, in patches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from nanodrr.metrics import GradientNormalizedCrossCorrelation2d, NormalizedCrossCorrelation2d
from torch.nn.functional import avg_pool2d

from radgs_core.xray.observation import Observation

Window = tuple[slice, slice]
"""Rows and columns of an image, both with start and stop."""


@dataclass(frozen=True)
class PeerStage:
    """One resolution of the peer.

    Attributes:
        shrink: so many by so many pixels of the X-ray are averaged into one.
        patch_px: edge of the patches that are correlated.
        blur_px: standard deviation of the blur before gradients are taken.
        samples: of a rendering, along each ray.
        iterations: steps of Adam.
        step: the first one's length, mm and degrees.
    """

    shrink: int
    patch_px: int
    blur_px: float
    samples: int
    iterations: int
    step: float


class PeerView:
    """One X-ray at the resolution of a stage.

    Attributes:
        camera: of the shrunk image.
        whole: the window of all its pixels.
    """

    def __init__(self, observed: Observation, stage: PeerStage) -> None:
        self.camera = observed.camera.resized(stage.shrink)
        self.whole = slice(0, self.camera.height), slice(0, self.camera.width)
        self._gradients = GradientNormalizedCrossCorrelation2d(sigma=stage.blur_px).sobel
        self._correlation = NormalizedCrossCorrelation2d(stage.patch_px)
        # what the detector did not measure is masked after gradients are taken: it must not make edges
        self._usable = (avg_pool2d(observed.usable[None, None], stage.shrink) > 0.99).float()
        self._target = self._usable * self._gradients(avg_pool2d(observed.line_integral[None, None], stage.shrink))

    def loss(self, rendering: torch.Tensor, windows: Sequence[Window]) -> torch.Tensor:
        """The negative correlation with a rendering (H, W), mean over windows."""
        moving = self._usable * self._gradients(rendering[None, None])
        scores = [self._correlation(self._target[..., r, c], moving[..., r, c]) for r, c in windows]
        return -torch.stack(scores).mean()
