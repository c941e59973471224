"""Whatever is wrong with the input: exit code 2, one line on stderr that names it, and nothing is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import yaml
from dicom_writer import ct_stack, save_all

from radgs_core.io import read_geometry, read_xray

Arguments = list[object]
Found = tuple[Arguments, object, str]
"""Arguments of the command, the file that the message must name, and what it must say."""


def prepare(ct: object, labels: object, tmp: Path, *more: object) -> Arguments:
    return ["prepare", ct, labels, "--levels", "T12,L1", "--out", tmp / "case", *more]


def register(files: Any, tmp: Path, **changed: Path) -> Arguments:
    """A registration in which some files are other ones."""
    paths = {name: changed.get(name, getattr(files, name)) for name in ("case", "ap", "lateral", "geometry", "truth")}
    options: Arguments = ["--out", tmp / "poses.json", "--overlay", tmp / "overlay"]
    for option, name in (("ap", "ap"), ("lateral", "lateral"), ("geometry", "geometry"), ("initial", "truth")):
        options += [f"--{option}", paths[name]]
    return ["register", paths["case"], *options]


def changed_geometry(files: Any, tmp: Path, change: Callable[[dict], None]) -> Path:
    content = yaml.safe_load(files.geometry.read_text())
    change(content)
    path = tmp / "changed.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def changed_poses(files: Any, tmp: Path, change: Callable[[dict], None]) -> Path:
    content = json.loads(files.truth.read_text())
    change(content)
    path = tmp / "changed.json"
    path.write_text(json.dumps(content))
    return path


def missing_folder(files: Any, tmp: Path) -> Found:
    return prepare(tmp / "nowhere", files.labels, tmp), tmp / "nowhere", "does not exist"


def empty_folder(files: Any, tmp: Path) -> Found:
    (tmp / "empty").mkdir()
    return prepare(tmp / "empty", files.labels, tmp), tmp / "empty", "no CT slices"


def series_with_a_gap(files: Any, tmp: Path) -> Found:
    datasets = ct_stack()
    save_all(tmp / "series", [*datasets[:2], *datasets[3:]])
    return prepare(tmp / "series", files.labels, tmp), tmp / "series", "missing"


def two_series_mixed(files: Any, tmp: Path) -> Found:
    save_all(tmp / "series", ct_stack(series="1.2.3"))
    save_all(tmp / "series", ct_stack(series="4.5.6"), prefix="other")
    return prepare(tmp / "series", files.labels, tmp), tmp / "series", "mixes 2 series"


def missing_labels(files: Any, tmp: Path) -> Found:
    return prepare(files.ct, tmp / "labels.nii.gz", tmp), tmp / "labels.nii.gz", "does not exist"


def labels_of_another_grid(files: Any, tmp: Path) -> Found:
    image = nibabel.load(files.labels)
    image.slicer[:-1].to_filename(tmp / "labels.nii.gz")
    return prepare(files.ct, tmp / "labels.nii.gz", tmp), tmp / "labels.nii.gz", "not on the CT's grid"


def level_not_in_the_labels(files: Any, tmp: Path) -> Found:
    return [*prepare(files.ct, files.labels, tmp), "--levels", "T12,L5"], files.labels, "L5 is not in the label map"


def unknown_label_scheme(files: Any, tmp: Path) -> Found:
    return prepare(files.ct, files.labels, tmp, "--label-scheme", "mine"), "mine", "--label-scheme"


def unknown_key_in_the_label_scheme(files: Any, tmp: Path) -> Found:
    (tmp / "scheme.yaml").write_text("L1: 20\nlumbar2: 21\n")
    arguments = prepare(files.ct, files.labels, tmp, "--label-scheme", tmp / "scheme.yaml")
    return arguments, tmp / "scheme.yaml", "unknown key 'lumbar2'"


def case_over_other_files(files: Any, tmp: Path) -> Found:
    (tmp / "thesis").mkdir()
    (tmp / "thesis" / "thesis.tex").write_text("years of work")
    return [*prepare(files.ct, files.labels, tmp), "--out", tmp / "thesis"], tmp / "thesis", "not a case"


def case_below_a_file(files: Any, tmp: Path) -> Found:
    (tmp / "file").write_text("")
    out = tmp / "file" / "case"
    return [*prepare(files.ct, files.labels, tmp), "--out", out], out, "cannot be written"


def simulation_without_a_case(files: Any, tmp: Path) -> Found:
    return ["simulate", tmp / "nowhere", "--out", tmp / "study"], tmp / "nowhere", "not a case"


def simulation_of_a_changed_case(files: Any, tmp: Path) -> Found:
    shutil.copytree(files.case, tmp / "case")
    with (tmp / "case" / "body.npz").open("r+b") as body:
        body.seek(1000)
        body.write(b"changed")
    return ["simulate", tmp / "case", "--out", tmp / "study"], tmp / "case" / "body.npz", "changed"


def simulation_of_a_level_that_is_not_there(files: Any, tmp: Path) -> Found:
    return ["simulate", files.case, "--out", tmp / "study", "--levels", "L2"], files.case, "has no L2"


def simulation_over_other_files(files: Any, tmp: Path) -> Found:
    (tmp / "notes.txt").write_text("mine")
    return ["simulate", files.case, "--out", tmp], tmp, "holds other files"


def simulation_with_an_isocentre_behind_the_detector(files: Any, tmp: Path) -> Found:
    arguments = ["simulate", files.case, "--out", tmp / "study", "--source-to-isocentre-mm", "2000"]
    return arguments, "isocentre", "between source and detector"


def simulation_with_parallel_views(files: Any, tmp: Path) -> Found:
    return (
        ["simulate", files.case, "--out", tmp / "study", "--lateral-angles", "-5", "0"],
        "ap and lateral",
        "20 degrees",
    )


def simulation_without_photons(files: Any, tmp: Path) -> Found:
    return ["simulate", files.case, "--out", tmp / "study", "--photons", "0"], "photons", "between 1 and"


def simulation_with_two_geometries(files: Any, tmp: Path) -> Found:
    arguments = ["simulate", files.case, "--out", tmp / "study", "--geometry", files.geometry]
    return [*arguments, "--size", "64", "--ap-angles", "0", "5"], files.geometry, "leave out --size, --ap-angles"


def simulation_in_another_frame(files: Any, tmp: Path) -> Found:
    path = changed_geometry(files, tmp, lambda content: content.update(reference="tracker"))
    return ["simulate", files.case, "--out", tmp / "study", "--geometry", path], path, "tracker"


def simulation_of_attenuation(files: Any, tmp: Path) -> Found:
    path = changed_geometry(files, tmp, lambda content: content["views"]["ap"].update(intensity="attenuation"))
    return ["simulate", files.case, "--out", tmp / "study", "--geometry", path], path, "transmission"


def registration_without_a_start(files: Any, tmp: Path) -> Found:
    arguments = register(files, tmp)
    return arguments[:-2], files.case, "start pose of each with --initial poses.json, or prepare it again with"


def attention_of_a_case_without_networks(files: Any, tmp: Path) -> Found:
    return [*register(files, tmp), "--attention", tmp / "maps"], files.case, "--attention"


def truncated_image(files: Any, tmp: Path) -> Found:
    (tmp / "ap.png").write_bytes(files.ap.read_bytes()[:5000])
    return register(files, tmp, ap=tmp / "ap.png"), tmp / "ap.png", "truncated"


def missing_image(files: Any, tmp: Path) -> Found:
    return register(files, tmp, lateral=tmp / "lateral.png"), tmp / "lateral.png", "does not exist"


def image_of_another_size(files: Any, tmp: Path) -> Found:
    np.save(tmp / "ap.npy", np.ones((100, 128), np.float32))
    return register(files, tmp, ap=tmp / "ap.npy"), tmp / "ap.npy", "128 x 100 pixels"


def nan_in_an_image(files: Any, tmp: Path) -> Found:
    pixels = read_xray(files.ap, read_geometry(files.geometry).views["ap"])
    pixels[3, 4] = np.nan
    np.save(tmp / "ap.npy", pixels)
    return register(files, tmp, ap=tmp / "ap.npy"), tmp / "ap.npy", "1 NaN"


def even_image(files: Any, tmp: Path) -> Found:
    np.save(tmp / "lateral.npy", np.full((128, 128), 7.0, np.float32))
    return register(files, tmp, lateral=tmp / "lateral.npy"), tmp / "lateral.npy", "the same value"


def singular_camera_matrix(files: Any, tmp: Path) -> Found:
    def change(content: dict) -> None:
        content["views"]["lateral"]["camera_matrix"][1] = [0, 0, 63.5]

    path = changed_geometry(files, tmp, change)
    return register(files, tmp, geometry=path), path, "camera_matrix is singular"


def camera_that_is_not_rigid(files: Any, tmp: Path) -> Found:
    def change(content: dict) -> None:
        content["views"]["ap"]["T_reference_camera"][0][0] = 1.1

    path = changed_geometry(files, tmp, change)
    return register(files, tmp, geometry=path), path, "not a rigid transform"


def unknown_key_in_the_geometry(files: Any, tmp: Path) -> Found:
    path = changed_geometry(files, tmp, lambda content: content["views"]["ap"].update(focal_length=1700))
    return register(files, tmp, geometry=path), path, "unknown key 'focal_length'"


def start_that_is_not_rigid(files: Any, tmp: Path) -> Found:
    def change(content: dict) -> None:
        content["levels"]["L1"]["T_reference_ct"][2][2] = 0.5

    path = changed_poses(files, tmp, change)
    return register(files, tmp, truth=path), path, "not a rigid transform"


def start_in_another_frame(files: Any, tmp: Path) -> Found:
    path = changed_poses(files, tmp, lambda content: content.update(reference="tracker"))
    return register(files, tmp, truth=path), path, "is in tracker"


def start_without_a_level(files: Any, tmp: Path) -> Found:
    path = changed_poses(files, tmp, lambda content: content["levels"].pop("L1"))
    return register(files, tmp, truth=path), path, "no start pose of L1"


def start_of_a_level_that_is_not_in_the_case(files: Any, tmp: Path) -> Found:
    path = changed_poses(files, tmp, lambda content: content["levels"].update(L4=content["levels"]["L1"]))
    return register(files, tmp, truth=path), path, "L4"


def registration_of_a_level_that_is_not_in_the_case(files: Any, tmp: Path) -> Found:
    return [*register(files, tmp), "--levels", "L4"], files.case, "--levels names L4"


def poses_over_a_folder(files: Any, tmp: Path) -> Found:
    (tmp / "folder").mkdir()
    (tmp / "folder" / "file").write_text("")
    return [*register(files, tmp), "--out", tmp / "folder"], tmp / "folder", "choose another output path"


def overlay_below_a_file(files: Any, tmp: Path) -> Found:
    (tmp / "file").write_text("")
    return [*register(files, tmp), "--overlay", tmp / "file"], tmp / "file", "cannot be written"


def evaluation_against_another_frame(files: Any, tmp: Path) -> Found:
    path = changed_poses(files, tmp, lambda content: content.update(reference="tracker"))
    return ["evaluate", files.case, "--poses", path, "--truth", files.truth], path, "carm_base"


def evaluation_without_truth_of_a_level(files: Any, tmp: Path) -> Found:
    path = changed_poses(files, tmp, lambda content: content["levels"].pop("T12"))
    return ["evaluate", files.case, "--poses", files.truth, "--truth", path], files.truth, "T12, but the truth does not"


def evaluation_of_damaged_poses(files: Any, tmp: Path) -> Found:
    (tmp / "poses.json").write_text('{"reference": "carm_base", ')
    return ["evaluate", files.case, "--poses", tmp / "poses.json", "--truth", files.truth], tmp / "poses.json", "JSON"


def info_of_nothing(files: Any, tmp: Path) -> Found:
    return ["info", tmp / "nothing"], tmp / "nothing", "does not exist"


def info_of_something_else(files: Any, tmp: Path) -> Found:
    (tmp / "notes.txt").write_text("mine")
    return ["info", tmp / "notes.txt"], tmp / "notes.txt", "nothing that info knows"


def info_of_an_empty_folder(files: Any, tmp: Path) -> Found:
    (tmp / "empty").mkdir()
    return ["info", tmp / "empty"], tmp / "empty", "is an empty folder"


def info_of_a_recording_without_metadata(files: Any, tmp: Path) -> Found:
    (tmp / "killed").mkdir()
    (tmp / "killed" / "killed_0.mcap").touch()
    return ["info", tmp / "killed"], tmp / "killed", "no metadata.yaml; write it with `ros2 bag reindex"


BAD_INPUT = (
    missing_folder,
    empty_folder,
    series_with_a_gap,
    two_series_mixed,
    missing_labels,
    labels_of_another_grid,
    level_not_in_the_labels,
    unknown_label_scheme,
    unknown_key_in_the_label_scheme,
    case_over_other_files,
    case_below_a_file,
    simulation_without_a_case,
    simulation_of_a_changed_case,
    simulation_of_a_level_that_is_not_there,
    simulation_over_other_files,
    simulation_with_an_isocentre_behind_the_detector,
    simulation_with_parallel_views,
    simulation_without_photons,
    simulation_with_two_geometries,
    simulation_in_another_frame,
    simulation_of_attenuation,
    registration_without_a_start,
    attention_of_a_case_without_networks,
    truncated_image,
    missing_image,
    image_of_another_size,
    nan_in_an_image,
    even_image,
    singular_camera_matrix,
    camera_that_is_not_rigid,
    unknown_key_in_the_geometry,
    start_that_is_not_rigid,
    start_in_another_frame,
    start_without_a_level,
    start_of_a_level_that_is_not_in_the_case,
    registration_of_a_level_that_is_not_in_the_case,
    poses_over_a_folder,
    overlay_below_a_file,
    evaluation_against_another_frame,
    evaluation_without_truth_of_a_level,
    evaluation_of_damaged_poses,
    info_of_nothing,
    info_of_something_else,
    info_of_an_empty_folder,
    info_of_a_recording_without_metadata,
)


def contents_of(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("bad_input", BAD_INPUT, ids=lambda case: case.__name__)
def test_bad_input_is_one_line_and_changes_nothing(
    bad_input: Callable[[Any, Path], Found], files: Any, tmp_path: Path, run: Callable[..., Any]
) -> None:
    arguments, name, words = bad_input(files, tmp_path)
    before = contents_of(tmp_path)
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.endswith(".\n") and ended.err.count("\n") == 1, ended.err
    assert str(name) in ended.err and words in ended.err, ended.err
    assert contents_of(tmp_path) == before
