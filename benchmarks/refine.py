"""Accuracy of the refinement from a start that is 8 mm and 8 degrees wrong, over seeds, on levels of the example CT.

Each seed bends the spine by about 3 mm and 3 degrees a level, draws its own settings for the realistic physics, and its
own start. In the same run, a peer starts from the same poses on some of the realistic studies (`benchmarks.peer`), and
the capture range is measured (`benchmarks.capture_range`).
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools

from benchmarks.capture_range import STARTS_A_BIN, measured_capture_range_mm
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.peer import Peer
from benchmarks.refine_figures import capture_figures, peer_figures, refined_figures, total
from benchmarks.report import report
from benchmarks.studies import START_DEG, START_MM, OperatingRoom, Outcome, part, report_name
from radgs_core.commands.output import print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.evaluation.tables import summary_table

PHYSICS = ("plain", "realistic")
SEEDS = tuple(range(20))
PEER_SEEDS = 0, 1, 2


def main() -> None:
    """Run, print a table, and report."""
    arguments = _parser().parse_args()
    levels: list[str] = arguments.levels
    case = example_case(levels)
    with shown_progress("ray casting the body"):
        room = OperatingRoom(case)
    outcomes = _refined(room, arguments.seeds)
    figures = refined_figures(outcomes)
    peer_seeds = [seed for seed in arguments.seeds if seed in arguments.peer_seeds]
    if peer_seeds:
        outcomes |= _peers(room, peer_seeds)
        same_studies = [outcomes["realistic"][arguments.seeds.index(seed)] for seed in peer_seeds]
        figures |= peer_figures(outcomes["peer rigid"], outcomes["peer per level"], same_studies)
    title = f"TRE in mm, start {START_MM:g} mm and {START_DEG:g} degrees off (peers: realistic studies, no verdicts)"
    columns = {f"{name}\n{len(each)} studies": total(each) for name, each in outcomes.items()}
    print_table(summary_table(columns, title))
    if arguments.capture_starts:
        figures |= capture_figures(measured_capture_range_mm(room, arguments.capture_starts))
    left_out = len({*SEEDS} - {*arguments.seeds}) + len({*PEER_SEEDS} - {*peer_seeds})
    left_out += max(0, STARTS_A_BIN - arguments.capture_starts)
    report(report_name("refine", levels, left_out), figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refine", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, nargs="+", default=SEEDS, metavar="N", help="(default: 0 .. 19)")
    add("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    add("--peer-seeds", type=int, nargs="*", default=PEER_SEEDS, metavar="N", help="of the seeds (default: 0 1 2)")
    help_capture = f"studies a bin of the capture range; 0: not measured (default: {STARTS_A_BIN})"
    add("--capture-starts", type=int, default=STARTS_A_BIN, metavar="N", help=help_capture)
    return parser


def _refined(room: OperatingRoom, seeds: list[int]) -> dict[str, list[Outcome]]:
    """Per physics, one outcome a seed."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in PHYSICS}
    runs = list(itertools.product(PHYSICS, seeds))
    with shown_progress("warming up"):
        # what is done once a process, or kept from one registration to the next, is not a registration's time
        room.registered(room.study(PHYSICS[0], seeds[0]), room.wrong_start(seeds[0]))
    with shown_progress("refine") as progress:
        for number, (name, seed) in enumerate(runs):
            share = part(progress, number, len(runs), f"{name}, seed {seed}")
            outcome = room.registered(room.study(name, seed), room.wrong_start(seed), share)
            outcomes[name].append(outcome)
            print(f"{name} seed {seed}: {_line(outcome)}", flush=True)
    return outcomes


def _peers(room: OperatingRoom, seeds: list[int]) -> dict[str, list[Outcome]]:
    """Per variant of the peer, one outcome a seed."""
    peer = Peer(room.case)
    outcomes: dict[str, list[Outcome]] = {"peer rigid": [], "peer per level": []}
    with shown_progress("peer") as progress:
        for number, seed in enumerate(seeds):
            progress(number / len(seeds), f"seed {seed}")
            outcome = peer.registered(room.study("realistic", seed), room.wrong_start(seed))
            for name, variant in zip(outcomes, (outcome.rigid, outcome.per_level), strict=True):
                outcomes[name].append(variant)
                print(f"{name} seed {seed}: {_line(variant)}", flush=True)
    return outcomes


def _line(outcome: Outcome) -> str:
    levels = (f"{e.label} {e.tre_mm:.2f}" + (" (rejected)" if e.status == "rejected" else "") for e in outcome.errors)
    return f"TRE {', '.join(levels)} mm, {outcome.seconds:.1f} s"


if __name__ == "__main__":
    main()
