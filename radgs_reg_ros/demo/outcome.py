"""What the demo measured on each level."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class LevelOutcome:
    """Target registration error of a level, mm, at the start and as received; None where no pose was received."""

    label: str
    before_mm: float
    after_mm: float | None
    reason: str


def outcome_table(outcomes: Sequence[LevelOutcome]) -> Table:
    """One row a level."""
    table = Table("level", "TRE before, mm", "TRE after, mm", "verdict", title="received frames against the truth")
    for outcome in outcomes:
        after, verdict = "-", f"rejected: {outcome.reason}"
        if outcome.after_mm is not None:
            after, verdict = f"{outcome.after_mm:.2f}", "registered"
        table.add_row(outcome.label, f"{outcome.before_mm:.2f}", after, verdict)
    return table
