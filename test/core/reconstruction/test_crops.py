"""Crops against ray casting through the turned camera, and derivatives of places against differences."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import inverse, rotation_about, transform_points
from radgs_core.reconstruction.crops import (
    LOCAL,
    OWN,
    TYPICAL_EXCESS,
    USABLE,
    CropSize,
    crop_levels,
    seen_places,
    turned_towards,
)
from radgs_core.reconstruction.places import PLACES, places_mm
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import excess_attenuation, linear_attenuation
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.normalisation import normalised
from radgs_core.xray.observation import Observation
from radgs_core.xray.raycast import RayCastVolume

SIZE = CropSize(32, 64.0)
CARM = CArm(size=256, pixel_mm=0.8)


@pytest.fixture(scope="module")
def volume(phantom: tuple[Volume, object]) -> RayCastVolume:
    ct = phantom[0]
    return RayCastVolume.from_volume(Volume(linear_attenuation(ct.data), ct.T_ct_voxel))


@pytest.fixture(scope="module")
def pose(phantom_case: Case) -> NDArray[np.float64]:
    return rotation_about(np.zeros(3), np.array([3.0, -5, 4, 0.1, 0.05, -0.08])) @ body_pose(phantom_case, ["T12"])


@pytest.fixture(scope="module")
def observations(volume: RayCastVolume, pose: NDArray[np.float64]) -> list[Observation]:
    views = biplanar_geometry(CARM, (5.0, -8.0), (84.0, 6.0)).views.values()
    return [seen(volume, camera, pose) for camera in views]


def seen(volume: RayCastVolume, camera: XrayCamera, pose: NDArray[np.float64]) -> Observation:
    image = volume.line_integral(camera, torch.as_tensor(pose))
    return Observation(camera, image, torch.ones_like(image))


def test_a_crop_is_what_a_turned_camera_sees(
    phantom_case: Case, volume: RayCastVolume, observations: list[Observation], pose: NDArray[np.float64]
) -> None:
    vertebrae = list(phantom_case.levels.values())
    crops = crop_levels(
        observations,
        observations,
        [vertebra.gaussians for vertebra in vertebrae],
        np.stack([vertebra.T_ct_vertebra for vertebra in vertebrae]),
        np.stack([places_mm(vertebra) for vertebra in vertebrae]),
        np.stack([pose, pose]),
        SIZE,
    )
    assert crops.images.shape[:3] == (2, 2, 7) and crops.places.shape == (2, 2, PLACES, 2)
    for level in range(2):
        for view in range(2):
            camera = crops.cameras[level][view]
            np.testing.assert_allclose(camera.source_mm, observations[view].camera.source_mm)
            origin = (pose @ vertebrae[level].T_ct_vertebra)[:3, 3]
            np.testing.assert_allclose(camera.project(origin[None])[0], (SIZE.px - 1) / 2, atol=1e-9)
            above = transform_points(pose @ vertebrae[level].T_ct_vertebra, np.array([[0.0, 0, 10]]))
            column, row = camera.project(above)[0] - (SIZE.px - 1) / 2
            assert row < -3 and abs(column) < 1e-6  # upright
            cast = seen(volume, camera, pose)
            expected = normalised(cast.line_integral[None], cast.usable[None], SIZE.window_px)[0, :2]
            assert (crops.images[level, view, USABLE] == 1).all()
            for channel in range(2):
                got = crops.images[level, view, channel]
                correlation = np.corrcoef(got.flatten(), expected[channel].flatten())[0, 1]
                assert correlation > 0.99, (level, view, channel)
            vertebra = vertebrae[level]
            excess = Volume(
                excess_attenuation(vertebra.bone_hu.data, vertebra.fill_hu.data), vertebra.bone_hu.T_ct_voxel
            )
            cast = seen(RayCastVolume.from_volume(excess), camera, pose).line_integral / TYPICAL_EXCESS
            own = crops.images[level, view, OWN]
            assert (own - cast).abs().mean() < 0.1 * cast.mean()


def test_nothing_outside_the_image_is_usable(
    phantom_case: Case, observations: list[Observation], pose: NDArray[np.float64]
) -> None:
    vertebra = phantom_case.levels["T12"]
    aside = np.eye(4)
    aside[2, 3] = 75.0  # towards the head
    far = pose @ aside
    crops = crop_levels(
        observations,
        observations,
        [vertebra.gaussians],
        vertebra.T_ct_vertebra[None],
        places_mm(vertebra)[None],
        far[None],
        SIZE,
    )
    for view, camera in enumerate(crops.cameras[0]):
        row, column = np.mgrid[: SIZE.px, : SIZE.px]
        directions = np.stack([column, row, np.ones_like(row)], -1) @ np.linalg.inv(camera.camera_matrix).T
        points = camera.source_mm + 900 * directions @ camera.T_reference_camera[:3, :3].T
        pixels = observations[view].camera.project(points.reshape(-1, 3)).reshape(*row.shape, 2)
        outside = ((pixels < -1) | (pixels > CARM.size)).any(-1)
        inside = ((pixels > 1) & (pixels < CARM.size - 2)).all(-1)
        assert outside.any() and inside.any()
        usable = crops.images[0, view, USABLE].numpy()
        assert (usable[outside] == 0).all() and (usable[inside] == 1).all()
        assert (crops.images[0, view, LOCAL].numpy()[outside] == 0).all()


def test_derivatives_of_places(phantom_case: Case, observations: list[Observation], pose: NDArray[np.float64]) -> None:
    vertebra = phantom_case.levels["L1"]
    places = places_mm(vertebra)[None]
    T_reference_vertebra = (pose @ vertebra.T_ct_vertebra)[None]
    crops = crop_levels(
        observations, observations, [vertebra.gaussians], vertebra.T_ct_vertebra[None], places, pose[None], SIZE
    )
    cameras = [[turned_towards(o.camera, T_reference_vertebra[0], SIZE) for o in observations]]
    step = 1e-2
    for number in range(6):
        twist = np.zeros(6)
        twist[number] = step if number < 3 else step / 40
        moved, back = (
            seen_places(cameras, T_reference_vertebra @ rotation_about(np.zeros(3), sign * twist), places).double()
            for sign in (1, -1)
        )
        difference = (moved - back) * SIZE.mm / 2 / (2 * twist[number])
        torch.testing.assert_close(crops.place_motion[..., number].double(), difference, atol=0.15, rtol=2e-2)
    torch.testing.assert_close(crops.places, seen_places(cameras, T_reference_vertebra, places))
    np.testing.assert_allclose(crops.directions[0, :, :3].norm(dim=-1), 1.0, rtol=1e-6)
    source = (inverse(T_reference_vertebra[0]) @ np.r_[observations[0].camera.source_mm, 1])[:3]
    np.testing.assert_allclose(crops.directions[0, 0, :3], source / np.linalg.norm(source), rtol=1e-5)
