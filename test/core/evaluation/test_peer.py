"""The peer that the refinement is compared with works, so that the comparison means something."""

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.evaluation import evaluate, wrong_start
from radgs_core.geometry.rigid import rotation_about, transform_points
from radgs_core.io import LevelPose, Poses
from radgs_core.io.labels import LabelMap
from radgs_core.volume import Volume
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose, take_study
from radgs_core.xray.raycast import RayCastVolume

GEOMETRY = biplanar_geometry(CArm(size=256))
CAMERA = biplanar_geometry(CArm(size=64, pixel_mm=2.4)).views["lateral"]


@pytest.fixture(scope="module")
def bone(phantom_case: Case) -> RayCastVolume:
    hu = phantom_case.levels["L1"].bone_hu
    return RayCastVolume.from_volume(Volume(np.maximum(hu.data, 0) / 1000, hu.T_ct_voxel))


@pytest.fixture(scope="module")
def pose(phantom_case: Case) -> NDArray[np.float64]:
    turned = rotation_about(np.zeros(3), np.array([4.0, -6.0, 3.0, 0.1, 0.2, -0.1]))
    return body_pose(phantom_case, ["T12", "L1"]) @ turned


def test_renderings_are_those_of_ray_casting(bone: RayCastVolume, pose: NDArray[np.float64]) -> None:
    from benchmarks.peer_rendering import Drr, cropped

    expected = bone.line_integral(CAMERA, pose, step_mm=0.25)
    found = Drr(bone).image(CAMERA, torch.tensor(pose), samples=400)
    assert expected.max() > 5
    assert (found - expected).abs().max() < 2e-3 * expected.max()
    rows, columns = slice(20, 50), slice(11, 37)
    part = Drr(bone).image(cropped(CAMERA, rows, columns), torch.tensor(pose), samples=400)
    assert (part - found[rows, columns]).abs().max() < 1e-4


def test_derivatives_are_those_of_ray_casting(bone: RayCastVolume, pose: NDArray[np.float64]) -> None:
    """Against central differences of the ray-cast image, under smooth weights."""
    from benchmarks.peer_rendering import Drr

    row, column = np.mgrid[:64, :64] - 31.5
    weights = torch.tensor(np.sin(row / 9) * np.cos(column / 7) * np.exp(-(row**2 + column**2) / 400)).float()
    shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    moved = torch.cat([torch.tensor(pose)[:3, :3], (torch.tensor(pose)[:3, 3] + shift)[:, None]], 1)
    moved = torch.cat([moved, torch.tensor([[0.0, 0, 0, 1]], dtype=torch.float64)])
    (found,) = torch.autograd.grad((weights * Drr(bone).image(CAMERA, moved, samples=300)).sum(), shift)
    for axis in range(3):
        both = []
        for sign in (1, -1):
            stepped = pose.copy()
            stepped[axis, 3] += sign * 0.5
            both.append(float((weights * bone.line_integral(CAMERA, stepped, step_mm=0.5)).sum()))
        assert float(found[axis]) == pytest.approx(both[0] - both[1], abs=0.03 * float(found.abs().max()))


def test_descent_finds_a_minimum_that_is_known() -> None:
    from benchmarks.peer_descent import descend

    rng = np.random.default_rng(0)
    points = rng.normal(scale=20, size=(2, 30, 3)) + np.array([50.0, 0, 100])
    start = np.stack([np.eye(4)] * 2)
    goals = np.stack(
        [rotation_about(np.zeros(3), twist) for twist in rng.normal(size=(2, 6)) * [3, 3, 3, 0.05, 0.05, 0.05]]
    )
    targets = torch.tensor(np.stack([transform_points(goal, p) for goal, p in zip(goals, points, strict=True)]))

    def loss(poses: torch.Tensor) -> torch.Tensor:
        moved = torch.tensor(points) @ poses[:, :3, :3].mT + poses[:, None, :3, 3]
        return (moved - targets).square().sum(-1).mean()

    found = descend([loss, loss], start, points.mean(1), iterations=300, step=0.5)
    assert np.abs(found - goals).max() < 0.02 * np.abs(goals - start).max()


def test_the_whole_ct_has_its_vertebrae_back(phantom: tuple[Volume, LabelMap], phantom_case: Case) -> None:
    from benchmarks.peer_volumes import whole_ct

    whole = whole_ct(phantom_case)
    assert np.array_equal(whole.data, phantom[0].data)
    assert not np.array_equal(phantom_case.body_hu.data, phantom[0].data)


def test_a_vertebra_beside_the_image_gets_pixels_of_it(bone: RayCastVolume, pose: NDArray[np.float64]) -> None:
    from benchmarks.peer import vertebra_window
    from benchmarks.peer_rendering import Drr

    for shift in (0.0, 500.0, -500.0):
        away = pose.copy()
        away[0, 3] += shift
        for each in vertebra_window(Drr(bone), CAMERA, away, margin_px=4.0, least_px=13):
            assert each.start >= 0 and each.stop <= 64 and each.stop - each.start >= 13


def test_both_variants_come_closer(phantom_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import peer

    for name in ("RIGID_STAGES", "LEVEL_STAGES"):
        fewer = [dataclasses.replace(stage, iterations=stage.iterations // 2) for stage in getattr(peer, name)]
        monkeypatch.setattr(peer, name, fewer)
    levels = list(phantom_case.levels)
    room = Simulator(phantom_case, GEOMETRY, body_pose(phantom_case, levels))
    study = take_study(phantom_case, room, Physics.plain(5000.0), 3.0, 2.0, seed=0)
    start = wrong_start(phantom_case, room.T_reference_ct, levels, 5.0, 4.0, np.random.default_rng(1))
    begun = evaluate(phantom_case, Poses("carm_base", {level: LevelPose(start) for level in levels}), study.truth)
    outcome = peer.Peer(phantom_case).registered(study, start)
    before, rigid, after = (
        np.mean([error.tre_mm for error in errors])
        for errors in (begun, outcome.rigid.errors, outcome.per_level.errors)
    )
    assert rigid < before and after < 0.25 * rigid
    assert [error.label for error in outcome.per_level.errors] == levels
    assert 0 < outcome.rigid.seconds < outcome.per_level.seconds
