"""Writes docs/results/README.md and the plots beside it from what the benchmarks left in build/bench."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.accuracy_page import ablation_parts, accuracy_parts
from benchmarks.capture_plot import draw_capture
from benchmarks.capture_table import COLUMNS as CAPTURE_COLUMNS
from benchmarks.capture_table import cells
from benchmarks.report import FOLDER, ROOT, Row
from radgs_core.io.atomic import written_atomically

PAGE = ROOT / "docs" / "results" / "README.md"
CAPTURE_PLOT = "capture.png"
ORIGIN = ("command", "commit", "cores", "minutes")
INTRODUCTION = """# Results

Written by `make results` from what the benchmarks left in `build/bench`. What the figures mean:
[evaluation.md](../evaluation.md). One CT, simulated X-rays: nothing here says how well this works on patients.
"""
TITLES = {
    "accuracy_full": "T9 to L1 of the example CT, no start unless said, C-arm, dose, physics and bending varied",
    "accuracy_tuning": "RegM on points, which was chosen, and on voxels, on levels for tuning, before RecM was given"
    " the alignment: not a result",
    "refine": "T9 to L1 of the example CT, all levels from one start 8 mm and 8 degrees off",
    "refine_tuning": "Levels that stages and verdicts were tuned on, not a result",
    "capture": "T9 to L1 of the example CT, realistic physics, starts up to 30 mm off",
    "prepare": "Preparation of T9 to L1",
}
COLUMNS = ("plain", "realistic", "peer_rigid", "peer")
"""What keys begin with; of two that fit, the first."""


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
    minutes = f", {content['minutes']:g} minutes" if "minutes" in content else ""
    origin = f"`{content['command']}`, commit {content['commit']}, {content['cores']} cores{minutes}."
    figures = {key: value for key, value in content.items() if key not in ORIGIN and not isinstance(value, list)}
    parts = [heading, origin + "\n", _table(figures)]
    if name == "accuracy_full":
        parts += accuracy_parts(content, PAGE.parent)
    if name == "accuracy_tuning":
        parts += ablation_parts(content)
    if name == "capture":
        draw_capture(content["starts"], content["bins"], PAGE.parent / CAPTURE_PLOT)
        parts += [_capture_table(content["bins"]), f"![Final TRE and success over initial TRE]({CAPTURE_PLOT})\n"]
    return "\n".join(parts)


def _capture_table(bins: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(CAPTURE_COLUMNS.values()) + " |", "|---" * len(CAPTURE_COLUMNS) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in bins]
    return "\n".join(lines) + "\n"


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
