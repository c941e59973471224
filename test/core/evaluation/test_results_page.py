"""The page of results shows what the benchmarks left, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from skimage.io import imread

from radgs_core.evaluation import LevelError, Trial, capture_bins

TRIALS = [
    *[Trial(1, 3.0, LevelError("L1", "registered", 0.4))] * 3,
    Trial(2, 7.0, LevelError("T12", "registered", 2.5)),
    Trial(2, 7.5, LevelError("L1", "rejected", 0.6)),
]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Writes the page from what is in the folder bench, and returns it."""
    from benchmarks import document, report

    monkeypatch.setattr("sys.argv", ["benchmarks/capture_range.py"])
    monkeypatch.setattr(report, "FOLDER", tmp_path / "bench")
    monkeypatch.setattr(document, "FOLDER", tmp_path / "bench")
    monkeypatch.setattr(document, "PAGE", tmp_path / "results" / "README.md")
    (tmp_path / "results").mkdir()

    def written() -> str:
        document.main()
        return (tmp_path / "results" / "README.md").read_text()

    return written


def test_what_has_not_been_run_is_said(page: Callable[[], str]) -> None:
    assert page().count("Not run.") == 6


def test_figures_of_a_kind_stand_in_one_row(page: Callable[[], str], cells_of: Callable[[str, str], list[str]]) -> None:
    from benchmarks.report import report

    keys = ("plain_median_tre_mm", "realistic_median_tre_mm", "peer_rigid_median_tre_mm", "peer_median_tre_mm")
    report("refine", {**{key: n + 0.5 for n, key in enumerate(keys)}, "capture_range_mm": 25.0})
    text = page()
    assert "| | plain | realistic | peer_rigid | peer |  |" in text
    assert cells_of(text, "median_tre_mm") == ["median_tre_mm", "0.5", "1.5", "2.5", "3.5", ""]
    assert cells_of(text, "capture_range_mm") == ["capture_range_mm", "", "", "", "", "25"]


def test_the_capture_range_has_a_table_and_a_plot(
    page: Callable[[], str], tmp_path: Path, cells_of: Callable[[str, str], list[str]]
) -> None:
    from benchmarks.capture_table import bin_rows, start_rows
    from benchmarks.report import report

    bins = capture_bins(TRIALS)
    report("capture", {"capture_range_mm": 5.0}, {"bins": bin_rows(bins), "starts": start_rows(TRIALS)})
    rows = json.loads((tmp_path / "bench" / "capture.json").read_text())["starts"]
    assert len(rows) == 5
    assert rows[-1] == {"seed": 2, "level": "L1", "initial_tre_mm": 7.5, "tre_mm": 0.6, "status": "rejected"}
    text = page()
    assert cells_of(text, "0 to 5") == ["0 to 5", "1", "3", "100.0%", "100.0%", "0.40", "0.40", "0", "0", "0"]
    assert cells_of(text, "5 to 10")[:5] == ["5 to 10", "1", "2", "50.0%", "50.0%"]
    assert cells_of(text, "5 to 10")[-3:] == ["1", "1", "1"]
    assert cells_of(text, "25 to 30") == ["25 to 30", "0", "0", *["-"] * 7]
    assert "](capture.png)" in text
    picture = imread(tmp_path / "results" / "capture.png")
    assert picture.std() > 10
