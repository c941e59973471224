"""The kernels on CUDA: the same results as on the CPU, and times.

Exit code 0, or 1 where results differ, or 2 where there is no GPU.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli

import sys
import time
from collections.abc import Callable

import torch

from benchmarks.engine_rasterizing import forward, forward_and_backward, rasterizing
from benchmarks.engine_scene import STAYING, cube_of_gaussians, view_of_cube
from benchmarks.engine_voxels import volume_and_gradients
from benchmarks.gpu_parity import cube_march, differences
from benchmarks.report import Row, report
from radgs_core.commands.messages import shown_messages
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA
from radgs_core.radgs.voxelizer import voxelize

DIFFERENT = 1e-5
"""Sums of float32 have no fixed order on CUDA."""
NO_GPU = 2
CALLS = 50


def main() -> int:
    """Compare, time and report; returns the exit code."""
    if not torch.cuda.is_available():
        print("benchmarks.gpu needs an NVIDIA GPU and a CUDA build of torch, and finds none.", file=sys.stderr)
        return NO_GPU
    device = torch.device("cuda", 0)
    name = torch.cuda.get_device_name(device)
    print(name)
    with shown_messages():
        found = differences(device)
        seconds = {what: seconds_of(call) for what, call in _calls(device).items()}
    parity: list[Row] = [{"what": what, "difference": value} for what, value in found.items()]
    times: list[Row] = [{"what": what, "seconds": value} for what, value in seconds.items()]
    for row in (*parity, *times):
        print(*row.values())
    capability = "{}.{}".format(*torch.cuda.get_device_capability(device))
    devices: list[Row] = [{"name": name, "compute_capability": capability, "torch": torch.__version__}]
    largest = max(found.values())
    report("gpu", {"largest_difference": largest}, {"devices": devices, "parity": parity, "times": times})
    return int(largest > DIFFERENT)


def seconds_of(call: Callable[[], object]) -> float:
    """Wall clock of a call, many after each other."""
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / CALLS


def _calls(device: torch.device) -> dict[str, Callable[[], object]]:
    poses, calls = STAYING.to(device), {}
    for count, pixels in ((5000, 256), (5000, 1024), (100_000, 1024)):
        draw = rasterizing(cube_of_gaussians(count).to(device), [view_of_cube(pixels)], DEFAULT_CUTOFF_SIGMA)
        scene = f"{count} Gaussians, {pixels}x{pixels}"
        calls[f"{scene}, forward"] = forward(draw, poses)
        calls[f"{scene}, forward and backward to a pose"] = forward_and_backward(draw, poses)
    calls["voxelizer, 5000 Gaussians, 128^3, forward and backward"] = volume_and_gradients(voxelize, device)
    calls["ray march, 128^3 voxels, 512x512, seven images"] = cube_march(device, 128, 512)
    return calls


if __name__ == "__main__":
    raise SystemExit(main())
