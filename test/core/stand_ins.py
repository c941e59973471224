"""A case and a registration that take no time."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.xray.observation import observe

LEVELS = ["T12", "L1"]
T_VIEWS = {
    "ap": np.array([[0.0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, -1, 700], [0, 0, 0, 1]]),
    "lateral": np.array([[0.0, 0, -1, 700], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]]),
}


def at(x: float) -> NDArray[np.float64]:
    """A shift along x, mm."""
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


def stand_in_case() -> Any:
    """As much of a case as messages need: tetrahedra."""
    vertices = 10 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]], np.int32)
    vertebra = SimpleNamespace(T_ct_vertebra=at(5), mesh_vertices_mm=vertices, mesh_faces=faces)
    return SimpleNamespace(levels=dict.fromkeys(LEVELS, vertebra))


class StandInRegistration:
    """Finds every level a millimetre along x from its start, the body at 500 mm, and rejects what it is told to: levels
    that were refined, and levels that were ``lost`` before that.

    Attributes:
        starts: of each registration, x by level; None where there was no start.
        images, geometries: of each registration.
    """

    def __init__(self, needs_start: bool = True, rejects: tuple[str, ...] = (), lost: tuple[str, ...] = ()) -> None:
        self.needs_start = needs_start
        self.rejects = (*rejects, *lost)
        self.lost = lost
        self.starts: list[dict[str, float] | None] = []
        self.images: list[Any] = []
        self.geometries: list[Any] = []

    def register(self, images: Any, geometry: Any, initial: Any, levels: Any, progress: Any) -> RegistrationResult:
        self.starts.append(None if initial is None else {label: float(pose[0, 3]) for label, pose in initial.items()})
        self.images.append(images)
        self.geometries.append(geometry)
        progress(0.5, "refining")
        results = {}
        for label in levels:
            start = at(0) if initial is None else initial[label]
            status, reason = ("rejected", "It is blurred.") if label in self.rejects else ("registered", "")
            similarity = {} if label in self.lost else {"ap": 0.8, "lateral": 0.7}
            results[label] = LevelResult(label, status, reason, at(1) @ start, 0.4, True, 1, similarity)  # type: ignore[arg-type]
        observations = {view: observe(images[view], camera) for view, camera in geometry.views.items()}
        return RegistrationResult(geometry.reference, results, at(500), 0.1, {}, None, observations)
