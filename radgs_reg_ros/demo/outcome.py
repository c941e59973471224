"""What the demo measured on each level."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class LevelOutcome:
    """Target registration error of a level as received, mm; None where no pose was received, and the reason why."""

    label: str
    tre_mm: float | None
    reason: str


def outcome_table(outcomes: Sequence[LevelOutcome]) -> Table:
    """One row a level."""
    table = Table("level", "TRE, mm", "verdict", title="received frames against the truth")
    for outcome in outcomes:
        error, verdict = "-", f"rejected: {outcome.reason}"
        if outcome.tre_mm is not None:
            error, verdict = f"{outcome.tre_mm:.2f}", "registered"
        table.add_row(outcome.label, error, verdict)
    return table
