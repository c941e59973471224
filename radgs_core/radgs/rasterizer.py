"""Rasterizer: radiative Gaussians to X-ray images (line integrals), by the kernels.

An X-ray is a sum of line integrals: no opacity and no depth order. The formula stands in
`radgs_core.radgs.oracle.projection`; `radgs_core.radgs.oracle.rasterizer` does the same in plain torch.

Each call allocates its images, the footprints (64 bytes a Gaussian and view, which backward needs) and padded images as
scratch. No buffers are kept between calls: on the CPU, memory of these sizes that was freed is handed out again, which
takes microseconds beside the milliseconds of drawing, and calls stay independent of each other.
"""

from collections.abc import Sequence
from typing import Any

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.kernels import rasterizer as kernels
from radgs_core.kernels.engine import launch
from radgs_core.radgs.checks import check_cutoff, check_float32, check_shape, group_of_each
from radgs_core.radgs.division import Division
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.views import Views

DEFAULT_CUTOFF_SIGMA = 4.0
"""Where a Gaussian's footprint is cut off; docs/performance.md has the error by cut-off."""


def rasterize(
    gaussians: RadiativeGaussians,
    cameras: Sequence[XrayCamera],
    T_reference_group: torch.Tensor,
    group: torch.Tensor | None = None,
    *,
    T_camera_reference: torch.Tensor | None = None,
    cutoff_sigma: float = DEFAULT_CUTOFF_SIGMA,
) -> list[torch.Tensor]:
    """Line-integral images of rigid groups of Gaussians in any number of views.

    On the CPU the result does not depend on the number of threads; on CUDA sums of float32 have no fixed order.

    Args:
        gaussians: N Gaussians, each in its group's frame, mm; float32, on the device to compute on.
        cameras: V views of any size.
        T_reference_group: (G, 4, 4) pose of each group in the reference frame, mm.
        group: (N,) integer group of each Gaussian, 0..G - 1; may be left out where G is 1.
        T_camera_reference: (V, 4, 4) pose to use instead of the cameras' own, for gradients to the camera pose.
        cutoff_sigma: half width of a footprint, in standard deviations, above 0 and at most 13. Gaussians that reach
            the X-ray source within it are not drawn.

    Returns:
        V images (height, width): dimensionless line integrals, summed over all Gaussians. Differentiable (once) in the
        Gaussians' parameters, ``T_reference_group`` and ``T_camera_reference``.

    Raises:
        ValueError: the Gaussians are not float32, there is no camera, ``group`` is missing although there are several
            groups, ``cutoff_sigma`` is out of its range, or the shape, the type or the numbers of ``group`` or of poses
            are not as above.
    """
    device = gaussians.means_mm.device
    check_float32(gaussians, "the rasterizer")
    check_cutoff(cutoff_sigma)
    check_shape("T_reference_group", T_reference_group, (*T_reference_group.shape[:1], 4, 4))
    group = group_of_each(gaussians, len(T_reference_group), group)
    if not cameras:
        raise ValueError("there must be at least one camera.")
    if T_camera_reference is not None:
        check_shape("T_camera_reference", T_camera_reference, (len(cameras), 4, 4))
    else:
        T_camera_reference = torch.stack([torch.tensor(camera.T_camera_reference, device=device) for camera in cameras])
    # poses are joined in float64: distances of a metre with errors of a micrometre do not fit float32
    T_camera_group = T_camera_reference.double()[:, None] @ T_reference_group.double()
    return list(
        _Rasterize.apply(
            gaussians.means_mm,
            gaussians.scales_mm,
            gaussians.quaternions,
            gaussians.densities_per_mm,
            T_camera_group[..., :3, :],
            group,
            Views.of(cameras, device),
            cutoff_sigma,
        )
    )


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        means: torch.Tensor,
        scales: torch.Tensor,
        quaternions: torch.Tensor,
        densities: torch.Tensor,
        T_camera_group: torch.Tensor,
        group: torch.Tensor,
        views: Views,
        cutoff: float,
    ) -> tuple[torch.Tensor, ...]:
        gaussians = [x.contiguous() for x in (means, scales, quaternions, densities, group, T_camera_group)]
        count, (view_count, groups) = len(means), T_camera_group.shape[:2]
        device = means.device
        footprints = torch.empty(view_count, count, kernels.FOOTPRINT_SIZE, device=device)
        cut = Division.on(device, count, views)
        cameras, offsets = views.cameras, views.offsets
        block = cut.projection_block
        launch(
            kernels.project,
            view_count * -(-count // block),
            [*gaussians, count, block, groups, cameras, cutoff, footprints],
            device,
        )
        padded = torch.zeros(views.padded_size, device=device)
        shares, bands = cut.drawing_shares, cut.drawing_bands
        launch(
            kernels.splat,
            view_count * shares * bands,
            [footprints, count, shares, bands, cameras, offsets, cutoff, padded],
            device,
        )
        images = torch.empty(sum(height * width for height, width in views.sizes), device=device)
        bands, parts = cut.row_bands, cut.row_parts
        launch(kernels.unpad, view_count * bands * parts, [cameras, offsets, bands, parts, padded, images], device)
        ctx.save_for_backward(*gaussians, footprints)
        ctx.views, ctx.cutoff = views, cutoff
        return views.split(images)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *by_images: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *gaussians, footprints = ctx.saved_tensors
        views: Views = ctx.views
        view_count, count, _ = footprints.shape
        groups = gaussians[-1].shape[1]
        device = footprints.device
        cameras, offsets = views.cameras, views.offsets
        cut = Division.on(device, count, views)
        padded = torch.empty(views.padded_size, device=device)
        bands, parts = cut.row_bands, cut.row_parts
        flat = (
            torch.cat([by_image.reshape(-1) for by_image in by_images])
            if len(by_images) > 1
            else by_images[0].reshape(-1)
        )
        launch(
            kernels.pad, view_count * bands * parts, [cameras, offsets, bands, parts, flat.contiguous(), padded], device
        )
        moments = torch.empty(view_count, kernels.MOMENTS, count, device=device)
        shares = cut.adjoint_shares
        launch(
            kernels.splat_adjoint,
            view_count * shares,
            [footprints, count, shares, cameras, offsets, ctx.cutoff, padded, moments],
            device,
        )
        blocks = -(-count // cut.gradient_block)
        by_parameters = [torch.empty_like(x) for x in gaussians[:4]]
        by_transforms = torch.zeros(blocks, view_count, groups, 3, 4, dtype=torch.float64, device=device)
        launch(
            kernels.gradient,
            blocks,
            [
                *gaussians, count, cut.gradient_block, groups, view_count, cameras, moments,
                *by_parameters, by_transforms,
            ],
            device,
        )  # fmt: skip
        return *by_parameters, by_transforms.sum(0), None, None, None
