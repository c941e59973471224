"""What one thread of this machine can do at most, in loops that do nothing else (engine_peak.h)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import warp as wp

from benchmarks.engine_pairs import LANES
from benchmarks.engine_timing import seconds_of
from radgs_core.kernels.engine import launch, options
from radgs_core.kernels.native import Floats, native_kernel

CHAINS = 12
REPETITIONS = 100_000
IMAGE_FLOATS = 256 * 272
UPDATES = 100
MEMORY_FLOATS = 1 << 26
SAMPLES, SAMPLE_S = 5, 0.1


@dataclass(frozen=True)
class Peak:
    """Of one thread, with the compiler and the flags of the kernels.

    Attributes:
        operations_per_s: fused multiply-adds, each lane of a vector counted.
        cached_bytes_per_s: read and written when an image of 256 x 256 pixels is updated, which stays in the cache.
        memory_bytes_per_s: read and written when what does not fit the caches is copied.
    """

    operations_per_s: float
    cached_bytes_per_s: float
    memory_bytes_per_s: float


_options = options("lanes.h")
_loops = wp.ModuleBuildOptions(extra_cpu_preamble=Path(__file__).with_suffix(".h").read_text())
wp.set_module_options({**_options, "extra_build_options": _options["extra_build_options"].merged(_loops)})


@native_kernel("multiply_and_add_task")
def multiply_and_add(values: Floats, repetitions: int) -> None: ...


@native_kernel("update_task")
def update(image: Floats, count: int, repetitions: int) -> None: ...


def measured_peak() -> Peak:
    """Measured now."""
    cpu = torch.device("cpu")
    values, image = torch.rand(CHAINS * LANES), torch.zeros(IMAGE_FLOATS)
    source = torch.zeros(MEMORY_FLOATS)
    target = torch.zeros_like(source)
    calls = {
        "operations": lambda: launch(multiply_and_add, 1, [values, REPETITIONS], cpu),
        "cache": lambda: launch(update, 1, [image, IMAGE_FLOATS, UPDATES], cpu),
        "memory": lambda: target.copy_(source),
    }
    seconds = seconds_of(calls, SAMPLES, SAMPLE_S)
    return Peak(
        operations_per_s=CHAINS * REPETITIONS * LANES / seconds["operations"],
        cached_bytes_per_s=2 * 4 * IMAGE_FLOATS * UPDATES / seconds["cache"],
        memory_bytes_per_s=2 * 4 * MEMORY_FLOATS / seconds["memory"],
    )
