"""Perspective projection of radiative Gaussians: per Gaussian and view, the constants of its exact line integral.

With the X-ray source at the origin of the camera frame and a pixel's ray ``d = (x, y, 1)`` (normalised image
coordinates), a Gaussian with centre ``m``, inverse covariance ``A`` and peak density ``rho`` adds

    integral(d) = |d| g s^(-1/2) exp(-Q / (2 s))

to that pixel, where ``e = m / m_z``, ``D = d - e``, ``c = e^T A e``, ``b = A e`` and

    g = rho sqrt(2 pi / c)
    s = d^T A d / c = 1 + 2 D.b / c + D^T A D / c
    Q = m_z^2 (D^T A D - (D.b)^2 / c)

This is the integral along the whole line, exact under perspective: completing the square of the exponent in the depth
along the ray gives the textbook form ``m^T A m - (d^T A m)^2 / d^T A d``, and writing it in ``D``, which has no third
component, avoids that form's cancellation in float32.
"""

import math
from dataclasses import dataclass

import torch

from radgs_core.radgs.gaussians import RadiativeGaussians

MIN_DEPTH_MM = 1.0
"""Gaussians nearer to the X-ray source than this are not drawn: their perspective footprint is unbounded."""


@dataclass(frozen=True)
class ProjectedGaussians:
    """Line-integral constants of N Gaussians in one view; normalised image coordinates.

    Attributes:
        centre: (N, 2) ``e``, projected centres.
        gain_mm: (N,) ``g``, line integral at the centre for a unit ray direction.
        conic: (N, 3) upper triangle (xx, xy, yy) of the matrix of ``Q``.
        slope: (N, 2) ``b / c``.
        bend: (N, 3) upper triangle of ``A / c``, its third row and column dropped.
        depth_mm: (N,) ``m_z``.
    """

    centre: torch.Tensor
    gain_mm: torch.Tensor
    conic: torch.Tensor
    slope: torch.Tensor
    bend: torch.Tensor
    depth_mm: torch.Tensor


def rotation_matrices(quaternions: torch.Tensor) -> torch.Tensor:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4) ``(w, x, y, z)``, normalised here."""
    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=-1).unbind(-1)
    return torch.stack(
        [
            1 - 2 * (y * y + z * z),
            2 * (x * y - w * z),
            2 * (x * z + w * y),
            2 * (x * y + w * z),
            1 - 2 * (x * x + z * z),
            2 * (y * z - w * x),
            2 * (x * z - w * y),
            2 * (y * z + w * x),
            1 - 2 * (x * x + y * y),
        ],
        -1,
    ).reshape(*quaternions.shape[:-1], 3, 3)


def project(gaussians: RadiativeGaussians, T_camera_gaussian: torch.Tensor) -> ProjectedGaussians:
    """Project Gaussians into a view.

    Args:
        gaussians: N Gaussians.
        T_camera_gaussian: (4, 4) or (N, 4, 4) rigid, mm: the Gaussians' frame into the camera's optical frame.

    Returns:
        The constants of the formula above, differentiable in every input.
    """
    rotation = T_camera_gaussian[..., :3, :3]
    m = (rotation @ gaussians.means_mm[..., None])[..., 0] + T_camera_gaussian[..., :3, 3]
    # rows of `root` are the principal axes over their scales, so that A = root^T root
    axes = rotation @ rotation_matrices(gaussians.quaternions)
    root = axes.transpose(-1, -2) / gaussians.scales_mm[..., None]
    depth = m[..., 2]
    e = m / depth[..., None]
    root_e = (root @ e[..., None])[..., 0]
    c = (root_e * root_e).sum(-1)
    b = (root_e[..., None, :] @ root)[..., 0, :2]
    r = root[..., :2]
    a = torch.stack([(r[..., 0] ** 2).sum(-1), (r[..., 0] * r[..., 1]).sum(-1), (r[..., 1] ** 2).sum(-1)], -1)
    bb = torch.stack([b[..., 0] ** 2, b[..., 0] * b[..., 1], b[..., 1] ** 2], -1)
    return ProjectedGaussians(
        centre=e[..., :2],
        gain_mm=gaussians.densities_per_mm * (2 * math.pi / c).sqrt(),
        conic=depth[..., None] ** 2 * (a - bb / c[..., None]),
        slope=b / c[..., None],
        bend=a / c[..., None],
        depth_mm=depth,
    )
