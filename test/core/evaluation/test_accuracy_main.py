"""What a run of `benchmarks.accuracy` measures, and under which name it reports; systems and studies are made up."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from radgs_core.case import Case
from radgs_core.evaluation import LevelError, LevelRecord, StudyRecord, Trial

KEYS = ["ours", "with_start", "p1", "peer"]
"""With networks of the demo, with a start, with networks that have to be trained, and slow."""
ERROR = LevelError("L1", "registered", 0.5, 0.5)


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a run left: reports by name, and what it trained; None if it never asked."""

    reports: dict[str, Any]
    trained: list[str] | None

    def studies(self, name: str) -> dict[str, int | None]:
        """How many each system was given, by key; None where it was not measured."""
        return {row["system"]: row.get("studies") for row in self.reports[name]["systems"]}


@pytest.fixture
def run(phantom_case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """``run("--quick", untrained=["p1"])``."""
    from benchmarks import accuracy, accuracy_rows, report
    from benchmarks.accuracy_networks import NotTrained

    monkeypatch.setattr(report, "FOLDER", tmp_path)
    rows = [dataclasses.replace(row, made=lambda case: case) for row in accuracy.ROWS if row.key in KEYS]
    assert [row.key for row in rows] == KEYS
    stubs: dict[str, Any] = {
        "ROWS": rows,
        "FULL": accuracy.Size(3, 1, 2),
        "QUICK": accuracy.Size(2, 1, 1),
        "example_case": lambda levels: phantom_case,
        "VariedStudies": lambda case: type("Studies", (), {"case": case}),
        "taken_studies": lambda studies, count, progress: list(range(count)),
        "warm_up": lambda system, study: None,
        "measured": lambda case, system, studies, name, progress: [record(seed) for seed in studies],
        "capture_trials": lambda studies, system, count, progress: [Trial(n, 1.0, ERROR) for n in range(count)],
        "reference_rows": lambda case: [],
        "missing": lambda case: ["p1"],
    }
    for name, stub in stubs.items():
        monkeypatch.setattr(accuracy, name, stub)

    def call(*arguments: str, untrained: Sequence[str] = ()) -> Ran:
        trained: list[list[str]] = []

        def with_networks(case: Case, training: str) -> Case:
            if training in untrained:
                raise NotTrained(f"{training} is missing")
            return case

        monkeypatch.setattr(accuracy_rows, "with_networks", with_networks)
        monkeypatch.setattr(accuracy, "train_all", lambda case, names: trained.append(names))
        monkeypatch.setattr("sys.argv", ["accuracy", *arguments])
        accuracy.main()
        reports = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
        return Ran(reports, trained[0] if trained else None)

    return call


def record(seed: int) -> StudyRecord:
    return StudyRecord(seed, [LevelRecord(ERROR, True, None)], 0.5, {"refinement": 0.5})


@pytest.mark.parametrize("arguments", [[], ["--studies", "4"], ["--capture-starts", "3"], ["--systems", *KEYS]])
def test_a_full_run_replaces_what_is_shown(run: Callable[..., Ran], arguments: list[str]) -> None:
    reports = run(*arguments).reports
    assert set(reports) == {"accuracy", "accuracy_full"}
    assert reports["accuracy"] == reports["accuracy_full"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--studies", "2"],
        ["--capture-starts", "1"],
        ["--capture-starts", "0"],
        ["--capture", "ours"],
        ["--systems", "ours", "with_start"],
        ["--quick", "--studies", "1"],
        ["--quick", "--systems", "ours", "with_start"],
    ],
)
def test_what_leaves_something_out_is_a_part(run: Callable[..., Ran], arguments: list[str]) -> None:
    assert set(run(*arguments).reports) == {"accuracy_part"}


def test_networks_that_could_not_be_had_are_left_out(run: Callable[..., Ran]) -> None:
    ran = run(untrained=["p1"])
    assert set(ran.reports) == {"accuracy_part"}
    assert ran.studies("accuracy_part") == {"ours": 3, "with_start": 3, "p1": None, "peer": 1}
    assert [row["missing"] for row in ran.reports["accuracy_part"]["systems"]] == ["", "", "p1 is missing", ""]


@pytest.mark.parametrize("arguments", [[], ["--quick"], ["--studies", "1"]])
def test_other_levels_are_for_tuning(run: Callable[..., Ran], arguments: list[str]) -> None:
    assert set(run("--levels", "T5", "T6", *arguments).reports) == {"accuracy_tuning"}


def test_a_quick_run_measures_what_comes_trained_and_does_not_replace_what_is_shown(run: Callable[..., Ran]) -> None:
    ran = run("--quick", untrained=["p1"])
    assert set(ran.reports) == {"accuracy"} and ran.trained is None
    assert ran.studies("accuracy") == {"ours": 2, "with_start": 2, "peer": 1}
    assert ran.reports["accuracy"]["studies"] == 2


def test_a_full_run_trains_what_is_missing(run: Callable[..., Ran]) -> None:
    ran = run()
    assert ran.trained == ["p1"]
    assert ran.studies("accuracy") == {"ours": 3, "with_start": 3, "p1": 3, "peer": 1}
    assert len(ran.reports["accuracy"]["starts"]) == 2
    assert run("--systems", "ours").trained is None


def test_what_was_not_chosen_is_measured_where_it_is_asked_for(run: Callable[..., Ran]) -> None:
    from benchmarks import accuracy

    (row,) = accuracy.TRIED
    asked = run("--systems", row.key, untrained=[row.training])
    assert asked.studies("accuracy_part") == {row.key: None}
