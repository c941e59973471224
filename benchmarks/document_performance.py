"""Writes the tables and the plots of docs/performance.md from what the benchmarks left in build/bench.

Tables stand between comments that name them, ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; the rest stays.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import performance_tables as tables
from benchmarks.performance_plot import draw_fit, draw_performance
from benchmarks.report import FOLDER, ROOT
from radgs_core.io.atomic import written_atomically
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA

PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
BLOCKS: dict[str, tuple[str, Callable[[tables.Content], str]]] = {
    "speed": ("engine", tables.speed_table),
    "errors": ("engine", tables.error_table),
    "cutoffs": ("engine", tables.cutoff_table),
    "costs": ("engine_scaling", tables.cost_table),
    "floors": ("engine_scaling", tables.floor_table),
    "fit": ("fit", tables.fit_table),
    "gpu": ("gpu", tables.gpu_table),
    "ros": ("ros", tables.ros_table),
    "soak": ("soak", tables.soak_table),
}
"""By name, the benchmark and what makes a table of it."""
NOT_RUN = {"gpu": "The CUDA path is compiled by the tests, but it has not been run on a GPU."}


def main() -> None:
    """Fill all blocks; what has not been run is named as such."""
    text = PAGE.read_text(encoding="utf-8")
    for name, (benchmark, make_table) in BLOCKS.items():
        text = filled(text, name, _block(name, benchmark, make_table))
    with written_atomically(PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(PAGE)
    for path in _plots():
        print(path)


def _plots() -> Iterator[Path]:
    engine, scaling, fit = (FOLDER / f"{name}.json" for name in ("engine", "engine_scaling", "fit"))
    if engine.exists() and scaling.exists():
        costs, cutoffs = json.loads(scaling.read_text()), json.loads(engine.read_text())["cutoffs"]
        path = IMAGES / "performance.png"
        draw_performance(costs["costs"], costs["floors"], cutoffs, DEFAULT_CUTOFF_SIGMA, path)
        yield path
    if fit.exists():
        path = IMAGES / "fit.png"
        draw_fit(json.loads(fit.read_text())["curve"], path)
        yield path


def filled(text: str, name: str, block: str) -> str:
    """The text with another block of this name.

    Raises:
        ValueError: there is not exactly one.
    """
    pattern = rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->\n)"
    text, count = re.subn(pattern, lambda match: f"{match[1]}{block}{match[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{PAGE} has {count} blocks {name}, but must have one.")
    return text


def _block(name: str, benchmark: str, make_table: Callable[[tables.Content], str]) -> str:
    file = FOLDER / f"{benchmark}.json"
    if not file.exists():
        return f"{NOT_RUN.get(name, 'Not run.')}\n"
    content = json.loads(file.read_text())
    origin = f"`{content['command']}`, commit {content['commit']}, {content['cores']} cores."
    return f"{make_table(content)}\n{origin}\n"


if __name__ == "__main__":
    main()
