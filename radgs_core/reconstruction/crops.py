"""What the networks see of one level: both X-rays through cameras turned towards it, and its CT as it is expected.

A crop is what a small detector, turned towards the vertebra and upright on it, would have taken from the same source.
So a crop does not change when C-arm and patient move together; what is left of the view's direction is given as
numbers. Further channels show what is expected there: body and vertebrae at the poses that are to be corrected, the
level itself, and the other levels, which overlap it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import displacement_jacobian, inverse, transform_points
from radgs_core.radgs import RadiativeGaussians, rasterize
from radgs_core.radgs.gaussians import joined
from radgs_core.radgs.pose_derivatives import RigidGroups
from radgs_core.reconstruction.alignment import alignment, in_vertebra_frame
from radgs_core.reconstruction.matching import matching
from radgs_core.xray import normalisation
from radgs_core.xray.observation import Observation
from radgs_core.xray.reprojection import reproject

CHANNELS = normalisation.CHANNELS + 4
LOCAL, USABLE, EVERYTHING, AROUND, OWN = 1, 2, 3, 4, 5
"""Channels: local contrast of the X-ray, where it is usable, local contrast of all that is expected and of all of it
but the level; line integrals of the level. The first is the X-ray's whole range, the last the other levels."""
WINDOW_MM = 20.0
TYPICAL_EXCESS = 0.5
"""Line integral through a vertebra, in excess of soft tissue: brings its rendering to the other channels' size."""
TYPICAL_DISTANCE_MM = 700.0
DIRECTION_NUMBERS = 4


@dataclass(frozen=True)
class CropSize:
    """Of a square crop.

    Attributes:
        px: pixels along each side.
        mm: length of a side at the vertebra's depth.
    """

    px: int
    mm: float

    @property
    def window_px(self) -> int:
        """Odd width of the windows in which local contrast is taken."""
        return 2 * round(WINDOW_MM / self.mm * self.px / 2) + 1


@dataclass(frozen=True)
class Crops:
    """Both views of L levels.

    Attributes:
        images: (L, 2, CHANNELS, px, px) float32.
        directions: (L, 2, 4) float32: unit vector to the X-ray source in the frame of the vertebra where it is
            expected, and its distance relative to ``TYPICAL_DISTANCE_MM``, less 1.
        places: (L, 2, 27, 2) float32: where `places_mm` are expected in the crops, columns and rows from -1 to 1.
        place_motion: (L, 2, 27, 2, 6) float32: their derivative by a twist of the vertebra in its own frame about its
            origin, mm at the vertebra's depth per mm and per rad.
        matching: (L, 2, 28, SHIFTS) float32: how well the X-ray fits what is expected (see `matching`).
        alignment: (L, 2, R, 6, 7) float32: normal equations of a twist of the vertebra in its own frame about
            its origin (see `alignment`).
        around: (L, 2, px, px) float32: line integrals of all that is expected there but the level itself.
        cameras: per level the two cameras, in the reference frame.
    """

    images: torch.Tensor
    directions: torch.Tensor
    places: torch.Tensor
    place_motion: torch.Tensor
    matching: torch.Tensor
    alignment: torch.Tensor
    around: torch.Tensor
    cameras: Sequence[Sequence[XrayCamera]]


def crop_levels(
    observations: Sequence[Observation],
    expected_body: Sequence[Observation],
    vertebrae: Sequence[RadiativeGaussians],
    T_ct_vertebra: NDArray[np.float64],
    places_mm: NDArray[np.float64],
    T_reference_ct: NDArray[np.float64],
    size: CropSize,
) -> Crops:
    """Crops of all levels at expected poses.

    Args:
        observations: AP and lateral.
        expected_body: from the same sources, the line integrals of the body without the levels, where it is expected.
        vertebrae: the Gaussians of each level, CT frame.
        T_ct_vertebra: (L, 4, 4) mm.
        places_mm: (L, 27, 3) of each vertebra, vertebra frame.
        T_reference_ct: (L, 4, 4) where each level is expected, mm.
        size: of the crops.
    """
    T_reference_vertebra = T_reference_ct @ T_ct_vertebra
    cameras = [[turned_towards(o.camera, pose, size) for o in observations] for pose in T_reference_vertebra]
    expected = _expected(vertebrae, T_reference_ct, cameras)
    derivatives = _derivatives(vertebrae, T_reference_ct, T_reference_vertebra, cameras)
    equations = []
    images = torch.empty(len(cameras), len(observations), CHANNELS, size.px, size.px)
    around = torch.empty(len(cameras), len(observations), size.px, size.px)
    for view, (observation, body) in enumerate(zip(observations, expected_body, strict=True)):
        turned = [pair[view] for pair in cameras]
        seen = reproject(observation, turned)
        around[:, view] = reproject(body, turned).line_integral + expected[:, view, 1]
        everything = around[:, view] + expected[:, view, 0]
        images[:, view, :3] = normalisation.normalised(seen.line_integral, seen.usable, size.window_px)
        images[:, view, AROUND], _ = normalisation.local_contrast(around[:, view], seen.usable, size.window_px)
        images[:, view, EVERYTHING], spread = normalisation.local_contrast(everything, seen.usable, size.window_px)
        contrasts = images[:, view, LOCAL], images[:, view, EVERYTHING]
        equations.append(alignment(*contrasts, spread, seen.usable, derivatives[:, view]))
        images[:, view, OWN:] = expected[:, view] / TYPICAL_EXCESS
    sources = np.stack(
        [[transform_points(inverse(pose), o.camera.source_mm) for o in observations] for pose in T_reference_vertebra]
    )
    distance = np.linalg.norm(sources, axis=-1, keepdims=True)
    directions = np.concatenate([sources / distance, distance / TYPICAL_DISTANCE_MM - 1], -1)
    places = seen_places(cameras, T_reference_vertebra, places_mm)
    local, surrounding, own = (images[:, :, channel].flatten(0, 1) for channel in (LOCAL, AROUND, OWN))
    return Crops(
        images,
        torch.as_tensor(directions, dtype=torch.float32),
        places,
        _place_motion(cameras, T_reference_vertebra, places_mm, size),
        matching(local, surrounding, own, places.flatten(0, 1), size.mm).unflatten(0, (len(cameras), -1)),
        in_vertebra_frame(torch.stack(equations, 1), T_reference_vertebra),
        around,
        cameras,
    )


def seen_places(
    cameras: Sequence[Sequence[XrayCamera]], T_reference_vertebra: NDArray[np.float64], places_mm: NDArray[np.float64]
) -> torch.Tensor:
    """(L, 2, 27, 2) columns and rows, -1 to 1 between the borders of the crop, of places (L, 27, 3)."""
    pixels = [
        [(camera.project(transform_points(pose, places)) + 0.5) / camera.width for camera in pair]
        for pair, pose, places in zip(cameras, T_reference_vertebra, places_mm, strict=True)
    ]
    return torch.as_tensor(2 * np.array(pixels) - 1, dtype=torch.float32)


def turned_towards(camera: XrayCamera, T_reference_vertebra: NDArray[np.float64], size: CropSize) -> XrayCamera:
    """A camera at the same source whose axis goes through a vertebra's origin, the vertebra upright in its image."""
    return upright_camera(camera.source_mm, T_reference_vertebra, size.mm, size.px, camera.name)


def upright_camera(
    source_mm: NDArray[np.float64], T_frame_vertebra: NDArray[np.float64], mm: float, px: int, name: str = "camera"
) -> XrayCamera:
    """A camera at a source (3,) whose axis goes through a vertebra's origin, the vertebra upright in its image.

    Args:
        source_mm: in the frame.
        T_frame_vertebra: (4, 4) mm.
        mm: length of a side at the vertebra's depth.
        px: pixels along each side.
        name: for error messages.
    """
    towards = T_frame_vertebra[:3, 3] - source_mm
    distance = float(np.linalg.norm(towards))
    z = towards / distance
    inferior = -T_frame_vertebra[:3, 2]
    y = inferior - (inferior @ z) * z
    y /= np.linalg.norm(y)
    T_frame_camera = np.eye(4)
    T_frame_camera[:3, :3] = np.stack([np.cross(y, z), y, z], 1)
    T_frame_camera[:3, 3] = source_mm
    focal, centre = distance * px / mm, (px - 1) / 2
    matrix = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1]])
    return XrayCamera(px, px, matrix, T_frame_camera, name=name)


def _place_motion(
    cameras: Sequence[Sequence[XrayCamera]],
    T_reference_vertebra: NDArray[np.float64],
    places_mm: NDArray[np.float64],
    size: CropSize,
) -> torch.Tensor:
    motions = []
    for pair, pose, places in zip(cameras, T_reference_vertebra, places_mm, strict=True):
        moved = displacement_jacobian(places)
        for camera in pair:
            T_camera_vertebra = camera.T_camera_reference @ pose
            u, v, depth = transform_points(T_camera_vertebra, places).T
            in_camera = T_camera_vertebra[:3, :3] @ moved
            projected = in_camera[:, :2] - np.stack([u, v], -1)[..., None] * in_camera[:, 2:] / depth[:, None, None]
            mm_per_pixel = size.mm / size.px
            motions.append(camera.camera_matrix[0, 0] * mm_per_pixel * projected / depth[:, None, None])
    return torch.as_tensor(np.stack(motions), dtype=torch.float32).unflatten(0, (len(cameras), -1))


def _expected(
    vertebrae: Sequence[RadiativeGaussians],
    T_reference_ct: NDArray[np.float64],
    cameras: Sequence[Sequence[XrayCamera]],
) -> torch.Tensor:
    """(L, 2, 2, px, px) line integrals of each level itself, and of all others, in its cameras."""
    poses = torch.as_tensor(T_reference_ct)
    together, group = joined(vertebrae)
    flat = [camera for pair in cameras for camera in pair]
    everything = torch.stack(rasterize(together, flat, poses, group)).unflatten(0, (len(cameras), -1))
    own = torch.stack(
        [
            torch.stack(rasterize(gaussians, pair, poses[level : level + 1]))
            for level, (gaussians, pair) in enumerate(zip(vertebrae, cameras, strict=True))
        ]
    )
    return torch.stack([own, everything - own], 2)


def _derivatives(
    vertebrae: Sequence[RadiativeGaussians],
    T_reference_ct: NDArray[np.float64],
    T_reference_vertebra: NDArray[np.float64],
    cameras: Sequence[Sequence[XrayCamera]],
) -> torch.Tensor:
    """(L, 2, 6, px, px) derivatives of each level's line integrals by its twist in the reference frame's axes about the
    vertebra's origin."""
    out = torch.zeros(len(cameras), len(cameras[0]), 6, cameras[0][0].height, cameras[0][0].width)
    for level, (gaussians, pair) in enumerate(zip(vertebrae, cameras, strict=True)):
        group = RigidGroups([gaussians])
        pose = torch.as_tensor(T_reference_ct[level : level + 1])
        centre = torch.as_tensor(T_reference_vertebra[level : level + 1, :3, 3])
        for view, camera in enumerate(pair):
            (part,) = group.rasterize(camera, pose, centre)
            visible, rows, columns = part.inside(part.images[1:], camera.height, camera.width)
            out[level, view, :, rows, columns] = visible
    return out
