"""radgs-reg replay and info on recordings of a phantom."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_bag import S, Sent, as_png, clock, initialpose, static, write_bag, xrays
from made_exposure import MESSAGES, Exposure

from radgs_core import result_messages
from radgs_core.case import Case
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io import read_geometry, read_poses, write_poses
from radgs_core.io.bag_reader import opened_bag
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.headers import header_of
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.transforms import matrix_from_pose, matrix_from_transform, transform_from_matrix
from radgs_core.registration.pipeline import SpineRegistration

Run = Callable[..., Any]


def frames(files: Any) -> dict[str, np.ndarray]:
    return {f"{view}_optical": c.T_reference_camera for view, c in read_geometry(files.geometry).views.items()}


def shot(files: Any, second: int) -> Exposure:
    """The X-rays of the study, with their camera_info, at a stamp."""
    exposure = Exposure()
    for view, camera in read_geometry(files.geometry).views.items():
        header = header_of(MESSAGES, second * S, f"{view}_optical")
        pixels = cv2.imread(str(files.study / f"{view}.png"), cv2.IMREAD_UNCHANGED)
        exposure.images[view] = image_from_pixels(MESSAGES, pixels, "mono16", header)
        exposure.infos[view] = info_from_camera(MESSAGES, camera, header)
    return exposure


def noise(files: Any, second: int) -> Exposure:
    """X-rays that show nothing."""
    exposure = shot(files, second)
    for image in exposure.images.values():
        image.data = np.random.default_rng(second).integers(0, 255, len(image.data)).astype(np.uint8)
    return exposure


def recorded(files: Any, *exposures: Exposure) -> list[Sent]:
    """Exposures a second apart, transforms late."""
    sent = [message for i, exposure in enumerate(exposures) for message in xrays((100 + i) * S, exposure)]
    return [*sent, static(200 * S, frames(files))]


def arguments_for(files: Any, bag: Path, tmp: Path, *options: object) -> list[object]:
    """Of a replay from the true poses."""
    return [bag, files.case, "--out", tmp / "out", "--initial", files.truth, *options]


@pytest.fixture(scope="module")
def two_pairs(files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    return write_bag(folder / "two_pairs", recorded(files, shot(files, 5), shot(files, 6)))


def test_poses_are_those_of_the_registration_itself(files: Any, two_pairs: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "new" / "replayed"
    ended = run("replay", two_pairs, files.case, "--out", out, "--initial", files.truth, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert (result["bag"], result["left_out"]) == (str(out), 0)

    case, views = Case.load(files.case), read_geometry(files.geometry).views
    on_tf = {
        view: dataclasses.replace(
            camera,
            T_reference_camera=matrix_from_transform(transform_from_matrix(MESSAGES, camera.T_reference_camera), ""),
        )
        for view, camera in views.items()
    }
    images = {
        view: cv2.imread(str(files.study / f"{view}.png"), cv2.IMREAD_UNCHANGED).astype(np.float32) for view in views
    }
    start = {level: pose.T_reference_ct for level, pose in read_poses(files.truth).levels.items()}
    registration, arrays = SpineRegistration(case), []
    with opened_bag(out) as bag:
        for message in bag.messages(["/vertebra_poses"]):
            arrays.append(MESSAGES.read(message.kind, message.data, ""))
    assert [pair["stamp_ns"] for pair in result["pairs"]] == [5 * S, 6 * S]
    for pair, array in zip(result["pairs"], arrays, strict=True):
        direct = registration.register(images, BiplanarGeometry("carm_base", on_tf), start)
        start = {label: level.T_reference_ct for label, level in direct.levels.items()}
        assert array.header.stamp.sec * S == pair["stamp_ns"]
        for level in array.vertebrae:
            assert (level.status, pair["levels"][level.label]["status"]) == (1, "registered")
            np.testing.assert_allclose(pair["levels"][level.label]["T_reference_ct"], start[level.label], atol=1e-12)
            np.testing.assert_allclose(matrix_from_pose(level.ct_pose, ""), start[level.label], rtol=0, atol=1e-12)
    note = json.loads((out / "replay.json").read_text())
    assert (note["bag"], note["case"], note["levels"]) == ("two_pairs", "case", ["T12", "L1"])


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_compressed_images_give_the_same_results_byte_for_byte(
    storage: str, files: Any, two_pairs: Path, tmp_path: Path, run: Run
) -> None:
    sent = recorded(files, shot(files, 5), shot(files, 6))
    png = write_bag(tmp_path / "png", map(as_png, sent), storage)
    results = []
    for bag, options in ((two_pairs, []), (png, ["--image-transport", "compressed"])):
        out = tmp_path / f"from_{bag.name}"
        assert run("replay", bag, files.case, "--out", out, "--initial", files.truth, *options).code == 0
        with opened_bag(out) as replayed, opened_bag(bag) as recording:
            assert replayed.storage == recording.storage
            topics = [topic for topic in replayed.kinds if "/image" not in topic]
            results.append([(m.topic, m.received_ns, m.data) for m in replayed.messages(topics)])
    raw, compressed = results
    assert sum(topic == "/vertebra_poses" for topic, _, _ in raw) == 2
    assert raw == compressed
    assert json.loads((out / "replay.json").read_text())["image_transport"] == "compressed"


def test_the_same_recording_gives_the_same_bytes(files: Any, two_pairs: Path, tmp_path: Path, run: Run) -> None:
    folders = [tmp_path / name / "replayed" for name in ("one", "other")]
    for folder in folders:
        assert run("replay", two_pairs, files.case, "--out", folder, "--initial", files.truth).code == 0
    one, other = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders)
    assert set(one) == {"replayed.mcap", "metadata.yaml", "replay.json"}
    assert one == other


def test_frames_have_the_prefix(files: Any, tmp_path: Path, run: Run) -> None:
    bag, out = write_bag(tmp_path / "bag", recorded(files, shot(files, 5))), tmp_path / "out"
    given = arguments_for(files, bag, tmp_path, "--levels", "L1", "--frame-prefix", "left/")
    assert run("replay", *given).code == 0
    with opened_bag(out) as replayed:
        ((frame,),) = (MESSAGES.read(m.kind, m.data, "").transforms for m in replayed.messages(["/tf"]))
    assert frame.child_frame_id == "left/vertebra_L1"
    assert json.loads((out / "replay.json").read_text())["frame_prefix"] == "left/"


def test_levels_that_are_rejected_are_exit_code_3(files: Any, tmp_path: Path, run: Run) -> None:
    sent = [initialpose(S, read_poses(files.truth).levels["L1"].T_reference_ct)]
    bag = write_bag(tmp_path / "bag", [*sent, *recorded(files, shot(files, 5), noise(files, 6))], "sqlite3")
    out = tmp_path / "replayed"
    ended = run("replay", bag, files.case, "--out", out, "--levels", "L1")
    assert (ended.code, ended.err) == (3, "")
    lines = ended.out.splitlines()
    assert any("5.000000000 s" in line and "L1" in line for line in lines)
    assert any("6.000000000 s" in line and "L1: " in line for line in lines)
    assert lines[-1] == str(out)
    assert (out / "replayed.db3").exists(), "the storage is that of the recording"


def test_pictures_that_cannot_be_made_leave_no_pair_out(
    files: Any, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no edge")

    monkeypatch.setattr(result_messages, "draw_overlay", fail)
    bag = write_bag(tmp_path / "bag", recorded(files, shot(files, 5)))
    ended = run("replay", *arguments_for(files, bag, tmp_path, "--json"))
    assert ended.code == 0
    assert "the pair of 5.000000000 s has no markers and overlays" in ended.err
    result = json.loads(ended.out)
    assert result["left_out"] == 0
    assert [level["status"] for level in result["pairs"][0]["levels"].values()] == ["registered"] * 2


def test_a_pair_without_transforms_is_exit_code_3_and_a_line(files: Any, tmp_path: Path, run: Run) -> None:
    lost = shot(files, 6)
    for message in (lost.images["ap"], lost.infos["ap"]):
        message.header.frame_id = "somewhere"
    bag = write_bag(tmp_path / "bag", recorded(files, shot(files, 5), lost))
    ended = run("replay", bag, files.case, "--out", tmp_path / "out", "--initial", files.truth, "--json")
    assert ended.code == 3
    assert ended.err.startswith("the pair of 6.000000000 s is left out: there is no transform carm_base <- somewhere")
    assert ended.err.count("\n") == 1
    first, second = json.loads(ended.out)["pairs"]
    assert (first["problem"], second["levels"], second["seconds"]) == ("", {}, None)
    assert second["problem"] in ended.err


def test_ctrl_c_leaves_nothing(
    files: Any, two_pairs: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SpineRegistration, "register", interrupted)
    ended = run("replay", two_pairs, files.case, "--out", tmp_path / "out", "--initial", files.truth)
    assert ended.code == 130
    assert list(tmp_path.iterdir()) == []


def no_recording(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return arguments_for(files, files.study, tmp), "is no recording"


def truncated(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    file = tmp / "half.mcap"
    file.write_bytes((bag / "two_pairs.mcap").read_bytes()[:50_000])
    return arguments_for(files, file, tmp), "half.mcap cannot be read as a rosbag2"


def missing_topics(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return arguments_for(files, bag, tmp, "--namespace", "theatre"), "/theatre/ap/image"


def no_start(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return [bag, files.case, "--out", tmp / "out"], "has no start on /initialpose"


def other_reference(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return arguments_for(files, bag, tmp, "--reference", "tracker"), "is in carm_base"


def unknown_level(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return arguments_for(files, bag, tmp, "--levels", "L4"), "--levels names L4"


def start_of_one_level(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    truth = read_poses(files.truth)
    write_poses(tmp / "L1.json", dataclasses.replace(truth, levels={"L1": truth.levels["L1"]}))
    return [bag, files.case, "--out", tmp / "out", "--initial", tmp / "L1.json"], "no start pose of T12"


def onto_itself(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    return [bag / "two_pairs.mcap", files.case, "--out", bag, "--initial", files.truth], "is or holds the recording"


def onto_another(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    other = write_bag(tmp / "other", [clock(S, S)])
    return [bag, files.case, "--out", other, "--initial", files.truth], "holds other files"


def no_pair(files: Any, bag: Path, tmp: Path) -> tuple[list[object], str]:
    exposure = shot(files, 5)
    for message in (exposure.images["ap"], exposure.infos["ap"]):
        message.header.stamp.sec = 7
    apart = write_bag(tmp / "apart", recorded(files, exposure))
    return arguments_for(files, apart, tmp), "within sync_slop_s"


@pytest.mark.parametrize(
    "arguments",
    [
        no_recording,
        truncated,
        missing_topics,
        no_start,
        other_reference,
        unknown_level,
        start_of_one_level,
        onto_itself,
        onto_another,
        no_pair,
    ],
    ids=lambda function: function.__name__,
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    arguments: Callable[..., tuple[list[object], str]], files: Any, two_pairs: Path, tmp_path: Path, run: Run
) -> None:
    given, words = arguments(files, two_pairs, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    ended = run("replay", *given)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err and ended.err.count("\n") == 1 and ended.err.rstrip().endswith(".")
    assert sorted(tmp_path.rglob("*")) == before


def test_info_says_what_a_recording_holds(files: Any, two_pairs: Path, tmp_path: Path, run: Run) -> None:
    for path in (two_pairs, two_pairs / "two_pairs.mcap"):
        facts = json.loads(run("info", path, "--json").out)
        assert (facts["kind"], facts["seconds"], facts["pairs"]) == ("recording, mcap", 100, {"/": 2})
        assert facts["topics"]["/ap/image"] == "2 sensor_msgs/msg/Image"
    sent = [*recorded(files, shot(files, 5)), *xrays(150 * S, shot(files, 6), "/theatre")]
    png = write_bag(tmp_path / "png", map(as_png, sent))
    assert json.loads(run("info", png, "--json").out)["pairs"] == {"/": 1, "/theatre": 1}
    elsewhere = write_bag(tmp_path / "bag", xrays(S, shot(files, 5), "/theatre", ["ap"]), "sqlite3")
    shown = run("info", elsewhere)
    assert (shown.code, shown.err) == (0, "")
    assert "kind: recording, sqlite3" in shown.out
    assert "/theatre: " in shown.out and "has no messages on /theatre/lateral/image" in shown.out
