from pathlib import Path

import numpy as np
import pytest
import torch
from phantom import CENTRES_MM, SPACING_MM, body_of, grid, make_phantom
from scipy import ndimage
from scipy.spatial import cKDTree

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct
from radgs_core.io.labels import LabelMap, read_labels
from radgs_core.preparation import prepare_case, provenance
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume

Phantom = tuple[Volume, LabelMap]


def silent(fraction: float, message: str) -> None:
    """Progress that nobody looks at."""


def one_gaussian(attenuation: Volume, progress: object) -> RadiativeGaussians:
    """Stands in for the fit, which takes most of the time and has tests of its own."""
    return RadiativeGaussians(torch.zeros(1, 3), torch.ones(1, 3), torch.eye(4)[:1], torch.ones(1))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", one_gaussian)


def crop_of(case: Case, label: str, ct: Volume) -> tuple[slice, ...]:
    """Where a level's crop lies in the CT."""
    crop = case.levels[label].bone_hu
    origin = np.linalg.solve(ct.T_ct_voxel, np.r_[crop.T_ct_voxel[:3, 3], 1])[:3]
    start = np.round(origin).astype(int)
    assert np.allclose(origin, start)
    return tuple(slice(s, s + n) for s, n in zip(start, crop.data.shape, strict=True))


def test_the_body_with_all_excess_is_the_ct(phantom: Phantom, phantom_case: Case) -> None:
    ct, _ = phantom
    whole = phantom_case.body_hu.data.astype(int)
    for label, vertebra in phantom_case.levels.items():
        whole[crop_of(phantom_case, label, ct)] += vertebra.bone_hu.data.astype(int) - vertebra.fill_hu.data
    assert np.array_equal(whole, ct.data)


def test_prepared_bone_is_replaced_by_soft_tissue(phantom: Phantom, phantom_case: Case) -> None:
    ct, labels = phantom
    prepared = np.isin(labels.volume.data, [labels.value_of_level[level] for level in ("T12", "L1")])
    assert np.abs(phantom_case.body_hu.data[prepared] - 40).max() <= 1
    others = ~prepared
    assert np.array_equal(phantom_case.body_hu.data[others], ct.data[others])
    assert phantom_case.body_hu.data.dtype == np.int16


def test_the_crop_shows_one_vertebra_only(phantom: Phantom, phantom_case: Case) -> None:
    _, labels = phantom
    for label, vertebra in phantom_case.levels.items():
        mask = labels.volume.data[crop_of(phantom_case, label, phantom[0])] == labels.value_of_level[label]
        assert np.array_equal(vertebra.bone_hu.data != vertebra.fill_hu.data, mask)
        assert (vertebra.bone_hu.data[mask] == 500).all()


def test_levels_are_sorted_from_head_to_foot(phantom_case: Case) -> None:
    assert list(phantom_case.levels) == ["T12", "L1"]


def test_a_partial_volume_rim_goes_with_its_bone(phantom: Phantom, quick: None) -> None:
    """Masks are tight, CTs are blurred: the bright rim around the mask must not stay behind."""
    ct, labels = phantom
    blurred = Volume(np.round(ndimage.gaussian_filter(ct.data.astype(float), 0.5)).astype(np.int16), ct.T_ct_voxel)
    mask = labels.volume.data == labels.value_of_level["L1"]
    rim = ndimage.binary_dilation(mask) & (labels.volume.data == 0)
    assert np.percentile(blurred.data[rim], 90) > 120
    body = prepare_case(blurred, labels, ["L1"], silent, {}).body_hu.data
    assert body[rim].max() < 40 + 60 + 5


def test_contrast_and_lung_do_not_fill_the_hole(phantom: Phantom, quick: None) -> None:
    ct, labels = phantom
    points = grid(ct.T_ct_voxel, ct.data.shape)
    data = ct.data.copy()
    data[(points[..., 0] > 13) & (labels.volume.data == 0)] = -850  # lung touches the vertebra on its left
    data[(points[..., 1] < -2) & (points[..., 0] < 12) & (labels.volume.data == 0)] = 320  # the aorta before it
    body = prepare_case(Volume(data, ct.T_ct_voxel), labels, ["L1"], silent, {}).body_hu.data
    filled = body[labels.volume.data == labels.value_of_level["L1"]]
    assert filled.min() > -20 and filled.max() < 60


def test_axes_and_origin(phantom: Phantom, phantom_case: Case) -> None:
    ct, labels = phantom
    for label, vertebra in phantom_case.levels.items():
        rotation = vertebra.T_ct_vertebra[:3, :3]
        front, left, head = rotation.T
        assert front == pytest.approx([0, -1, 0])  # LPS: y runs to the back
        assert left == pytest.approx([1, 0, 0])
        assert head == pytest.approx([0, 0, 1])
        assert np.linalg.det(rotation) == pytest.approx(1)
        voxels = np.argwhere(labels.volume.data == labels.value_of_level[label])
        assert vertebra.T_ct_vertebra[:3, 3] == pytest.approx(ct.points_mm(voxels).mean(0))


def test_surface_points_are_even_and_on_the_surface(phantom_case: Case) -> None:
    for label, vertebra in phantom_case.levels.items():
        points = vertebra.surface_points_mm
        assert points.shape == (1000, 3) and points.dtype == np.float32
        steps = np.array(np.meshgrid(*[(-1.6, 0, 1.6)] * 3)).reshape(3, -1).T
        inside = body_of(points[:, None] + steps, CENTRES_MM[label])
        assert (inside.any(1) & ~inside.all(1)).all()  # each has inside and outside within about a voxel
        nearest = cKDTree(points).query(points, k=2)[0][:, 1]
        assert nearest.min() > 0.6 * np.median(nearest)


def test_the_mesh_is_closed_and_faces_outwards(phantom: Phantom, phantom_case: Case) -> None:
    labels = phantom[1]
    for label, vertebra in phantom_case.levels.items():
        vertices, faces = vertebra.mesh_vertices_mm.astype(float), vertebra.mesh_faces
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        there, back = {tuple(edge) for edge in edges}, {tuple(edge[::-1]) for edge in edges}
        assert len(there) == len(edges) and there == back  # each edge is met once in either direction
        a, b, c = (vertices[faces[:, n]] for n in range(3))
        volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
        mask_volume = (labels.volume.data == labels.value_of_level[label]).sum() * SPACING_MM.prod()
        assert volume == pytest.approx(mask_volume, rel=0.07)
        assert 500 < len(faces) < 5000


AXES = {
    "PIR": [(1, 1), (2, -1), (0, -1)],  # axis of LPS and sign along each voxel axis
    "RAS": [(0, -1), (1, -1), (2, 1)],
    "SLP": [(2, 1), (0, 1), (1, 1)],
}


@pytest.mark.parametrize("axes", AXES)
def test_axis_order_does_not_matter(axes: str, phantom: Phantom, quick: None) -> None:
    ct, labels = phantom
    order = [axis for axis, _ in AXES[axes]]
    flips = tuple(n for n, (_, sign) in enumerate(AXES[axes]) if sign < 0)
    T_old_new = np.eye(4)
    T_old_new[:3, :3] = np.eye(3)[:, order]
    for n in flips:
        T_old_new[:3, 3] += T_old_new[:3, n] * (ct.data.shape[order[n]] - 1)
        T_old_new[:3, n] *= -1
    affine = ct.T_ct_voxel @ T_old_new
    turned, turned_labels = (np.flip(v.data.transpose(order), flips) for v in (ct, labels.volume))
    other_labels = LabelMap(Volume(turned_labels, affine), labels.value_of_level, labels.scheme)
    case = prepare_case(ct, labels, ["L1"], silent, {})
    other = prepare_case(Volume(turned, affine), other_labels, ["L1"], silent, {})
    assert np.array_equal(other.body_hu.data, np.flip(case.body_hu.data.transpose(order), flips))
    ours, theirs = case.levels["L1"], other.levels["L1"]
    assert np.allclose(ours.T_ct_vertebra, theirs.T_ct_vertebra)
    # the meshes start at other corners of the grid, so they are alike, not equal
    distances = cKDTree(ours.surface_points_mm).query(theirs.surface_points_mm)[0]
    assert distances.mean() < 1.5 and distances.max() < 4


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 3.0, 3.0), (0.9, 0.9, 5.0)])
def test_spacing_does_not_matter_much(spacing: tuple[float, float, float], phantom_case: Case, quick: None) -> None:
    shape = tuple(int(extent / s) for extent, s in zip((94, 88, 110), spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -np.array(spacing) * (np.array(shape) - 1) / 2
    vertebra = prepare_case(*make_phantom(affine, shape), ["L1"], silent, {}).levels["L1"]
    expected = phantom_case.levels["L1"]
    assert np.linalg.norm(vertebra.T_ct_vertebra[:3, 3] - expected.T_ct_vertebra[:3, 3]) < 1.5
    distances = cKDTree(expected.surface_points_mm).query(vertebra.surface_points_mm)[0]
    assert distances.mean() < 2.0
    assert len(vertebra.surface_points_mm) >= 500


def test_preparing_again_gives_the_same(phantom: Phantom, quick: None) -> None:
    first, second = (prepare_case(*phantom, ["L1"], silent, {}).levels["L1"] for _ in range(2))
    assert np.array_equal(first.surface_points_mm, second.surface_points_mm)
    assert np.array_equal(first.mesh_faces, second.mesh_faces)


def test_inputs_are_not_changed(phantom: Phantom, quick: None) -> None:
    ct, labels = phantom
    before = ct.data.copy(), labels.volume.data.copy()
    prepare_case(ct, labels, ["L1"], silent, {})
    assert np.array_equal(ct.data, before[0]) and np.array_equal(labels.volume.data, before[1])


def test_progress_runs_from_start_to_end(phantom: Phantom, quick: None) -> None:
    told: list[tuple[float, str]] = []
    prepare_case(*phantom, ["L1", "T12"], lambda fraction, message: told.append((fraction, message)), {})
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert any("T12" in message for _, message in told)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([], "no levels"),
        (["L1", "L1"], "L1 is named twice"),
        (["L5"], "L5 is not in the label map; it holds T12, L1, L2"),
    ],
)
def test_levels_that_cannot_be_prepared(phantom: Phantom, levels: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare_case(*phantom, levels, silent, {})


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, 1])
def test_a_level_cut_off_by_the_border_is_refused(phantom: Phantom, axis: int, end: int) -> None:
    ct, labels = phantom
    indices = np.argwhere(labels.volume.data == labels.value_of_level["L1"])[:, axis]
    part = [slice(None)] * 3
    part[axis] = slice(indices.min() + 1, None) if end == 0 else slice(None, indices.max())
    cut = Volume(ct.data[tuple(part)], ct.T_ct_voxel)
    cut_labels = LabelMap(Volume(labels.volume.data[tuple(part)], ct.T_ct_voxel), labels.value_of_level, "verse")
    with pytest.raises(InputError, match="L1 is cut off at the border of the CT"):
        prepare_case(cut, cut_labels, ["L1"], silent, {})


def test_a_real_vertebra_leaves_no_bright_rim(quick: None) -> None:
    ct_path, labels_path = example_ct()
    ct = read_ct(ct_path)
    labels = read_labels(labels_path, ct)
    levels = ["T11", "T12"]
    body = prepare_case(ct, labels, levels, silent, {}).body_hu.data
    values = [labels.value_of_level[level] for level in levels]
    box = ndimage.find_objects(np.isin(labels.volume.data, values).astype(np.uint8))[0]
    own = np.isin(labels.volume.data[box], values)
    assert body[box][own].max() < 200 and body[box][own].min() > -150
    rim = ndimage.binary_dilation(own) & ~np.isin(labels.volume.data[box], list(labels.value_of_level.values()))
    bright_before, bright_after = ((data[box][rim] > 200).mean() for data in (ct.data, body))
    assert bright_before > 0.2
    assert bright_after < 0.01


def test_provenance_names_inputs_parameters_and_versions(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1.dcm").write_bytes(b"one")
    (tmp_path / "labels.nii").write_bytes(b"labels")
    inputs = {"ct": tmp_path / "series", "labels": tmp_path / "labels.nii"}
    first = provenance(inputs, {"levels": ["L1"]})
    assert first["inputs"]["labels"]["name"] == "labels.nii"
    assert len(first["inputs"]["ct"]["sha256"]) == 64
    assert first["parameters"] == {"levels": ["L1"]}
    assert first["versions"]["numpy"] == np.__version__
    (tmp_path / "series" / "1.dcm").write_bytes(b"two")
    second = provenance(inputs, {"levels": ["L1"]})
    assert first["inputs"]["labels"] == second["inputs"]["labels"]
    assert first["inputs"]["ct"]["sha256"] != second["inputs"]["ct"]["sha256"]
