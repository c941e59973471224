"""Writes docs/results/README.md from what the benchmarks left in build/bench."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report import FOLDER, ROOT
from radgs_core.io.atomic import written_atomically

PAGE = ROOT / "docs" / "results" / "README.md"
ORIGIN = ("command", "commit", "cores")
INTRODUCTION = """# Results

Written by `make results` from what the benchmarks left in `build/bench`. What the figures mean:
[evaluation.md](../evaluation.md). One CT, simulated X-rays: nothing here says how well this works on patients.
"""
TITLES = {
    "refine": "T9 to L1 of the example CT, seeds 0 to 9, all levels from one start 8 mm and 8 degrees off",
    "refine_tuning": "T5 to T8, seeds 100 to 105: what stages and verdicts were tuned on, not a result",
    "prepare": "Preparation of T9 to L1",
}
COLUMNS = ("plain", "realistic")


def main() -> None:
    """Write one section a benchmark; one that has not been run is named as such."""
    sections = [_section(name, title, FOLDER / f"{name}.json") for name, title in TITLES.items()]
    with written_atomically(PAGE) as temporary:
        temporary.write_text("\n".join([INTRODUCTION, *sections]), encoding="utf-8")
    print(PAGE)


def _section(name: str, title: str, file: Path) -> str:
    heading = f"## {name}\n\n{title}.\n"
    if not file.exists():
        return f"{heading}\nNot run.\n"
    content = json.loads(file.read_text())
    origin = f"`{content['command']}`, commit {content['commit']}, {content['cores']} cores."
    figures = {key: value for key, value in content.items() if key not in ORIGIN}
    return f"{heading}\n{origin}\n\n{_table(figures)}"


def _table(figures: Mapping[str, float | None]) -> str:
    """Figures that differ only by physics stand in one row."""
    rows: dict[str, dict[str, str]] = {}
    for key, value in figures.items():
        column = next((name for name in COLUMNS if key.startswith(f"{name}_")), "")
        row = key.removeprefix(f"{column}_")
        rows.setdefault(row, {})[column] = "not a number" if value is None else f"{value:.4g}"
    columns = [name for name in (*COLUMNS, "") if any(name in row for row in rows.values())]
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += [f"| {row} | " + " | ".join(cells.get(c, "") for c in columns) + " |" for row, cells in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
