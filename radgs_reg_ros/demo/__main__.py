"""`python -m radgs_reg_ros.demo`: simulate, register, compare what /tf says with the truth."""

import argparse
import dataclasses
import math
import signal
import statistics
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from radgs_reg.msg import VertebraPose, VertebraPoseArray

from radgs_core.case import Case
from radgs_core.evaluation import tre_mm
from radgs_core.io.example import example_ct
from radgs_core.registration.pipeline import InputError, draw_overlay
from radgs_core.xray.observation import observe
from radgs_reg_ros.demo.kept_case import is_prepared_from
from radgs_reg_ros.demo.narrator import Narrator
from radgs_reg_ros.demo.operating_room import Exposure, OperatingRoom
from radgs_reg_ros.demo.outcome import LevelOutcome, outcome_table
from radgs_reg_ros.demo.shipped_networks import shipped_networks
from radgs_reg_ros.rig.node_process import NodeProcess, Value
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote, RigError

LEVELS = ["T10", "T11", "T12", "L1"]
MOTION_MM, MOTION_DEG = 3.0, 3.0
SUCCESS_MM = 2.0


def main() -> int:
    """Run the demo; 0 when every level is registered with less than 2 mm of error."""
    parser = argparse.ArgumentParser(prog="python -m radgs_reg_ros.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="folder for case, logs and overlays")
    parser.add_argument("--seed", type=int, default=0, help="of motion and noise")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, and so ends the nodes
    narrator = Narrator()
    try:
        return _demo(arguments.out, arguments.seed, narrator)
    except (InputError, RigError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _demo(out: Path, seed: int, narrator: Narrator) -> int:
    networks = shipped_networks()
    folder = _prepared(out / "case", narrator)
    narrator.say(f"Putting networks into the case that were trained before for this CT's {', '.join(networks.levels)}")
    case = dataclasses.replace(Case.load(folder), networks=networks)
    case.save(folder)
    run = _run(folder, out, seed, narrator)
    outcomes = []
    for level in run.result.vertebrae:
        points, true = case.levels[level.label].surface_points_mm, run.exposure.truth[level.label]
        found = run.received.get(level.label)
        outcomes.append(LevelOutcome(level.label, None if found is None else tre_mm(points, found, true), level.reason))
    narrator.console.print(outcome_table(outcomes))
    files = _save_overlays(out, run, case)
    print(f"outlines as registered: {' and '.join(map(str, files))}")
    registered = [outcome.tre_mm for outcome in outcomes if outcome.tre_mm is not None]
    median, largest = (statistics.median(registered), max(registered)) if registered else (math.nan, math.nan)
    figures = f"levels={len(registered)} median_tre_mm={median:.2f} max_tre_mm={largest:.2f}"
    print(f"demo: {figures} seconds={narrator.seconds:.0f}")
    return 0 if len(registered) == len(LEVELS) and largest < SUCCESS_MM else 1


@dataclass(frozen=True)
class _Run:
    """What came back from the operating room.

    Attributes:
        exposure: the X-rays.
        result: from ``vertebra_poses``.
        received: ``T_reference_ct`` (4, 4), mm, of every registered level, from ``/tf`` and ``/tf_static``.
    """

    exposure: Exposure
    result: VertebraPoseArray
    received: Mapping[str, NDArray[np.float64]]


def _run(folder: Path, out: Path, seed: int, narrator: Narrator) -> _Run:
    """Start the nodes, register one exposure, end the nodes."""
    case = str(folder.resolve())
    motion = {"motion_mm": MOTION_MM, "motion_deg": MOTION_DEG, "seed": seed}
    with ExitStack() as stack:
        domain = stack.enter_context(private_domain())

        def node(name: str, parameters: Mapping[str, Value]) -> NodeProcess:
            process = NodeProcess(f"radgs_reg_ros.{name}", domain, out / f"{name}.log", parameters)
            return stack.enter_context(process)

        with narrator.step("Starting simulator and registration node as processes, up to active"):
            simulator = node("carm_simulator_node", {"case": case, **motion})
            registration = node("registration_node", {"case": case})
            remote = stack.enter_context(Remote(domain, "demo"))
            remote.watch(simulator, registration)
            room = OperatingRoom(remote, narrator)
            room.bring_up()
        with narrator.step(f"Bending every level by about {MOTION_MM:g} mm and {MOTION_DEG:g} degrees, taking X-rays"):
            exposure = room.expose()
        with narrator.step("Finding and registering the levels, from no start pose"):
            result = room.register(exposure)
        found = [level for level in result.vertebrae if level.status == VertebraPose.REGISTERED]
        received = {level.label: room.received_pose(level, exposure.stamp_ns) for level in found}
        return _Run(exposure, result, received)


def _prepared(folder: Path, narrator: Narrator) -> Path:
    """A case with the demo's levels: the one in the folder if preparing would make the same, else a new one."""
    ct, labels = example_ct()
    if is_prepared_from(folder, ct, labels, LEVELS):
        narrator.say(f"Using the case that an earlier run prepared: {folder}")
        return folder
    command = ["prepare", str(ct), str(labels), "--levels", ",".join(LEVELS), "--out", str(folder)]
    narrator.say(f"Preparing a case from a real CT: radgs-reg {' '.join(command)}")
    ended = subprocess.run([sys.executable, "-m", "radgs_core.cli", *command], check=False)
    if ended.returncode:
        raise RigError(f"radgs-reg prepare ended with exit code {ended.returncode}.")
    return folder


def _save_overlays(out: Path, run: _Run, case: Case) -> list[Path]:
    files = []
    for view, pixels in run.exposure.pixels.items():
        picture = draw_overlay(observe(pixels, run.exposure.cameras[view]), case, run.received)
        files.append(out / f"overlay_{view}.png")
        if not cv2.imwrite(str(files[-1]), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise RigError(f"{files[-1]} cannot be written; see whether the folder is writable and the disk has room.")
    return files


if __name__ == "__main__":
    raise SystemExit(main())
