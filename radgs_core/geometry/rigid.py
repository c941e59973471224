"""Rigid transforms, SE(3).

Convention: ``T_target_source`` is a 4x4 matrix that maps column points of ``source`` into ``target``,
``p_target = T_target_source @ p_source``. Twists are ``(v, omega)``: translation first, then rotation, in
millimetres and radians.
"""

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from radgs_core.errors import InputError

RIGIDITY_TOLERANCE = 1e-4
"""Largest accepted deviation of ``R^T R`` from the identity: what five printed decimals leave of a rotation."""


def checked_rigid(matrix: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return ``matrix`` as a proper rigid transform, its rotation made exactly orthonormal.

    Args:
        matrix: (4, 4), translation in mm.
        name: what the user calls this transform, with its file or topic.

    Returns:
        (4, 4) float64, read-only.

    Raises:
        InputError: not 4x4, not finite, not rigid, or a reflection.
    """
    try:
        transform = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a 4x4 matrix of numbers.") from error
    if transform.shape != (4, 4):
        raise InputError(f"{name} must be a 4x4 matrix, but its shape is {transform.shape}.")
    if not np.isfinite(transform).all():
        raise InputError(f"{name} holds NaN or infinite numbers; give a finite 4x4 rigid transform.")
    rotation = transform[:3, :3]
    if not np.array_equal(transform[3], [0, 0, 0, 1]) or not np.allclose(
        rotation.T @ rotation, np.eye(3), atol=RIGIDITY_TOLERANCE
    ):
        raise InputError(f"{name} is not a rigid transform; its rotation must be orthonormal and its last row 0 0 0 1.")
    if np.linalg.det(rotation) < 0:
        raise InputError(f"{name} mirrors space (its determinant is negative); give a right-handed rotation.")
    u, _, vt = np.linalg.svd(rotation)
    transform[:3, :3] = u @ vt
    transform.flags.writeable = False
    return transform


def inverse(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert rigid transforms (..., 4, 4): ``T_source_target`` from ``T_target_source``."""
    result = np.zeros_like(transform)
    rotation_t = np.swapaxes(transform[..., :3, :3], -1, -2)
    result[..., :3, :3] = rotation_t
    result[..., :3, 3] = -(rotation_t @ transform[..., :3, 3, None])[..., 0]
    result[..., 3, 3] = 1.0
    return result


def transform_points(transform: NDArray[np.float64], points: NDArray) -> NDArray[np.float64]:
    """Map points (..., 3) by a rigid transform (4, 4)."""
    return points @ transform[:3, :3].T + transform[:3, 3]


def exp_se3(twist: torch.Tensor) -> torch.Tensor:
    """Exponential map of twists (..., 6) ``(v, omega)`` in mm and rad to transforms (..., 4, 4), by Rodrigues' formula.

    ``torch.linalg.matrix_exp`` would do the same, but loses four digits in float32.
    """
    v, omega = twist[..., :3], twist[..., 3:]
    theta2 = (omega * omega).sum(-1)[..., None, None]
    # the closed forms divide differences of nearly equal numbers by theta^2 and theta^3: at small angles their values
    # and gradients lose digits (all of them in float32 at 1e-3 rad), while the series below is exact in float64
    small = theta2 < 1
    safe2 = torch.where(small, torch.ones_like(theta2), theta2)
    theta = safe2.sqrt()
    a = torch.where(small, _series(theta2, 1), theta.sin() / theta)
    b = torch.where(small, _series(theta2, 2), (1 - theta.cos()) / safe2)
    c = torch.where(small, _series(theta2, 3), (theta - theta.sin()) / (safe2 * theta))
    skew = _skew(omega)
    skew2 = skew @ skew
    eye = torch.eye(3, dtype=twist.dtype, device=twist.device)
    rotation = eye + a * skew + b * skew2
    translation = (eye + b * skew + c * skew2) @ v[..., None]
    top = torch.cat([rotation, translation], -1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1
    return torch.cat([top, bottom], -2)


def exp_se3_about(twist: torch.Tensor, centre_mm: torch.Tensor) -> torch.Tensor:
    """Motions (..., 4, 4) ``p -> centre + exp(twist) (p - centre)`` of twists (..., 6) about points (..., 3), mm."""
    motion = exp_se3(twist)
    turned = (motion[..., :3, :3] @ centre_mm[..., None])[..., 0]
    motion[..., :3, 3] += centre_mm - turned
    return motion


def displacement_jacobian(arms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Derivative (N, 3, 6) of the displacement ``v + omega x r`` of points at arms (N, 3) from the centre of a small
    twist ``(v, omega)``, mm per mm and per rad."""
    x, y, z = arms.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    return np.stack(
        [
            np.stack([one, zero, zero, zero, z, -y], -1),
            np.stack([zero, one, zero, -z, zero, x], -1),
            np.stack([zero, zero, one, y, -x, zero], -1),
        ],
        1,
    )


def log_se3(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twist (6,) ``(v, omega)``, mm and rad, whose exponential is ``transform`` (4, 4); below 180 degrees."""
    omega = Rotation.from_matrix(transform[:3, :3]).as_rotvec()
    # exp maps v to V v + 0, with V the matrix that its translation column applies
    unit = np.zeros((3, 6))
    unit[:, :3] = np.eye(3)
    unit[:, 3:] = omega
    left_jacobian = exp_se3(torch.as_tensor(unit))[:, :3, 3].numpy().T
    return np.r_[np.linalg.solve(left_jacobian, transform[:3, 3]), omega]


def rotation_angle_deg(transform: NDArray[np.float64]) -> float:
    """Angle of the rotation of a rigid transform (4, 4), in degrees."""
    rotation = transform[:3, :3]
    # atan2 of the sine (skew part) and cosine (trace) keeps its accuracy near 0 and 180 degrees
    sine = np.linalg.norm(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    return float(np.degrees(np.arctan2(sine, np.trace(rotation) - 1)))


def rotation_about(centre: NDArray[np.float64], twist: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rigid offset (4, 4): rotate by ``twist[3:]`` rad about ``centre`` (3,) in mm, then shift by ``twist[:3]`` mm."""
    rotation = exp_se3(torch.as_tensor(np.r_[0, 0, 0, twist[3:]], dtype=torch.float64)).numpy()
    offset = rotation.copy()
    offset[:3, 3] = centre - rotation[:3, :3] @ centre + twist[:3]
    return offset


def _series(theta2: torch.Tensor, first: int) -> torch.Tensor:
    """``1/first! - theta^2/(first + 2)! + theta^4/(first + 4)! - ...``, as many terms as float64 sees for theta < 1."""
    total = torch.zeros_like(theta2)
    for power in reversed(range(9)):
        total = (-1) ** power / math.factorial(first + 2 * power) + theta2 * total
    return total


def _skew(omega: torch.Tensor) -> torch.Tensor:
    x, y, z = omega.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*omega.shape[:-1], 3, 3)
