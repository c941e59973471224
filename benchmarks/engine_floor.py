"""The least time that drawing could take: what a pair of a Gaussian and a pixel needs, and what the machine can do."""

from dataclasses import dataclass

from benchmarks.engine_peak import Peak
from benchmarks.engine_scaling import Cost

# Vector operations of a pair, counted in radgs_core/kernels/rasterizer.h; a fused multiply-add counts as one.
# A pixel: s 2, its inverse root 2 near 1, 1 / s 1, exponent 3, power of two 10, value, cut-off and next pixel 3.
OF_A_PIXEL = 21
DRAWING = OF_A_PIXEL + 1
"""The image's sum."""
GATHERING = OF_A_PIXEL + 21
"""Moments: derivatives 9, sums 12."""

BYTES_OF_A_GAUSSIAN = 4 * (3 + 3 + 4 + 1 + 1) + 2 * 64
"""Parameters read, footprint written and read."""
BYTES_OF_A_PIXEL = 4 * (1 + 2 + 1)
"""Padded image cleared, read and written; plain image written."""


@dataclass(frozen=True)
class Floor:
    """Of a pair, beside what was reached.

    Attributes:
        what: is drawn.
        operations: of a lane of a vector.
        cached_bytes: of the image, which stays in the cache.
        memory_bytes: that come from or go to memory at least.
        operations_ns, cached_ns, memory_ns: that these take at least, one at a time.
        lanes_used: share of the vectors' lanes that hold pairs; rows of footprints end where they end.
        reached_ns: all that was measured, over the number of pairs.
    """

    what: str
    operations: int
    cached_bytes: float
    memory_bytes: float
    operations_ns: float
    cached_ns: float
    memory_ns: float
    lanes_used: float
    reached_ns: float


def floors_of(cost: Cost, peak: Peak) -> list[Floor]:
    """Of drawing a scene, and of drawing it and taking gradients."""
    scene = cost.scene
    pixels = scene.views * scene.pixels**2
    memory = (scene.views * scene.gaussians * BYTES_OF_A_GAUSSIAN + pixels * BYTES_OF_A_PIXEL) / cost.pairs
    return [
        Floor(
            what=what,
            operations=operations,
            cached_bytes=cached,
            memory_bytes=memory * passes,
            operations_ns=1e9 * operations / peak.operations_per_s,
            cached_ns=1e9 * cached / peak.cached_bytes_per_s,
            memory_ns=1e9 * memory * passes / peak.memory_bytes_per_s,
            lanes_used=cost.pairs / cost.lanes,
            reached_ns=1e9 * seconds / cost.pairs,
        )
        for what, operations, cached, passes, seconds in (
            ("forward", DRAWING, 8.0, 1, cost.forward_s),
            ("forward_backward", DRAWING + GATHERING, 12.0, 2, cost.forward_backward_s),
        )
    ]
