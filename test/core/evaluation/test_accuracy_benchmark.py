"""What `benchmarks.accuracy` runs, reports, and shows; systems here know the truth, or miss it by a known amount."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.io import imread

from radgs_core.case import Case
from radgs_core.evaluation import accuracy_of, capture_bins, capture_range_mm, reconstruction
from radgs_core.evaluation.system import SystemResult
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io import LevelPose, Poses
from radgs_core.xray import CArm

KEYS = (
    "noprior_median_tre_mm",
    "noprior_p95_tre_mm",
    "noprior_success_2mm",
    "capture_range_mm",
    "network_only_mtre_mm",
    "ssim_percent",
    "psnr_db",
    "seconds_five_levels",
    "wrong_accepts",
    "needless_reject_percent",
)


class StaysAtStart:
    """Finds nothing: every level is where the start says, T12 rejected."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.calls = 0

    def register(
        self,
        images: Mapping[str, NDArray],
        geometry: BiplanarGeometry,
        start: NDArray[np.float64],
    ) -> SystemResult:
        self.calls += 1
        assert set(images) == set(geometry.views)
        levels = {
            label: LevelPose(start, "rejected" if label == "T12" else "registered", "", 1.0)
            for label in self.case.levels
        }
        reconstructions = {label: self.case.levels[label].gaussians.moved(start) for label in self.case.levels}
        return SystemResult(Poses(geometry.reference, levels), 0.5, {"waiting": 0.5}, reconstructions)


@pytest.fixture
def studies(phantom_case: Case, monkeypatch: pytest.MonkeyPatch):
    from benchmarks import varied_studies

    monkeypatch.setattr(varied_studies, "CArm", lambda: CArm(pixel_mm=2.4, size=64))
    monkeypatch.setattr(reconstruction, "SIDE", 48)  # takes a twentieth of the time
    return varied_studies.VariedStudies(phantom_case)


def silent(fraction: float, message: str) -> None:
    pass


def test_every_study_is_registered_once(studies, phantom_case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.accuracy_runs import measured, seeds_of, taken_studies

    system = StaysAtStart(phantom_case)
    records = measured(phantom_case, system, taken_studies(studies, 2, silent), "still", silent)
    assert system.calls == 2
    first = seeds_of(list(phantom_case.levels)).studies
    assert [record.seed for record in records] == [first, first + 1]
    found = accuracy_of(records)
    assert 4 < found.every.mean_mm < 20  # the start is 8 mm and 8 degrees off, the levels bend by 3
    assert (found.every.registered, found.every.rejected, found.wrong_accepts) == (2, 2, 2)
    assert dict(found.seconds_by_stage) == {"waiting": 0.5}
    assert f"seed {first}: TRE T12" in capsys.readouterr().out


def test_the_capture_range_of_a_system_that_stays_where_it_is(studies, phantom_case: Case) -> None:
    """Below 2 mm it succeeds, farther off never: no bin is full of successes."""
    from benchmarks.accuracy_runs import capture_trials

    trials = capture_trials(studies, StaysAtStart(phantom_case), 1, silent)
    assert len({trial.study for trial in trials}) == 6
    assert [trial.error.tre_mm for trial in trials] == pytest.approx([trial.initial_tre_mm for trial in trials])
    assert max(trial.initial_tre_mm for trial in trials) > 20
    assert capture_range_mm(capture_bins(trials), 1) == 0


def test_the_last_line_has_all_keys_whatever_was_measured(studies, phantom_case: Case) -> None:
    from benchmarks.accuracy_figures import figures
    from benchmarks.accuracy_runs import measured, taken_studies

    nothing = figures({}, math.nan, 5, 100)
    assert list(nothing)[: len(KEYS)] == list(KEYS)
    assert all(math.isnan(nothing[key]) for key in KEYS)
    accuracy = accuracy_of(
        measured(phantom_case, StaysAtStart(phantom_case), taken_studies(studies, 1, silent), "", silent)
    )
    found = figures({"ours": accuracy, "network_only": accuracy}, 25.0, 5, 1)
    assert found["noprior_median_tre_mm"] == pytest.approx(accuracy.visible.median_mm)
    assert found["network_only_mtre_mm"] == pytest.approx(accuracy.visible.mean_mm)
    assert found["wrong_accepts"] == 1 and found["capture_range_mm"] == 25.0 and found["seconds_five_levels"] == 0.5
    assert accuracy.quality is not None
    assert found["ssim_percent"] == pytest.approx(100 * accuracy.quality.mean.ssim)
    assert math.isnan(figures({"ours": accuracy}, 25.0, 4, 1)["seconds_five_levels"])


def test_every_row_has_a_key_of_its_own_and_the_named_ones_are_there() -> None:
    from benchmarks.accuracy_rows import NETWORK_ONLY, OURS, ROWS, WITH_START
    from benchmarks.paper_figures import ABLATION_MTRE_MM

    keys = [row.key for row in ROWS]
    assert len(set(keys)) == len(keys) and {OURS, NETWORK_ONLY, WITH_START} <= set(keys)
    assert {row.like for row in ROWS} - {""} == set(ABLATION_MTRE_MM)


def test_what_is_tuned_is_tuned_on_other_studies() -> None:
    from benchmarks.accuracy_runs import seeds_of
    from benchmarks.accuracy_training import FIRST_PAIR_SEED, PAIRS

    studies, starts = 100, 120
    spans = [range(FIRST_PAIR_SEED, FIRST_PAIR_SEED + PAIRS)]
    for levels in (["T9", "T10", "T11", "T12", "L1"], ["T5", "T6", "T7", "T8"]):
        first = seeds_of(levels)
        spans += [range(first.studies, first.studies + studies), range(first.capture, first.capture + starts)]
    assert len({seed for span in spans for seed in span}) == sum(map(len, spans))


def test_what_is_missing_is_trained_with_what_it_needs(
    phantom_case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import accuracy_networks
    from benchmarks.accuracy_rows import ROWS
    from benchmarks.accuracy_training import REPORTED, missing

    monkeypatch.setattr(accuracy_networks, "FOLDER", tmp_path)
    assert missing(phantom_case) == list(REPORTED)
    assert {row.training for row in ROWS if not row.comes_trained} == set(REPORTED) - {"prior"}
    for name in ("p1", "p1_p2", "full", "no_cal"):
        accuracy_networks.networks_file(name, list(phantom_case.levels)).touch()
    assert missing(phantom_case) == ["no_recm", "untrained"]


def test_networks_that_were_not_trained_are_named(
    phantom_case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import accuracy_networks
    from benchmarks.accuracy_rows import ROWS

    monkeypatch.setattr(accuracy_networks, "FOLDER", tmp_path)
    assert accuracy_networks.networks_file("p1", ["T9", "T10", "T11", "T12", "L1"]).name == "networks_p1.safetensors"
    needing = [row for row in ROWS if row.key not in ("refinement", "peer")]
    assert len(needing) == len(ROWS) - 2
    for row in needing:
        with pytest.raises(accuracy_networks.NotTrained, match=r"networks_\w+_T12_L1.safetensors is missing"):
            row.load(phantom_case)


def test_the_page_shows_both_tables_and_draws(
    studies, phantom_case: Case, tmp_path: Path, cells_of: Callable[[str, str], list[str]]
) -> None:
    from benchmarks.accuracy_figures import level_rows, missing_row, reference_rows, stage_rows, system_row
    from benchmarks.accuracy_page import accuracy_parts
    from benchmarks.accuracy_rows import ROWS
    from benchmarks.accuracy_runs import capture_trials, measured, taken_studies
    from benchmarks.accuracy_tables import ABLATION_COLUMNS
    from benchmarks.capture_table import bin_rows, start_rows

    system = StaysAtStart(phantom_case)
    records = measured(phantom_case, system, taken_studies(studies, 2, silent), "still", silent)
    trials = capture_trials(studies, system, 1, silent)
    accuracy = accuracy_of(records)
    rows = [system_row(row, accuracy, 2) if row.key == "ours" else missing_row(row, "not there") for row in ROWS]
    content = {
        "systems": rows,
        "captures": [{"system": "ours", "capture_range_mm": 0.0, "starts_a_bin": 1}],
        "references": reference_rows(phantom_case),
        "stages": stage_rows({"ours": accuracy}),
        "bins": bin_rows(capture_bins(trials)),
        "starts": start_rows(trials),
        "records": level_rows({"ours": records}),
    }
    text = "\n".join(accuracy_parts(json.loads(json.dumps(content)), tmp_path))
    comparison, ablation = text.split("paper's second table")
    ours = cells_of(comparison, "ours, no start")
    assert ours[5] == f"{accuracy.visible.mean_mm:.2f} ± {accuracy.visible.std_mm:.2f}"
    levels = str(accuracy.visible.levels)
    assert ours[6:] == ["0", "0.00", "0.50", levels, levels, "this run"]
    assert cells_of(comparison, "ours without refinement (P2)")[-1] == "not measured: not there"
    assert cells_of(comparison, "RadGS-Reg")[5:] == [
        "1.14 ± 1.01",
        "20-25",
        "93.33",
        "0.82",
        "-",
        "-",
        cells_of(comparison, "DiffPose")[-1],
    ]
    assert "the paper" in cells_of(comparison, "DiffPose")[-1]
    named = dict(zip(ABLATION_COLUMNS, cells_of(ablation, "ours, no start"), strict=True))
    assert named["wrong accepts, all levels"] == str(accuracy.wrong_accepts)
    assert named["along AP depth"] == f"{accuracy.visible.depth_mm['ap']:.2f}"
    assert named["needlessly, % of levels"] == f"{accuracy.needless_reject_percent:.2f}"
    assert cells_of(ablation, "P1 (other levels of this CT), without refinement: not there")[-1] == "4.03"
    assert cells_of(ablation, "ours")[1:] == ["waiting", "0.50", "100 %"]
    assert "an empty reconstruction: SSIM" in text
    for name in ("start", "success", "calibration"):
        assert f"](accuracy_{name}.png)" in text
        assert imread(tmp_path / f"accuracy_{name}.png").std() > 10
