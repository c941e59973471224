"""The image of one rigid group of Gaussians together with its derivatives by the group's pose.

Second-order registration needs the six derivative images of every vertebra in every iteration. Automatic
differentiation would rasterize once per pose parameter; here all seven images share one pass over the pixels. With
``L = log(integral)``, a pose parameter changes a Gaussian's footprint by

    dL = d log(g) - (1/2) D^T dC D + (C D).de

(notation of `radgs_core.radgs.projection`; C is the conic): a polynomial of degree two in the pixel offset D, whose
six coefficients per Gaussian and parameter come from central differences of the projection in float64. The perspective
term s is exact in the image and taken as constant in the derivatives, which changes them by about one part in a
thousand.
"""

from dataclasses import dataclass

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3_about
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.projection import ProjectedGaussians, project
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA, pixel_bounds

DIFFERENCE_STEP = 1e-4
"""Of the central differences, mm and rad."""


@dataclass(frozen=True)
class PoseDerivatives:
    """A part of a line-integral image and its derivatives; zero outside of that part.

    Attributes:
        images: (7, h, w): the image, then its derivatives by the twist ``(v, omega)`` per mm and per rad.
        top, left: row and column of the part's first pixel in the whole image.
    """

    images: torch.Tensor
    top: int
    left: int


@torch.no_grad()
def rasterize_with_pose_derivatives(
    gaussians: RadiativeGaussians,
    camera: XrayCamera,
    T_reference_group: torch.Tensor,
    centre_mm: torch.Tensor,
    *,
    cutoff_sigma: float = DEFAULT_CUTOFF_SIGMA,
) -> PoseDerivatives:
    """Rasterize one rigid group with the derivatives by a small motion of it.

    Args:
        gaussians: N Gaussians in the group's frame, mm.
        camera: the view.
        T_reference_group: (4, 4) float64 pose of the group, mm.
        centre_mm: (3,) float64 point of the reference frame. The twist acts from the left, in the reference frame,
            about this point: ``p -> centre + exp(twist) (p - centre)``.
        cutoff_sigma: half width of a footprint, in standard deviations.

    Returns:
        The covered part of the image, (7, h, w); h and w are 0 where nothing is visible.
    """
    dtype = gaussians.means_mm.dtype
    steps = torch.cat([torch.zeros(1, 6), DIFFERENCE_STEP * torch.eye(6), -DIFFERENCE_STEP * torch.eye(6)]).to(
        centre_mm
    )
    offsets = exp_se3_about(steps, centre_mm)
    T_camera_group = torch.tensor(camera.T_camera_reference).to(offsets) @ offsets @ T_reference_group
    # 13 projections in float64, where central differences are good to eight digits, cost less than one pass over pixels
    p = project(gaussians.to(torch.float64), T_camera_group[:, None])
    d_centre, d_gain, d_conic = (
        ((x[1:7] - x[7:]) / (2 * DIFFERENCE_STEP)).transpose(0, 1).to(dtype) for x in (p.centre, p.gain_mm, p.conic)
    )
    here = (p.centre, p.gain_mm, p.conic, p.slope, p.bend, p.depth_mm)
    projected = ProjectedGaussians(*(x[0].to(dtype) for x in here))
    coefficients = _polynomials(projected, d_centre, d_gain, d_conic)
    return _accumulate(projected, coefficients, camera, cutoff_sigma)


def _polynomials(
    projected: ProjectedGaussians, d_centre: torch.Tensor, d_gain: torch.Tensor, d_conic: torch.Tensor
) -> torch.Tensor:
    """(N, 6, 7) coefficients of (1, x, y, x^2, xy, y^2) of the factor that turns a footprint into each channel."""
    n = projected.gain_mm.shape[0]
    result = projected.gain_mm.new_zeros(n, 6, 7)
    result[:, 0, 0] = 1
    result[:, 0, 1:] = d_gain / projected.gain_mm[:, None]
    xx, xy, yy = (projected.conic[:, None, k] for k in range(3))
    result[:, 1, 1:] = xx * d_centre[..., 0] + xy * d_centre[..., 1]
    result[:, 2, 1:] = xy * d_centre[..., 0] + yy * d_centre[..., 1]
    result[:, 3, 1:] = -0.5 * d_conic[..., 0]
    result[:, 4, 1:] = -d_conic[..., 1]
    result[:, 5, 1:] = -0.5 * d_conic[..., 2]
    return result


def _accumulate(
    projected: ProjectedGaussians, coefficients: torch.Tensor, camera: XrayCamera, cutoff_sigma: float
) -> PoseDerivatives:
    (column0, column1), (row0, row1) = pixel_bounds(projected, camera, cutoff_sigma)
    drawn = (column1 >= column0) & (row1 >= row0) & (projected.gain_mm != 0)
    if not drawn.any():
        return PoseDerivatives(coefficients.new_zeros(7, 0, 0), 0, 0)
    left, top = int(column0[drawn].min()), int(row0[drawn].min())
    width, height = int(column1[drawn].max()) - left + 1, int(row1[drawn].max()) - top + 1
    canvas = coefficients.new_zeros(height * width, 7)
    inverse_matrix = torch.linalg.inv(torch.tensor(camera.camera_matrix)).to(coefficients)
    extent = torch.maximum(column1 - column0, row1 - row0) + 1
    for size in _patch_sizes(extent[drawn]):
        chosen = drawn & (extent <= size)
        drawn = drawn & (extent > size)
        index = chosen.nonzero()[:, 0]
        offset = torch.arange(size, device=coefficients.device)
        column = column0[index, None, None] + offset[None, None, :]
        row = row0[index, None, None] + offset[None, :, None]
        inside = (column <= column1[index, None, None]) & (row <= row1[index, None, None])
        x = inverse_matrix[0, 0] * column + inverse_matrix[0, 1] * row + inverse_matrix[0, 2]
        y = (inverse_matrix[1, 1] * row + inverse_matrix[1, 2]).expand_as(x)
        dx = x - projected.centre[index, 0, None, None]
        dy = y - projected.centre[index, 1, None, None]
        basis = torch.stack([torch.ones_like(dx), dx, dy, dx * dx, dx * dy, dy * dy], -1).flatten(1, 2)
        double_off_diagonal = torch.tensor([1.0, 2.0, 1.0]).to(dx)
        q = (basis[..., 3:] @ (projected.conic[index] * double_off_diagonal)[..., None])[..., 0]
        s_terms = torch.cat([2 * projected.slope[index], projected.bend[index] * double_off_diagonal], -1)
        s = 1 + (basis[..., 1:] @ s_terms[..., None])[..., 0]
        value = (1 + x * x + y * y).sqrt().flatten(1) * s.rsqrt() * (-0.5 * q / s).exp()
        value = value * projected.gain_mm[index, None] * (inside.flatten(1) & (q <= cutoff_sigma**2 * s))
        channels = (basis @ coefficients[index]) * value[..., None]
        pixel = ((row - top).clamp(max=height - 1) * width + (column - left).clamp(max=width - 1)).flatten()
        canvas.index_add_(0, pixel, channels.reshape(-1, 7))
    return PoseDerivatives(canvas.T.reshape(7, height, width), top, left)


def _patch_sizes(extents: torch.Tensor) -> list[int]:
    """Ascending patch sizes: Gaussians of similar footprint are drawn together, wasting about half the pixels."""
    sizes = []
    size = 4
    largest = int(extents.max())
    while size < largest:
        sizes.append(size)
        size = max(size + 1, int(size * 1.25))
    return [*sizes, largest] if largest > (sizes[-1] if sizes else 0) else sizes
