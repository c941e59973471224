"""The robot models in ``description`` as trees of moving parts: read with nothing but an XML parser."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FOLDER = Path(__file__).resolve().parents[3] / "description"
URDF, SDF = FOLDER / "carm_theatre.urdf", FOLDER / "carm_theatre.sdf"


@dataclass(frozen=True)
class Mount:
    """How a frame hangs on its parent.

    Attributes:
        parent: frame.
        origin: (4, 4), m: where the frame is while its joint is at zero.
        joint: name.
        kind: ``revolute``, ``prismatic`` or ``fixed``.
        axis: (3,) that it turns about or goes along, in its own axes.
        span: smallest and largest position, radians or metres; zero where it is fixed.
    """

    parent: str
    origin: NDArray[np.float64]
    joint: str
    kind: str
    axis: NDArray[np.float64]
    span: tuple[float, float]


@dataclass(frozen=True)
class RobotModel:
    """Frames by name; the root is nobody's child."""

    mounts: Mapping[str, Mount]

    def placed(self, root: str, frame: str, positions: Mapping[str, float]) -> NDArray[np.float64]:
        """``T_root_frame`` (4, 4), m, with the joints at positions in radians and metres."""
        if frame == root:
            return np.eye(4)
        mount = self.mounts[frame]
        moved = np.eye(4)
        if mount.kind == "revolute":
            moved[:3, :3] = Rotation.from_rotvec(positions[mount.joint] * mount.axis).as_matrix()
        elif mount.kind == "prismatic":
            moved[:3, 3] = positions[mount.joint] * mount.axis
        return self.placed(root, mount.parent, positions) @ mount.origin @ moved


def read_urdf() -> RobotModel:
    mounts = {}
    for joint in ElementTree.parse(URDF).getroot().iter("joint"):
        origin, axis, limit = joint.find("origin"), joint.find("axis"), joint.find("limit")
        mounts[joint.find("child").get("link")] = Mount(
            joint.find("parent").get("link"),
            _placed(f"{origin.get('xyz')} {origin.get('rpy')}"),
            joint.get("name"),
            joint.get("type"),
            _numbers("0 0 0" if axis is None else axis.get("xyz")),
            (0.0, 0.0) if limit is None else (float(limit.get("lower")), float(limit.get("upper"))),
        )
    return RobotModel(mounts)


def sdf_model() -> ElementTree.Element:
    """The element of the C-arm."""
    return ElementTree.parse(SDF).getroot().find("world/model[@name='carm_theatre']")


def read_sdf() -> RobotModel:
    """Links have no poses of their own, so that a joint's child lies in its parent while the joint is at zero."""
    model, mounts = sdf_model(), {}
    assert not model.findall("link/pose") and not model.findall("joint/pose")
    for joint in model.iter("joint"):
        axis = joint.find("axis/xyz")
        mounts[joint.find("child").text] = Mount(
            joint.find("parent").text,
            np.eye(4),
            joint.get("name"),
            joint.get("type"),
            _numbers("0 0 0" if axis is None else axis.text),
            tuple(float(joint.findtext(f"axis/limit/{end}", "0")) for end in ("lower", "upper")),
        )
    for frame in model.iter("frame"):
        origin = _placed(frame.find("pose").text)
        mounts[frame.get("name")] = Mount(
            frame.get("attached_to"), origin, f"{frame.get('name')}_joint", "fixed", np.zeros(3), (0.0, 0.0)
        )
    return RobotModel(mounts)


def _placed(xyz_rpy: str) -> NDArray[np.float64]:
    numbers = _numbers(xyz_rpy)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", numbers[3:]).as_matrix()
    matrix[:3, 3] = numbers[:3]
    return matrix


def _numbers(text: str) -> NDArray[np.float64]:
    return np.array([float(word) for word in text.split()])
