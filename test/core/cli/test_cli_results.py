"""What commands print and write when they succeed, and when a level is rejected."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.io import read_geometry, read_poses, write_xray
from radgs_core.xray import read_study


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def quick_fit(attenuation: Any, progress: Any) -> Any:
    """Stands in for the fit, which has tests of its own."""
    import torch

    from radgs_core.radgs.gaussians import RadiativeGaussians

    progress(0.5, "fitting")
    return RadiativeGaussians(torch.zeros(1, 3), torch.ones(1, 3), torch.eye(4)[:1], torch.ones(1))


def noise_instead_of(image: Path, path: Path) -> Path:
    shape = cv2.imread(str(image), cv2.IMREAD_UNCHANGED).shape
    write_xray(path, np.random.default_rng(0).uniform(1000, 60000, shape))
    return path


@pytest.fixture
def fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", quick_fit)


@pytest.mark.usefixtures("fit_at_once")
def test_prepare(files: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    out = tmp_path / "new" / "case"
    ended = run("prepare", files.ct, files.labels, "--levels", "L1,T12", "--out", out, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert result["case"] == str(out)
    assert result["levels"] == ["T12", "L1"]
    assert result["gaussians"] == {"T12": 1, "L1": 1}
    assert result["label_scheme"] == "verse"
    case = Case.load(out)
    assert case.provenance["inputs"]["labels"]["name"] == "labels.nii.gz"
    assert case.provenance["parameters"] == {"levels": ["L1", "T12"], "label_scheme": "verse"}
    assert names_in(tmp_path) == ["new"] and names_in(tmp_path / "new") == ["case"]


@pytest.mark.usefixtures("fit_at_once")
def test_prepare_with_a_numbering_from_a_file(files: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    scheme = tmp_path / "scheme.yaml"
    scheme.write_text("T3: 20\n")
    out = tmp_path / "case"
    ended = run("prepare", files.ct, files.labels, "--levels", "T3", "--out", out, "--label-scheme", scheme)
    assert (ended.code, ended.err) == (0, "")
    assert str(out) in ended.out and "T3" in ended.out
    provenance = Case.load(out).provenance
    assert provenance["inputs"]["label_scheme"]["name"] == provenance["parameters"]["label_scheme"] == "scheme.yaml"


def test_simulate(files: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    out = tmp_path / "study"
    carm = ["--size", "64", "--pixel-mm", "2.5", "--source-to-detector-mm", "1000", "--source-to-isocentre-mm", "600"]
    angles = ["--ap-angles", "-10", "5", "--lateral-angles", "80", "0"]
    ended = run("simulate", files.case, "--out", out, "--levels", "L1", "--seed", 3, *carm, *angles, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert result["levels"] == ["T12", "L1"]  # all of them bend
    study = read_study(out)
    assert study.images["ap"].shape == (64, 64)
    camera = study.geometry.views["ap"]
    assert camera.camera_matrix[0, 0] == pytest.approx(400)
    assert np.linalg.norm(camera.source_mm) == pytest.approx(600)
    assert camera.source_mm[1] == pytest.approx(600 * np.sin(np.radians(-10)))
    centre = Case.load(files.case).levels["L1"].T_ct_vertebra[:3, 3]
    found = study.truth.levels["L1"].T_reference_ct @ np.r_[centre, 1]
    assert np.linalg.norm(found[:3]) < 5  # at the isocentre, but for its motion
    assert sorted(Path(path).name for path in (*result["images"].values(), result["geometry"], result["truth"])) == (
        names_in(out)
    )
    # the same geometry from its file, another physics: the same bent spine
    again = tmp_path / "again"
    arguments = ["--levels", "L1", "--seed", 3, "--geometry", out / "geometry.yaml", "--physics", "plain"]
    assert run("simulate", files.case, "--out", again, *arguments).code == 0
    assert (again / "truth.json").read_bytes() == (out / "truth.json").read_bytes()
    for view, same in read_study(again).geometry.views.items():
        assert np.allclose(same.T_reference_camera, study.geometry.views[view].T_reference_camera, atol=1e-9)
    assert (again / "ap.png").read_bytes() != (out / "ap.png").read_bytes()


def test_register(files: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    poses, overlay = tmp_path / "poses.json", tmp_path / "overlay"
    ended = run(*files.registration, "--out", poses, "--overlay", overlay, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert result["reference"] == "carm_base"
    assert list(result["levels"]) == ["T12", "L1"]
    assert list(result["seconds_by_stage"]) == ["images", "placement", "refinement", "verdict"]
    written = read_poses(poses)
    for label, level in result["levels"].items():
        assert level["status"] == written.levels[label].status == "registered"
        assert np.allclose(level["T_reference_ct"], written.levels[label].T_reference_ct)
        assert set(level["similarity"]) == {"ap", "lateral"}
    assert names_in(overlay) == ["overlay_ap.png", "overlay_lateral.png"]
    picture = cv2.imread(str(overlay / "overlay_ap.png"))
    camera = read_geometry(files.geometry).views["ap"]
    assert picture.shape == (camera.height, camera.width, 3)
    assert (picture.max(-1) != picture.min(-1)).any()  # coloured outlines on a grey image
    assert names_in(tmp_path) == ["overlay", "poses.json"]


def test_a_rejected_level_is_exit_code_3(files: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    """The AP image is noise: the pose is written all the same, with its verdict."""
    arguments = [
        str(noise_instead_of(files.ap, tmp_path / "ap.png")) if a == str(files.ap) else a for a in files.registration
    ]
    ended = run(*arguments, "--levels", "L1", "--out", tmp_path / "poses.json")
    assert (ended.code, ended.err) == (3, "")
    assert "rejected" in ended.out
    levels = read_poses(tmp_path / "poses.json").levels
    assert list(levels) == ["L1"]
    assert levels["L1"].status == "rejected" and levels["L1"].reason


def test_evaluate(files: Any, rejected_poses: Path, run: Callable[..., Any]) -> None:
    arguments = ["evaluate", files.case, "--poses", rejected_poses, "--truth", files.truth]
    ended = run(*arguments, "--geometry", files.geometry, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    t12, l1 = result["levels"]["T12"], result["levels"]["L1"]
    assert t12["tre_mm"] == pytest.approx(0, abs=1e-6) and t12["expected_tre_mm"] == 0.4
    assert l1["tre_mm"] == pytest.approx(3.0) and l1["status"] == "rejected"
    # 3 mm along x of carm_base, which neither view looks along
    assert l1["depth_mm"] == {"ap": pytest.approx(0, abs=1e-6), "lateral": pytest.approx(0, abs=1e-6)}
    summary = result["summary"]
    assert summary["levels"] == 2
    assert summary["mean_mm"] == pytest.approx(1.5) and summary["success_2mm"] == 0.5
    assert (summary["registered"], summary["rejected"]) == (1, 1)
    table = run(*arguments)
    assert table.code == 0
    assert "3.00" in table.out and "1.50 ± 1.50" in table.out and "needless rejects" in table.out


def test_what_json_cannot_say_is_null(files: Any, run: Callable[..., Any]) -> None:
    """The truth expects no errors, so no bound was kept."""
    ended = run("evaluate", files.case, "--poses", files.truth, "--truth", files.truth, "--json")
    assert json.loads(ended.out)["summary"]["bound_coverage"] is None
    assert "NaN" not in ended.out


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("case", "case", "T12: "),
        ("study", "study", "128 x 128 pixels"),
        ("ct", "NIfTI volume", "64 x 60 x 56 voxels of 1.5 x 1.5 x 2 mm, axes LPS"),
        ("geometry", "geometry", "carm_base"),
        ("truth", "poses", "L1: registered"),
    ],
)
def test_info(what: str, kind: str, words: str, files: Any, run: Callable[..., Any]) -> None:
    path = getattr(files, what)
    ended = run("info", path)
    assert (ended.code, ended.err) == (0, "")
    assert words in ended.out
    facts = json.loads(run("info", path, "--json").out)
    assert facts["kind"] == kind and facts["path"] == str(path)


def test_interruption_leaves_nothing(
    files: Any, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save = np.savez

    def interrupted(path: Path, *arguments: Any, **arrays: Any) -> None:
        save(path, *arguments, **arrays)
        raise KeyboardInterrupt

    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", quick_fit)
    monkeypatch.setattr(np, "savez", interrupted)
    ended = run("prepare", files.ct, files.labels, "--levels", "L1", "--out", tmp_path / "new" / "case")
    assert ended.code == 130
    assert "interrupted" in ended.err and ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_our_own_errors_are_not_hidden(
    files: Any, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run("prepare", files.ct, files.labels, "--levels", "L1", "--out", tmp_path / "case")
    assert list(tmp_path.iterdir()) == []
