"""Accuracy of the whole system and of its parts on levels of the example CT, as docs/evaluation.md describes.

Every system registers the same studies, each with its own C-arm position, dose, physics and bending of the spine
(`benchmarks.varied_studies`). A full run first trains the networks that its rows need and that are not there; a quick
one measures the rows that need no others than those of the demo. What else has not been trained is left out and named.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.accuracy_figures import (
    figures,
    level_rows,
    missing_row,
    reference_rows,
    stage_rows,
    system_row,
)
from benchmarks.accuracy_networks import NotTrained
from benchmarks.accuracy_rows import ROWS, TRIED, WITH_START, SystemRow
from benchmarks.accuracy_runs import capture_trials, measured, taken_studies, warm_up
from benchmarks.accuracy_tables import (
    ABLATION_COLUMNS,
    COMPARISON_COLUMNS,
    ablation_rows,
    comparison_rows,
    reference_lines,
    rich_table,
)
from benchmarks.accuracy_training import missing, train_all
from benchmarks.capture_range import STARTS_A_BIN
from benchmarks.capture_table import bin_rows, capture_table, start_rows
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import Row, report
from benchmarks.studies import report_name
from benchmarks.varied_studies import VariedStudies, VariedStudy
from radgs_core.commands.output import print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.evaluation import StudyRecord, Trial, accuracy_of, capture_bins, capture_range_mm


@dataclass(frozen=True)
class Size:
    """How much is measured: studies, of them for slow systems, and studies for each bin of the capture range."""

    studies: int
    slow_studies: int
    starts_a_bin: int


FULL, QUICK = Size(100, 3, STARTS_A_BIN), Size(8, 1, 2)


@dataclass(frozen=True)
class Measurements:
    """What was measured, by key of the row: registrations, or why there are none, and starts of the capture range."""

    records: Mapping[str, Sequence[StudyRecord]]
    missing: Mapping[str, str]
    trials: Sequence[Trial]


def main() -> None:
    """Run, print both tables, and report."""
    arguments = _parser().parse_args()
    whole = QUICK if arguments.quick else FULL
    size = _size(arguments, whole)
    offered = [row for row in ROWS if row.comes_trained or not arguments.quick]
    wanted = arguments.systems or [row.key for row in offered]
    case = example_case(arguments.levels)
    if not (arguments.quick or arguments.systems):
        train_all(case, missing(case))
    with shown_progress("taking X-rays") as progress:
        studies = VariedStudies(case)
        taken = taken_studies(studies, size.studies, progress)
    rows = [row for row in (*ROWS, *TRIED) if row.key in wanted]
    found = _measured(rows, studies, taken, size, arguments.capture)
    accuracies = {key: accuracy_of(records) for key, records in found.records.items()}
    bins = capture_bins(found.trials)
    reached = {arguments.capture: capture_range_mm(bins, size.starts_a_bin)} if found.trials else {}
    systems = [
        missing_row(row, found.missing[row.key])
        if row.key in found.missing
        else system_row(row, accuracies[row.key], len(found.records[row.key]))
        for row in rows
    ]
    tables: dict[str, Sequence[Row]] = {
        "systems": systems,
        "captures": [
            {"system": key, "capture_range_mm": mm, "starts_a_bin": size.starts_a_bin} for key, mm in reached.items()
        ],
        "references": reference_rows(case),
        "stages": stage_rows(accuracies),
        "bins": bin_rows(bins),
        "starts": start_rows(found.trials),
        "records": level_rows(found.records),
    }
    _print(tables, reached)
    if found.trials:
        print_table(capture_table(bins, f"Starts of {arguments.capture}, levels that both views show"))
    line = figures(accuracies, reached.get(WITH_START, math.nan), len(case.levels), size.studies)
    left_out = max(0, whole.studies - size.studies) + sum(row.key not in accuracies for row in offered)
    left_out += max(0, whole.starts_a_bin - size.starts_a_bin) + (WITH_START not in reached)
    name = report_name("accuracy", arguments.levels, left_out)
    if name == "accuracy" and not arguments.quick:
        report("accuracy_full", line, tables)  # what docs/results shows: a quick run does not replace it
    report(name, line, tables)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    add = parser.add_argument
    keys = [row.key for row in (*ROWS, *TRIED)]
    add("--quick", action="store_true", help="fewer studies and starts: minutes instead of hours")
    add("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    add("--studies", type=int, metavar="N", help=f"(default: {FULL.studies}; quick: {QUICK.studies})")
    untrained = [row.key for row in ROWS if not row.comes_trained]
    help_systems = f"of {', '.join(keys)} (default: all but {', '.join(row.key for row in TRIED)}; quick: nor "
    help_systems += f"{', '.join(untrained)})"
    add("--systems", nargs="+", choices=keys, metavar="S", help=help_systems)
    add("--capture", choices=keys, default=WITH_START, metavar="S", help=f"whose range (default: {WITH_START})")
    default = f"(default: {FULL.starts_a_bin}; quick: {QUICK.starts_a_bin})"
    help_starts = f"studies a bin of the capture range; 0: not measured {default}"
    add("--capture-starts", type=int, metavar="N", help=help_starts)
    return parser


def _size(arguments: argparse.Namespace, whole: Size) -> Size:
    studies = whole.studies if arguments.studies is None else arguments.studies
    starts = whole.starts_a_bin if arguments.capture_starts is None else arguments.capture_starts
    return Size(studies, min(studies, whole.slow_studies), starts)


def _measured(
    rows: Sequence[SystemRow], studies: VariedStudies, taken: Sequence[VariedStudy], size: Size, capture: str
) -> Measurements:
    """Run every system that there is; the one of the capture range on its starts as well."""
    records, missing, trials = {}, {}, []
    for row in rows:
        with shown_progress(row.name) as progress:
            try:
                system = row.load(studies.case)
            except NotTrained as why:
                missing[row.key] = str(why)
                print(f"{row.name}: not measured, {why}", flush=True)
                continue
            shown = taken[: size.slow_studies]
            if not row.slow:
                shown = taken
                progress(0.0, "warming up")
                warm_up(system, taken[0])
            records[row.key] = measured(studies.case, system, shown, row.name, progress)
            if row.key == capture and size.starts_a_bin:
                trials = capture_trials(studies, system, size.starts_a_bin, progress)
    return Measurements(records, missing, trials)


def _print(tables: Mapping[str, Sequence[Row]], reached: Mapping[str, float]) -> None:
    systems = tables["systems"]
    title = "TRE in mm of levels that both views show"
    print_table(rich_table(COMPARISON_COLUMNS, comparison_rows(systems, reached), title))
    print_table(rich_table(ABLATION_COLUMNS, ablation_rows(systems), title))
    print(*reference_lines(tables["references"]), sep="\n")
    for row in tables["stages"]:
        print(f"{row['system']}: {row['stage']} {row['seconds']:.2f} s, {row['percent']:.0f} %")


if __name__ == "__main__":
    main()
