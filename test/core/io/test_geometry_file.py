import copy

import numpy as np
import pytest
import torch
import yaml

from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.io.geometry_file import read_geometry, write_geometry

DESIGN = """
reference: carm_base
views:
  ap:
    width: 512
    height: 480
    camera_matrix: [[1.7e3, 0, 255.5], [0, 1700.0, 255.5], [0, 0, 1]]
    T_reference_camera: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -700], [0, 0, 0, 1]]      # mm
    intensity: attenuation
  lateral:
    width: 512
    height: 512
    camera_matrix: [[1700.0, 0, 255.5], [0, 1700.0, 255.5], [0, 0, 1]]
    T_reference_camera: [[0, 0, 1, -700], [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]]
"""


def write(path, content):
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def changed(*keys, value=None):
    """The geometry above with one entry set, or removed where ``value`` is None."""
    content = copy.deepcopy(yaml.safe_load(DESIGN.replace("1.7e3", "1700")))
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return content


def test_the_documented_file_is_read(tmp_path):
    geometry = read_geometry(write(tmp_path / "geometry.yaml", DESIGN))
    ap, lateral = geometry.views["ap"], geometry.views["lateral"]
    assert geometry.reference == "carm_base"
    assert (ap.width, ap.height, ap.intensity) == (512, 480, "attenuation")
    assert lateral.intensity == "transmission"
    assert ap.camera_matrix[0].tolist() == [1700, 0, 255.5]
    assert ap.source_mm.tolist() == [0, 0, -700]
    assert str(tmp_path / "geometry.yaml") in ap.name
    assert "lateral" in lateral.name


def test_written_numbers_are_read_back_exactly(tmp_path):
    rng = np.random.default_rng(3)
    views = {}
    for name, turn in (("ap", 0.1), ("lateral", 1.6)):
        twist = torch.tensor([*rng.normal(size=3) * 300, 1e-7, turn, 0.02], dtype=torch.float64)
        matrix = np.array([[1700 / 3, 1e-9, 255.5], [0, 1e22, rng.normal()], [0, 0, 1]])
        views[name] = XrayCamera(512, 300, matrix, exp_se3(twist).numpy(), "attenuation", name)
    geometry = BiplanarGeometry("robot base", views)
    write_geometry(tmp_path / "geometry.yaml", geometry)
    again = read_geometry(tmp_path / "geometry.yaml")
    assert again.reference == "robot base"
    assert list(again.views) == ["ap", "lateral"]
    for name, view in views.items():
        read = again.views[name]
        np.testing.assert_array_equal(read.camera_matrix, view.camera_matrix)
        # reading makes the rotation orthonormal once more
        np.testing.assert_allclose(read.T_reference_camera, view.T_reference_camera, rtol=0, atol=1e-15 * 300)
        assert (read.width, read.height, read.intensity) == (512, 300, "attenuation")
    assert [path.name for path in tmp_path.iterdir()] == ["geometry.yaml"]


RIGID = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed("refrence", value="base"), ["unknown key 'refrence'", "known keys are reference, views"]),
        (changed("reference"), ["key reference is missing"]),
        (changed("reference", value=3), ["reference must be the name"]),
        (changed("views", value=[1]), ["views must hold"]),
        (changed("views", "lateral"), ["key lateral is missing"]),
        (changed("views", "oblique", value={}), ["unknown key 'oblique'", "ap, lateral"]),
        (changed("views", "ap", value=3), ["view ap must hold"]),
        (changed("views", "ap", "wdith", value=3), ["view ap", "unknown key 'wdith'", "width, height, camera_matrix"]),
        (changed("views", "lateral", "camera_matrix"), ["view lateral", "key camera_matrix is missing"]),
        (changed("views", "ap", "width", value="512"), ["view ap", "width must be a whole number"]),
        (changed("views", "ap", "height", value=-4), ["view ap", "height must be a whole number"]),
        (changed("views", "ap", "camera_matrix", value=5), ["view ap", "3 rows of 3 numbers"]),
        (changed("views", "ap", "camera_matrix", value=[[1, 2], [3, 4]]), ["view ap", "3 rows of 3 numbers"]),
        (changed("views", "ap", "camera_matrix", value=[[1, 2, 3], [3, 4], [5, 6, 7]]), ["view ap", "one row is"]),
        (changed("views", "ap", "camera_matrix", value=[["f", 0, 1], [0, 1, 1], [0, 0, 1]]), ["'f'", "not a number"]),
        (changed("views", "ap", "camera_matrix", value=[[True, 0, 1], [0, 1, 1], [0, 0, 1]]), ["not a number"]),
        (changed("views", "ap", "camera_matrix", value=[[10**400, 0, 1], [0, 1, 1], [0, 0, 1]]), ["too large"]),
        (changed("views", "ap", "camera_matrix", value=[[0, 0, 0], [0, 0, 0], [0, 0, 1]]), ["view ap", "singular"]),
        (changed("views", "ap", "camera_matrix", value=[[float("nan"), 0, 0], [0, 1, 0], [0, 0, 1]]), ["finite"]),
        (changed("views", "ap", "T_reference_camera", value=[[2, 0, 0, 0], *RIGID[1:]]), ["view ap", "not a rigid"]),
        (changed("views", "ap", "T_reference_camera", value=[[-1, 0, 0, 0], *RIGID[1:]]), ["view ap", "mirrors"]),
        (changed("views", "ap", "T_reference_camera", value=RIGID[:3]), ["view ap", "4 rows of 4 numbers"]),
        (changed("views", "ap", "intensity", value="bright"), ["view ap", "'transmission' or 'attenuation'"]),
        (changed("views", "lateral", "T_reference_camera", value=RIGID), ["degrees apart"]),
        ("reference: [a", ["not valid YAML", "line"]),
        ("reference: a\nreference: b\n", ["'reference' is given twice", "line 2"]),
        ("reference: !!python/object/apply:os.system ['true']\n", ["not valid YAML"]),
        ("- a list\n", ["key: value"]),
        ("", ["key: value"]),
        ("[" * 3000, ["not valid YAML"]),
        ("\x00", ["not valid YAML"]),
    ],
)
def test_bad_geometry_is_refused(tmp_path, refused, content, words):
    path = write(tmp_path / "geometry.yaml", content)
    with refused(path, *words):
        read_geometry(path)


def test_files_that_cannot_be_read_are_refused(tmp_path, refused):
    with refused(tmp_path / "nothing.yaml", "No such file"):
        read_geometry(tmp_path / "nothing.yaml")
    with refused(tmp_path, "directory"):
        read_geometry(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfd\x81")
    with refused("binary.yaml", "not a text file"):
        read_geometry(tmp_path / "binary.yaml")
