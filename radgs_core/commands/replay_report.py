"""What radgs-reg replay prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from radgs_core.commands.output import print_json, print_table
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.messages.stamps import seconds_text
from radgs_core.registration.result import LevelResult
from radgs_core.replay.outcome import PairOutcome


def print_outcomes(outcomes: Sequence[PairOutcome], left_out: int, out: Path, as_json: bool) -> None:
    """Print what became of every pair, and the recording that was written; as JSON or as a table."""
    if as_json:
        print_json({"bag": str(out), "pairs": [_pair(outcome) for outcome in outcomes], "left_out": left_out})
        return
    table = Table(title=f"{len(outcomes)} pairs of X-rays")
    for name in ("AP", "lateral", "registered", "seconds", "rejected, or why nothing was registered"):
        table.add_column(name)
    for outcome in outcomes:
        stamps = (seconds_text(outcome.stamps_ns[view]) for view in VIEW_NAMES)
        table.add_row(*stamps, *_verdicts(outcome))
    print_table(table)
    if left_out:
        print(f"{left_out} messages or pairs could not be used; see the warnings.")
    print(out)


def _verdicts(outcome: PairOutcome) -> tuple[str, str, str]:
    """Registered levels, time and what went wrong."""
    result = outcome.result
    if result is None:
        return "", "", outcome.problem
    return ", ".join(result.registered), f"{result.seconds:.2f}", result.rejections


def _pair(outcome: PairOutcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "stamp_ns": outcome.stamp_ns,
        "stamps_ns": dict(outcome.stamps_ns),
        "received_ns": outcome.received_ns,
        "problem": outcome.problem,
        "levels": {} if result is None else {label: _level(level) for label, level in result.levels.items()},
        "seconds": None if result is None else result.seconds,
    }


def _level(level: LevelResult) -> dict[str, Any]:
    return {
        "status": level.status,
        "reason": level.reason,
        "T_reference_ct": level.T_reference_ct.tolist(),
        "expected_tre_mm": level.expected_tre_mm,
    }
