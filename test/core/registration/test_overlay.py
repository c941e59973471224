import dataclasses

import numpy as np
import pytest

from radgs_core.geometry.rigid import transform_points
from radgs_core.registration.overlay import draw_overlay
from radgs_core.xray.carm import CArm, body_pose
from radgs_core.xray.observation import observe


@pytest.fixture
def camera():
    return CArm(pixel_mm=1.0, size=256).camera(name="ap")


def coloured(picture: np.ndarray) -> np.ndarray:
    """Which pixels are not grey."""
    return np.ptp(picture.astype(int), axis=2) > 20


def some_image() -> np.ndarray:
    return np.random.default_rng(0).poisson(1000, (256, 256)).astype(np.uint16)


def test_an_outline_bounds_the_projected_vertebra(phantom_case, camera):
    T_reference_ct = body_pose(phantom_case, ["L1"])
    picture = draw_overlay(observe(some_image(), camera), phantom_case, {"L1": T_reference_ct})
    pixels = camera.project(transform_points(T_reference_ct, phantom_case.levels["L1"].mesh_vertices_mm))
    rows, columns = np.nonzero(coloured(picture))
    outline = columns <= pixels[:, 0].max() + 2  # the name is written to the right of it
    np.testing.assert_allclose([columns.min(), rows[outline].min()], pixels.min(0), atol=1.5)
    np.testing.assert_allclose(rows[outline].max(), pixels[:, 1].max(), atol=1.5)
    centre = np.round(pixels.mean(0)).astype(int)
    assert not coloured(picture)[centre[1], centre[0]], "an outline, not an area"


def test_every_level_has_a_colour_of_its_own_and_before_is_dimmer(phantom_case, camera):
    pose = body_pose(phantom_case, ["T12", "L1"])

    def colours(label: str, **drawn) -> set[tuple[int, ...]]:
        picture = draw_overlay(observe(some_image(), camera), phantom_case, **drawn)
        return {tuple(map(int, c)) for c in picture[coloured(picture)]}

    brightest = {k: max(map(max, colours(k, poses={k: pose}))) for k in ("T12", "L1")}
    assert colours("T12", poses={"T12": pose}).isdisjoint(colours("L1", poses={"L1": pose}))
    for label in ("T12", "L1"):
        dim = colours(label, poses={}, before={label: pose})
        assert dim
        assert max(map(max, dim)) < brightest[label]


def test_bone_is_bright_whatever_the_pixels_mean(phantom_case):
    camera = CArm(pixel_mm=1.0, size=64).camera()
    line_integral = np.random.default_rng(0).normal(4.0, 0.02, (64, 64)).astype(np.float32)
    line_integral[20:40, 20:40] += 1.0
    for intensity, image in (("transmission", 60000 * np.exp(-line_integral)), ("attenuation", line_integral)):
        view = dataclasses.replace(camera, intensity=intensity)
        picture = draw_overlay(observe(image, view), phantom_case, {})
        assert (picture.shape, picture.dtype) == ((64, 64, 3), np.uint8)
        assert picture[24:36, 24:36].mean() > picture[4:16, 4:16].mean() + 20


def test_a_vertebra_behind_the_source_or_off_the_image_is_not_drawn(phantom_case, camera):
    pose = body_pose(phantom_case, ["L1"])
    for shift in ([0, 0, 2000.0], [500.0, 0, 0]):
        away = pose.copy()
        away[:3, 3] += shift
        assert not coloured(draw_overlay(observe(some_image(), camera), phantom_case, {"L1": away})).any()
