"""From two ray-cast X-rays of a phantom to poses and verdicts."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.geometry.rigid import rotation_about, transform_points
from radgs_core.registration.pipeline import SpineRegistration, register
from radgs_core.registration.result import RegistrationResult
from radgs_core.xray import CArm, Physics, Simulator, bend, biplanar_geometry, body_pose

Images = dict[str, NDArray]
GEOMETRY = biplanar_geometry(CArm(size=128, pixel_mm=1.2))


@pytest.fixture(scope="module")
def truth(phantom_case: Case) -> dict[str, NDArray[np.float64]]:
    body = body_pose(phantom_case, list(phantom_case.levels))
    motions = bend(phantom_case, list(phantom_case.levels), 2.0, 2.0, np.random.default_rng(0))
    return {level: body @ motion for level, motion in motions.items()}


@pytest.fixture(scope="module")
def images(phantom_case: Case, truth: dict[str, NDArray[np.float64]]) -> Images:
    simulator = Simulator(phantom_case, GEOMETRY, body_pose(phantom_case, list(phantom_case.levels)))
    return simulator.expose(truth, Physics.plain(5000.0), np.random.default_rng(1))


@pytest.fixture
def start(phantom_case: Case) -> dict[str, NDArray[np.float64]]:
    """Everything 4 mm and 4 degrees wrong."""
    offset = rotation_about(np.zeros(3), np.r_[2.3, -2.3, 2.3, np.radians(4) / np.sqrt(3) * np.array([1, 1, -1])])
    pose = offset @ body_pose(phantom_case, list(phantom_case.levels))
    return dict.fromkeys(phantom_case.levels, pose)


def tre_mm(case: Case, result: RegistrationResult, truth: dict[str, NDArray[np.float64]], level: str) -> float:
    points = case.levels[level].surface_points_mm.astype(np.float64)
    error = transform_points(result.levels[level].T_reference_ct, points) - transform_points(truth[level], points)
    return float(np.linalg.norm(error, axis=1).mean())


def test_a_bent_spine_is_found_from_a_wrong_start(
    phantom_case: Case, images: Images, truth: dict[str, NDArray[np.float64]], start: dict[str, NDArray[np.float64]]
) -> None:
    fractions: list[float] = []
    result = register(phantom_case, images, GEOMETRY, start, progress=lambda f, message: fractions.append(f))
    assert result.reference == "carm_base"
    assert list(result.levels) == list(phantom_case.levels)
    for level in phantom_case.levels:
        before = np.linalg.norm(
            transform_points(start[level], phantom_case.levels[level].surface_points_mm)
            - transform_points(truth[level], phantom_case.levels[level].surface_points_mm),
            axis=1,
        ).mean()
        assert before > 3
        # along the axis of its cylindrical body only the spinous process shows how the phantom's vertebra is turned
        assert tre_mm(phantom_case, result, truth, level) < 0.8
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_only_the_levels_asked_for_are_reported(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    result = register(phantom_case, images, GEOMETRY, {"L1": start["L1"]}, levels=["L1"])
    assert list(result.levels) == ["L1"]


def test_the_same_input_gives_the_same_poses(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    first, second = (register(phantom_case, images, GEOMETRY, start) for _ in range(2))
    for level in phantom_case.levels:
        np.testing.assert_array_equal(first.levels[level].T_reference_ct, second.levels[level].T_reference_ct)


def test_registering_again_with_what_was_kept_changes_nothing(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    fresh = register(phantom_case, images, GEOMETRY, start)
    registration = SpineRegistration(phantom_case)
    registration.warm_up()
    swapped = {"ap": images["lateral"], "lateral": images["ap"]}
    registration.register(swapped, GEOMETRY, start)
    again = registration.register(images, GEOMETRY, start)
    for level in phantom_case.levels:
        np.testing.assert_array_equal(again.levels[level].T_reference_ct, fresh.levels[level].T_reference_ct)
        assert again.levels[level].expected_tre_mm == fresh.levels[level].expected_tre_mm


def test_the_number_of_threads_does_not_matter(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(register(phantom_case, images, GEOMETRY, start))
    finally:
        torch.set_num_threads(before)
    for level in phantom_case.levels:
        np.testing.assert_array_equal(*(result.levels[level].T_reference_ct for result in results))


def test_images_of_something_else_are_rejected(phantom_case: Case, start: dict[str, NDArray[np.float64]]) -> None:
    noise = np.random.default_rng(0).poisson(1000, (128, 128)).astype(np.float32)
    result = register(phantom_case, {"ap": noise, "lateral": noise}, GEOMETRY, start)
    assert not result.all_registered
    for level in result.levels.values():
        assert level.status == "rejected"
        assert level.label in level.reason


def test_a_level_outside_an_image_is_rejected_with_that_reason(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    closed = {name: image.copy() for name, image in images.items()}
    closed["lateral"][:56] = closed["lateral"].max()  # saturated over T12
    result = register(phantom_case, closed, GEOMETRY, start)
    assert result.levels["T12"].status == "rejected"
    assert "T12 lies in the usable part of the lateral image" in result.levels["T12"].reason


def reshaped(images: Images) -> Images:
    return images | {"ap": images["ap"][:100]}


def with_nan(images: Images) -> Images:
    damaged = images["lateral"].copy()
    damaged[5, 5] = np.nan
    return images | {"lateral": damaged}


def negative(images: Images) -> Images:
    return images | {"ap": images["ap"] - 1e6}


def constant(images: Images) -> Images:
    return images | {"ap": np.full_like(images["ap"], 7)}


def missing(images: Images) -> Images:
    return {"ap": images["ap"]}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (reshaped, "ap: the image is 128 x 100 pixels, but its camera says 128 x 128"),
        (with_nan, "lateral: the image holds NaN"),
        (negative, "ap: the image holds negative counts"),
        (constant, "ap: every pixel of the image has the same value"),
        (missing, "the lateral image is missing"),
    ],
)
def test_unusable_images_are_refused(
    phantom_case: Case,
    images: Images,
    start: dict[str, NDArray[np.float64]],
    damage: Callable[[Images], Images],
    sentence: str,
) -> None:
    with pytest.raises(InputError, match=sentence):
        register(phantom_case, damage(images), GEOMETRY, start)


def test_unknown_levels_missing_and_impossible_starts_are_refused(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    with pytest.raises(InputError, match="L5 is not in the case, which holds T12, L1"):
        register(phantom_case, images, GEOMETRY, start, levels=["L5"])
    with pytest.raises(InputError, match="no start pose is given for T12"):
        register(phantom_case, images, GEOMETRY, {"L1": start["L1"]})
    with pytest.raises(InputError, match="start pose of L1 is not a rigid transform"):
        register(phantom_case, images, GEOMETRY, start | {"L1": 2 * start["L1"]})


def test_attenuation_images_give_the_pose_of_transmission_images(
    phantom_case: Case, images: Images, truth: dict[str, NDArray[np.float64]], start: dict[str, NDArray[np.float64]]
) -> None:
    views = {name: dataclasses.replace(view, intensity="attenuation") for name, view in GEOMETRY.views.items()}
    lines = {name: -np.log(np.maximum(image, 1) / image.max()) for name, image in images.items()}
    result = register(phantom_case, lines, BiplanarGeometry("carm_base", views), start)
    for level in phantom_case.levels:
        assert tre_mm(phantom_case, result, truth, level) < 0.8


def test_metal_beside_the_vertebrae_hardly_moves_the_poses(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    """The local correlation is bounded in each window: there is no other robust loss."""
    with_metal = images | {"lateral": images["lateral"].copy()}
    with_metal["lateral"][40:100, 90:94] *= 0.05
    clean, disturbed = (register(phantom_case, each, GEOMETRY, start) for each in (images, with_metal))
    assert disturbed.all_registered
    for level in phantom_case.levels:
        assert tre_mm(phantom_case, disturbed, {level: clean.levels[level].T_reference_ct}, level) < 0.2


def test_metal_across_the_vertebrae_is_rejected(
    phantom_case: Case, images: Images, start: dict[str, NDArray[np.float64]]
) -> None:
    """It lies in all windows there, and may carry the poses off by millimetres."""
    with_metal = images | {"ap": images["ap"].copy()}
    with_metal["ap"][30:100, 74:76] *= 0.1
    result = register(phantom_case, with_metal, GEOMETRY, start)
    assert {level.status for level in result.levels.values()} == {"rejected"}
