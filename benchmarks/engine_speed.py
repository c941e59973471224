"""How many times faster than peers the engine is, side by side."""

from dataclasses import dataclass
from unittest import mock

from benchmarks.engine_peer import ray_casting
from benchmarks.engine_rasterizing import forward, forward_and_backward, rasterizing
from benchmarks.engine_scene import STAYING, cube_of_gaussians, view_of_cube
from benchmarks.engine_timing import seconds_of
from benchmarks.engine_voxels import volume_and_gradients
from radgs_core.radgs.oracle import voxelizer as eager
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA
from radgs_core.radgs.voxelizer import voxelize

NARROW_SIGMA = 3.0
VOXELIZER_SAMPLES = 3


@dataclass(frozen=True)
class Speed:
    """Of the engine and of a peer that does the same.

    Attributes:
        what: is done; a prefix says that it is at the default cut-off instead of ``NARROW_SIGMA``.
        engine_s, peer_s: seconds.
        peer: its name.
    """

    what: str
    engine_s: float
    peer: str
    peer_s: float

    @property
    def ratio(self) -> float:
        """How many times faster the engine is."""
        return self.peer_s / self.engine_s


def rasterizer_speeds() -> list[Speed]:
    """Against ray casting, at both cut-offs; images, and images with gradients to a pose."""
    model, view = cube_of_gaussians(), view_of_cube()
    draws = {
        "": rasterizing(model, [view], NARROW_SIGMA),
        "default_": rasterizing(model, [view], DEFAULT_CUTOFF_SIGMA),
        "peer_": ray_casting(model, view),
    }
    calls = {f"{name}forward": forward(draw, STAYING) for name, draw in draws.items()}
    calls |= {f"{name}forward_backward": forward_and_backward(draw, STAYING) for name, draw in draws.items()}
    seconds = seconds_of(calls)
    return [
        Speed(f"{name}{what}", seconds[f"{name}{what}"], "nanodrr", seconds[f"peer_{what}"])
        for name in ("", "default_")
        for what in ("forward", "forward_backward")
    ]


def voxelizer_speed() -> Speed:
    """Against eager torch, which is the oracle in float32; a volume with its gradients by all parameters.

    The oracle computes what gradients need anew, to bound its memory. The peer keeps it, which is faster.
    """
    calls = {"engine": volume_and_gradients(voxelize), "peer": volume_and_gradients(eager.voxelize)}
    with mock.patch.object(eager, "checkpoint", lambda function, *arguments, **_: function(*arguments)):
        seconds = seconds_of(calls, VOXELIZER_SAMPLES)
    return Speed("voxelizer", seconds["engine"], "eager torch", seconds["peer"])
