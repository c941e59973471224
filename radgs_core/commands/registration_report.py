"""What radgs-reg register prints."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from radgs_core.commands.output import print_json, print_table
from radgs_core.registration.result import LevelResult, RegistrationResult

UNKNOWN = "-"


def print_result(
    result: RegistrationResult, out: Path | None, overlays: Mapping[str, Path], attention: Sequence[Path], as_json: bool
) -> None:
    """Print poses, verdicts, times and the files that were written; as JSON or as a table."""
    if as_json:
        _print_json(result, out, overlays, attention)
        return
    table = Table(title=f"Registered in {result.seconds:.1f} s, reference {result.reference}")
    for name in ("level", "verdict", "origin of the CT, mm", "expected error, mm", "similarity", "reason"):
        table.add_column(name)
    for label, level in result.levels.items():
        table.add_row(label, level.status, *_numbers(level), level.reason)
    print_table(table)
    shares = ", ".join(
        f"{stage} {seconds:.2f} s ({seconds / result.seconds:.0%})"
        for stage, seconds in result.seconds_by_stage.items()
    )
    print(f"stages: {shares}")
    for path in (*([out] if out else []), *overlays.values(), *attention):
        print(path)


def _numbers(level: LevelResult) -> tuple[str, str, str]:
    """Place, expected error and similarity of a level."""
    known = math.isfinite(level.expected_tre_mm)
    return (
        " ".join(f"{x:.2f}" for x in level.T_reference_ct[:3, 3]),
        f"{level.expected_tre_mm:.2f}" if known else UNKNOWN,
        ", ".join(f"{view} {value:.2f}" for view, value in level.similarity.items()) or UNKNOWN,
    )


def _print_json(
    result: RegistrationResult, out: Path | None, overlays: Mapping[str, Path], attention: Sequence[Path]
) -> None:
    levels = {
        label: {
            "status": level.status,
            "reason": level.reason,
            "T_reference_ct": level.T_reference_ct.tolist(),
            "expected_tre_mm": level.expected_tre_mm,
            "converged": level.converged,
            "iterations": level.iterations,
            "similarity": dict(level.similarity),
        }
        for label, level in result.levels.items()
    }
    print_json(
        {
            "reference": result.reference,
            "levels": levels,
            "T_reference_body": result.T_reference_body.tolist(),
            "seconds": result.seconds,
            "seconds_by_stage": dict(result.seconds_by_stage),
            "poses": None if out is None else str(out),
            "overlays": {view: str(path) for view, path in overlays.items()},
            "attention": [str(path) for path in attention],
        }
    )
