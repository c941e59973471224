"""The images of rigid groups of Gaussians together with their derivatives by each group's pose.

Second-order registration needs the six derivative images of every vertebra in every iteration. Automatic
differentiation would rasterize once per pose parameter; here all seven images of a group share one pass over the pixels
(radgs_core/kernels/pose_derivatives.h has the formula). One term of perspective is held constant in the derivatives:
they are right to a few parts in a thousand of their largest value, which costs an iteration nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.kernels import pose_derivatives as kernels
from radgs_core.kernels.engine import launch
from radgs_core.kernels.rasterizer import FOOTPRINT_SIZE, PADDING
from radgs_core.radgs.checks import check_cutoff, check_float32, check_shape
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA
from radgs_core.radgs.views import Views


@dataclass(frozen=True)
class PoseDerivatives:
    """A part of a line-integral image and its derivatives; zero outside of that part.

    Attributes:
        images: (7, h, w): the image, then its derivatives by the twist ``(v, omega)`` per mm and per rad.
        top, left: row and column of the part's first pixel in the whole image; the part may reach beyond the border,
            where it is zero.
    """

    images: torch.Tensor
    top: int
    left: int

    def inside(self, images: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, slice, slice]:
        """What of images (..., h, w) at this part's place lies in a view of so many pixels, and where."""
        rows, inner_rows = _overlap(self.top, images.shape[-2], height)
        columns, inner_columns = _overlap(self.left, images.shape[-1], width)
        return images[..., inner_rows, inner_columns], rows, columns


def _overlap(first: int, length: int, size: int) -> tuple[slice, slice]:
    """Of pixels from ``first`` on, those in a view of this size: where in the view, and which of them."""
    start = min(max(first, 0), size)
    stop = max(start, min(first + length, size))
    return slice(start, stop), slice(start - first, stop - first)


class RigidGroups:
    """Rigid groups of Gaussians, ready to be drawn again and again.

    Args:
        groups: G groups, at least one, each in its own frame, mm; float32 on the CPU.

    Raises:
        ValueError: there is no group, or one is not float32 or not on the CPU.
    """

    def __init__(self, groups: Sequence[RadiativeGaussians]) -> None:
        if not groups:
            raise ValueError("there must be at least one group of Gaussians.")
        for group in groups:
            check_float32(group, "RigidGroups")
            if group.means_mm.device.type != "cpu":
                raise ValueError(f"RigidGroups takes Gaussians on the CPU, not on {group.means_mm.device}.")

        def joined(name: str) -> torch.Tensor:
            return torch.cat([getattr(group, name).reshape(-1) for group in groups]).contiguous()

        self._parameters = [joined(n) for n in ("means_mm", "scales_mm", "quaternions", "densities_per_mm")]
        counts = torch.tensor([len(group) for group in groups])
        self._group_of = torch.repeat_interleave(torch.arange(len(groups)), counts).to(torch.int32)
        self._ends = counts.cumsum(0).to(torch.int32)

    def rasterize(
        self,
        camera: XrayCamera,
        T_reference_group: torch.Tensor,
        centres_mm: torch.Tensor,
        *,
        margin_px: int = 0,
        cutoff_sigma: float = DEFAULT_CUTOFF_SIGMA,
    ) -> list[PoseDerivatives]:
        """Draw every group with the derivatives by a small motion of it.

        Args:
            camera: the view.
            T_reference_group: (G, 4, 4) poses of the groups, mm.
            centres_mm: (G, 3) points of the reference frame. A group's twist acts from the left, in the
                reference frame, about its point: ``p -> centre + exp(twist) (p - centre)``.
            margin_px: at least so many pixels of zeros are left around the covered part of an image; not negative.
            cutoff_sigma: half width of a footprint, in standard deviations, above 0 and at most 13.

        Returns:
            The covered part of each group's images; of size 0 where nothing is visible.

        Raises:
            ValueError: there is not a pose and a centre for each group, or a number is out of its range.
        """
        count, groups = len(self._group_of), len(self._ends)
        check_shape("T_reference_group", T_reference_group, (groups, 4, 4))
        check_shape("centres_mm", centres_mm, (groups, 3))
        check_cutoff(cutoff_sigma)
        if margin_px < 0:
            raise ValueError(f"margin_px must not be negative, but is {margin_px}.")
        T_camera_reference = torch.tensor(camera.T_camera_reference)
        views = Views.of([camera], torch.device("cpu"))
        footprints, polynomials = torch.empty(count, FOOTPRINT_SIZE), torch.empty(count, kernels.COEFFICIENTS)
        boxes = torch.empty(groups, 4, dtype=torch.int32)
        launch(
            kernels.project_group,
            groups,
            [
                *self._parameters,
                self._group_of,
                (T_camera_reference @ T_reference_group.double())[:, :3].reshape(-1),
                self._ends,
                views.cameras,
                T_camera_reference[:3, :3].reshape(-1),
                (centres_mm.double() @ T_camera_reference[:3, :3].T + T_camera_reference[:3, 3]).reshape(-1),
                cutoff_sigma,
                footprints,
                polynomials,
                boxes,
            ],
            footprints.device,
        )
        placements = [_placement(box, margin_px) for box in boxes.tolist()]
        sizes = [kernels.CHANNELS * height * width for _, _, height, width in placements]
        images = torch.zeros(sum(sizes))
        offsets = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        launch(
            kernels.draw_group,
            groups,
            [
                footprints,
                polynomials,
                self._ends,
                views.cameras,
                cutoff_sigma,
                torch.tensor(placements, dtype=torch.int32),
                offsets,
                images,
            ],
            footprints.device,
        )
        return [
            PoseDerivatives(part.view(kernels.CHANNELS, height, width), top, left)
            for part, (top, left, height, width) in zip(images.split(sizes), placements, strict=True)
        ]


def _placement(box: Sequence[int], margin: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of the planes of a group that covers a box of pixels."""
    first_row, last_row, first_column, last_column = box
    if last_row < first_row:
        return 0, 0, 0, 0
    # runs of pixels may end beyond the covered part, and so beyond the margin, but not beyond the padding
    height, width = (
        last_row - first_row + 1 + 2 * margin,
        last_column - first_column + 1 + margin + max(margin, PADDING),
    )
    return first_row - margin, first_column - margin, height, width
