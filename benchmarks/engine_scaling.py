"""Cost of the rasterizer against Gaussians, pixels, groups and views."""

from dataclasses import dataclass

import torch

from benchmarks.engine_pairs import pairs_of
from benchmarks.engine_rasterizing import forward, forward_and_backward, rasterizing
from benchmarks.engine_scene import GAUSSIANS, PIXELS, STAYING, cube_of_gaussians, view_of_cube
from benchmarks.engine_timing import seconds_of
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA

COUNTS = 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000
SIZES = 128, 256, 512, 1024
GROUPS = 1, 2, 4, 8, 16, 24
VIEWS = 1, 2, 4, 8
SAMPLES, SAMPLE_S = 5, 0.2


@dataclass(frozen=True)
class Scene:
    """What is drawn: so many Gaussians in so many groups, in views of so many pixels squared."""

    varied: str
    gaussians: int = GAUSSIANS
    pixels: int = PIXELS
    groups: int = 1
    views: int = 1


@dataclass(frozen=True)
class Cost:
    """Of a scene at the default cut-off.

    Attributes:
        pairs: of a Gaussian and a pixel within its cut-off.
        lanes: see `Pairs`.
        forward_s: images.
        forward_backward_s: images and gradients by all poses.
    """

    scene: Scene
    pairs: int
    lanes: int
    forward_s: float
    forward_backward_s: float


SCENES = [
    *(Scene("gaussians", gaussians=count) for count in COUNTS),
    *(Scene("pixels", pixels=size) for size in SIZES),
    *(Scene("groups", groups=count) for count in GROUPS),
    *(Scene("views", views=count) for count in VIEWS),
]


def cost_of(scene: Scene) -> Cost:
    """Measure a scene."""
    model = cube_of_gaussians(scene.gaussians)
    views = [view_of_cube(scene.pixels, 180.0 * i / scene.views) for i in range(scene.views)]
    group = torch.arange(scene.gaussians) * scene.groups // scene.gaussians
    draw, poses = rasterizing(model, views, DEFAULT_CUTOFF_SIGMA, group), STAYING.repeat(scene.groups, 1, 1)
    calls = {"forward": forward(draw, poses), "both": forward_and_backward(draw, poses)}
    seconds = seconds_of(calls, SAMPLES, SAMPLE_S)
    pairs = pairs_of(model, views, DEFAULT_CUTOFF_SIGMA)
    return Cost(scene, pairs.count, pairs.lanes, seconds["forward"], seconds["both"])
