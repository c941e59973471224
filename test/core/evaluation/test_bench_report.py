"""Every benchmark ends with one line, and leaves the same figures in a file."""

import json
from pathlib import Path

import pytest


def test_line_and_file_hold_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import report

    monkeypatch.setattr(report, "FOLDER", tmp_path / "bench")
    monkeypatch.setattr("sys.argv", ["benchmarks/refine.py", "--seeds", "0", "1"])
    report.report("refine", {"plain_median_tre_mm": 0.123456, "plain_levels": 5, "plain_bound_coverage": float("nan")})
    assert capsys.readouterr().out == "refine: plain_median_tre_mm=0.1235 plain_levels=5 plain_bound_coverage=nan\n"
    content = json.loads((tmp_path / "bench" / "refine.json").read_text())
    assert content.pop("command") == "python -m benchmarks.refine --seeds 0 1"
    assert content.pop("commit")
    assert content.pop("cores") >= 1 and content.pop("minutes") >= 0
    assert content == {"plain_median_tre_mm": 0.123456, "plain_levels": 5, "plain_bound_coverage": None}


def test_tables_are_only_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import report

    monkeypatch.setattr(report, "FOLDER", tmp_path / "bench")
    rows = [{"level": "L1", "tre_mm": 0.5}, {"level": "L2", "tre_mm": float("inf")}]
    report.report("capture", {"capture_range_mm": 5.0}, {"starts": rows})
    assert capsys.readouterr().out == "capture: capture_range_mm=5\n"
    content = json.loads((tmp_path / "bench" / "capture.json").read_text())
    assert content["starts"] == [{"level": "L1", "tre_mm": 0.5}, {"level": "L2", "tre_mm": None}]
