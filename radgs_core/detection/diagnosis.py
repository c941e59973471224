"""Why detection failed: whether the images look exchanged, turned or mirrored. Explains only, corrects nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import torch

from radgs_core.detection.triangulation import FirstPoses
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.xray.observation import Observation

CLEARLY = 0.9
"""An explanation counts beside the best one if so large a share of its landmarks fits."""
MOST_EXPLANATIONS = 2
"""More that fit alike explain nothing."""

_UNDO: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = MappingProxyType(
    {
        "turned by 90 degrees clockwise": lambda image: torch.rot90(image, 1),
        "turned by 180 degrees": lambda image: torch.rot90(image, 2),
        "turned by 90 degrees counter-clockwise": lambda image: torch.rot90(image, 3),
        "mirrored from left to right": lambda image: image.flip(1),
        "mirrored from top to bottom": lambda image: image.flip(0),
    }
)


def diagnose(observations: Sequence[Observation], detect: Callable[[Sequence[Observation]], FirstPoses]) -> str:
    """Look for the mistake in a pair of X-rays in which no start was found.

    Detection is repeated on the images exchanged, and on one or both of them turned by 90, 180 and 270 degrees and
    mirrored: 16 runs. A change that a detector's size does not allow is left out: an image that is not square, and was
    turned by 90 degrees, has been refused before, because it does not fit its camera.

    Args:
        observations: ap and lateral.
        detect: first poses from such a pair.

    Returns:
        One sentence on the mistake that explains the images, or on the two that do equally well: a spine is nearly
        symmetrical. Empty if nothing helps, or too many things do.
    """
    fitting = {}
    for explanation, changed in _alternatives(observations):
        found = detect(changed)
        if not found.reason:
            fitting[explanation] = sum(found.agreeing.values())
    best = max(fitting.values(), default=0)
    likely = [explanation for explanation, agreeing in fitting.items() if agreeing >= CLEARLY * best]
    if not 0 < len(likely) <= MOST_EXPLANATIONS:
        return ""
    return f"it looks as if {', or '.join(likely)}; correct the images or the geometry."


def _alternatives(observations: Sequence[Observation]) -> Iterator[tuple[str, Sequence[Observation]]]:
    """What may have happened, and the observations with that undone."""
    ap, lateral = observations
    if ap.line_integral.shape == lateral.line_integral.shape:
        yield (
            "the ap and the lateral image were exchanged",
            [replace(lateral, camera=ap.camera), replace(ap, camera=lateral.camera)],
        )
    subjects: dict[str, tuple[int, ...]] = {f"the {name} image was": (index,) for index, name in enumerate(VIEW_NAMES)}
    subjects["both images were"] = (0, 1)
    for subject, views in subjects.items():
        for what, undo in _UNDO.items():
            changed = list(observations)
            for view in views:
                changed[view] = replace(
                    changed[view],
                    line_integral=undo(changed[view].line_integral).contiguous(),
                    usable=undo(changed[view].usable).contiguous(),
                )
            if all(one.line_integral.shape == (one.camera.height, one.camera.width) for one in changed):
                yield f"{subject} {what}", changed
