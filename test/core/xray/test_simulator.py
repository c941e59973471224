from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.geometry.rigid import rotation_about, transform_points
from radgs_core.io.labels import LabelMap
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import MU_WATER_PER_MM, linear_attenuation
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.material_volumes import MaterialVolumes
from radgs_core.xray.materials import BONE_ATTENUATION_60_KEV_CM2_G, Densities, split
from radgs_core.xray.physics import Physics
from radgs_core.xray.raycast import RayCastVolume
from radgs_core.xray.simulator import Simulator, continued
from radgs_core.xray.study import read_study, simulate_study, write_study

GEOMETRY = biplanar_geometry(CArm(pixel_mm=2.4, size=64), ap_deg=(5.0, -4.0), lateral_deg=(85.0, 3.0))


def at_60_kev(densities: Densities) -> NDArray[np.float32]:
    return 10 * MU_WATER_PER_MM * densities.water + BONE_ATTENUATION_60_KEV_CM2_G * densities.bone


@pytest.fixture(scope="module")
def pose(phantom_case: Case) -> NDArray[np.float64]:
    return body_pose(phantom_case, ["T12", "L1"])


@pytest.fixture(scope="module")
def simulator(phantom_case: Case, pose: NDArray[np.float64]) -> Simulator:
    return Simulator(phantom_case, GEOMETRY, pose)


def test_vertebrae_that_did_not_move_give_the_ct(
    simulator: Simulator, pose: NDArray[np.float64], phantom: tuple[Volume, LabelMap]
) -> None:
    """Cutting out, filling and adding the excess again leaves no trace."""
    whole = continued(phantom[0])
    ct = RayCastVolume.from_volume(Volume(linear_attenuation(whole.data), whole.T_ct_voxel))
    for view, densities in simulator.densities({}).items():
        expected = ct.line_integral(GEOMETRY.views[view], pose).numpy()
        assert expected.max() > 1.5
        # what is left is the ray marching: body and crops are sampled at other points of each ray
        assert np.abs(at_60_kev(densities) - expected).max() < 0.02


def test_densities_are_those_of_another_ray_casting(
    simulator: Simulator, phantom_case: Case, pose: NDArray[np.float64]
) -> None:
    """Water and bone on their own, the vertebrae moved, against grid_sample at steps of a quarter voxel."""
    T_reference_level = {"T12": pose @ rotation_about(np.zeros(3), np.array([2, -3, 1, 0.04, 0.02, -0.05]))}
    parts = [(continued(phantom_case.body_hu), pose, 1)]
    for label, vertebra in phantom_case.levels.items():
        level = T_reference_level.get(label, pose)
        parts += [(vertebra.bone_hu, level, 1), (vertebra.fill_hu, level, -1)]
    for view, densities in simulator.densities(T_reference_level).items():
        for material, least_shown, largest_error, mean_error in (("water", 7, 0.01, 1e-3), ("bone", 1, 3e-3, 1e-4)):
            expected = np.zeros_like(densities.water)
            for hu, at, sign in parts:
                volume = RayCastVolume.from_volume(Volume(getattr(split(hu.data), material), hu.T_ct_voxel))
                expected += sign * volume.line_integral(GEOMETRY.views[view], at, step_mm=0.4).numpy() / 10
            error = np.abs(getattr(densities, material) - expected)
            assert expected.max() > least_shown  # g/cm^2, as what follows
            assert error.max() < largest_error
            assert error.mean() < mean_error


def test_the_patient_is_the_same_wherever_the_arm_is(
    simulator: Simulator, phantom_case: Case, pose: NDArray[np.float64]
) -> None:
    elsewhere = biplanar_geometry(CArm(pixel_mm=2.4, size=64), (-12.0, 9.0), (98.0, -7.0), (9.0, 4.0, -8.0))
    shifted = pose.copy()
    shifted[:3, 3] += 5.0, -3.0, 2.0
    before = simulator.densities({"L1": pose})["ap"].water
    moved, new = simulator.moved_to(elsewhere, shifted), Simulator(phantom_case, elsewhere, shifted)
    for view, densities in new.densities({"L1": pose}).items():
        assert np.array_equal(moved.densities({"L1": pose})[view].water, densities.water)
        assert np.array_equal(moved.densities({"L1": pose})[view].bone, densities.bone)
    assert np.array_equal(simulator.densities({"L1": pose})["ap"].water, before)


def test_the_number_of_threads_changes_nothing(simulator: Simulator, pose: NDArray[np.float64]) -> None:
    before, images = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            moved = simulator.moved_to(GEOMETRY, pose)
            images.append(moved.expose({}, Physics.realistic(np.random.default_rng(3)), np.random.default_rng(4)))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(images[0][view], other[view]) for other in images[1:] for view in GEOMETRY.views)


def test_a_body_without_bone_has_none() -> None:
    water = Volume(np.full((20, 20, 20), 40, np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    densities = MaterialVolumes.of_body(water).along_rays(GEOMETRY.views["ap"], np.eye(4))
    assert densities.water.max() > 3.5
    assert not densities.bone.any()


def test_a_vertebra_moves_alone(simulator: Simulator, phantom_case: Case, pose: NDArray[np.float64]) -> None:
    shift = np.eye(4)
    shift[:3, 3] = (4.0, 0.0, 6.0)
    still, moved = simulator.densities({}), simulator.densities({"L1": pose @ shift})
    for view, camera in GEOMETRY.views.items():
        change = np.abs(at_60_kev(moved[view]) - at_60_kev(still[view]))
        assert change.max() > 0.1
        points = phantom_case.levels["L1"].surface_points_mm
        both = np.concatenate([points, transform_points(shift, points)])
        pixels = camera.project(transform_points(pose, both))
        rows, columns = np.nonzero(change > 1e-3)
        assert rows.min() >= pixels[:, 1].min() - 2 and rows.max() <= pixels[:, 1].max() + 2
        assert columns.min() >= pixels[:, 0].min() - 2 and columns.max() <= pixels[:, 0].max() + 2


def test_excess_moves_as_its_pose_says(simulator: Simulator, phantom_case: Case, pose: NDArray[np.float64]) -> None:
    """The shadow's shift on the detector is the projected shift of the vertebra."""
    shift = np.eye(4)
    shift[:3, 3] = (3.0, 2.0, 5.0)
    away = np.eye(4)
    away[:3, 3] = 1e4
    body = simulator.densities({"T12": away, "L1": away})

    def shadow(T_reference_level: NDArray[np.float64], view: str) -> NDArray[np.float64]:
        alone = simulator.densities({"T12": away, "L1": T_reference_level})[view]
        excess = at_60_kev(alone) - at_60_kev(body[view])
        v, u = np.indices(excess.shape)
        return np.array([(u * excess).sum(), (v * excess).sum()]) / excess.sum()

    centre = phantom_case.levels["L1"].T_ct_vertebra[:3, 3]
    for view, camera in GEOMETRY.views.items():
        expected = camera.project(transform_points(pose @ shift, centre)) - camera.project(
            transform_points(pose, centre)
        )
        assert shadow(pose @ shift, view) - shadow(pose, view) == pytest.approx(expected, abs=0.15)


def test_a_level_that_was_not_prepared_is_refused(simulator: Simulator) -> None:
    with pytest.raises(InputError, match=r"L4 is not in the case; it holds T12, L1\."):
        simulator.expose({"L4": np.eye(4)}, Physics.plain(), np.random.default_rng(0))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_body_is_continued_towards_head_and_foot(axis: int, sign: int) -> None:
    order = np.roll([0, 1, 2], axis - 2)
    T_ct_voxel = np.eye(4)
    T_ct_voxel[:3, :3] = np.diag([1.0, 1.0, 2.5 * sign])[:, order]
    data = np.random.default_rng(0).integers(0, 100, (4, 5, 6)).astype(np.int16)
    longer = continued(Volume(data, T_ct_voxel), 10.0)
    expected = list(data.shape)
    expected[axis] += 8
    assert list(longer.data.shape) == expected
    inside = np.moveaxis(longer.data, axis, 0)
    assert np.array_equal(inside[4:-4], np.moveaxis(data, axis, 0))
    assert (inside[:4] == inside[4]).all() and (inside[-4:] == inside[-5]).all()
    index = np.zeros(3)
    index[axis] = 4
    assert longer.points_mm(index) == pytest.approx(np.zeros(3))


def test_the_ct_has_no_end_in_the_image(simulator: Simulator) -> None:
    """The phantom is 112 mm long, the image shows 105 mm at the isocentre and more behind it."""
    densities = simulator.densities({})["ap"]
    middle = densities.water[:, 32]
    assert middle.min() > 0.8 * middle.max()


def test_study_folder(tmp_path: Path, phantom_case: Case) -> None:
    study = simulate_study(phantom_case, ["T12", "L1"], GEOMETRY, Physics.plain(2000.0), 3.0, 3.0, seed=1)
    write_study(tmp_path / "study", study)
    write_study(tmp_path / "study", study)  # a study may be replaced
    read = read_study(tmp_path / "study")
    assert isinstance(read.geometry, BiplanarGeometry)
    for level in ("T12", "L1"):
        expected = study.truth.levels[level].T_reference_ct
        assert np.allclose(read.truth.levels[level].T_reference_ct, expected, atol=1e-9)
    for view, image in study.images.items():
        assert np.abs(read.images[view] - image).max() <= 0.5
        assert np.allclose(read.geometry.views[view].T_reference_camera, GEOMETRY.views[view].T_reference_camera)


def test_studies_depend_on_the_seed_alone(phantom_case: Case) -> None:
    def study(physics: Physics, seed: int):
        return simulate_study(phantom_case, ["T12", "L1"], GEOMETRY, physics, 3.0, 3.0, seed)

    first, again, other = study(Physics.plain(), 1), study(Physics.plain(), 1), study(Physics.plain(), 2)
    realistic = study(Physics.realistic(np.random.default_rng(0)), 1)
    assert np.array_equal(first.images["ap"], again.images["ap"])
    pose, *others = (s.truth.levels["L1"].T_reference_ct for s in (first, again, realistic, other))
    assert [np.array_equal(pose, other) for other in others] == [True, True, False]


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path, phantom_case: Case) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    study = simulate_study(phantom_case, ["L1"], GEOMETRY, Physics.plain(), 3.0, 3.0, seed=0)
    with pytest.raises(InputError):
        write_study(tmp_path, study)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
