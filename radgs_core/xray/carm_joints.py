"""The joints of a C-arm and its table: their names, how far they go, and their units in messages and in the core.

What the angles turn: see `radgs_core.xray.carm`. The table carries the patient along the axes of ``carm_base``.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from radgs_core.errors import InputError


@dataclass(frozen=True)
class JointPositions:
    """Where a C-arm and its table are.

    Attributes:
        orbital_deg: along the C; positive takes the source from above to the patient's right.
        angular_deg: tilt of the C; positive takes the source of the AP view towards the head.
        table_x_mm, table_y_mm, table_z_mm: shift of the table, in ``carm_base``; at zero the levels that the views are
            centred on are at the isocentre.
    """

    orbital_deg: float = 0.0
    angular_deg: float = 0.0
    table_x_mm: float = 0.0
    table_y_mm: float = 0.0
    table_z_mm: float = 0.0

    @property
    def table_mm(self) -> tuple[float, float, float]:
        """Shift of the table, in ``carm_base``."""
        return self.table_x_mm, self.table_y_mm, self.table_z_mm


@dataclass(frozen=True)
class Joint:
    """One joint.

    Attributes:
        field: its name in ``JointPositions``.
        unit: what one of the field's units is in messages, radians or metres.
        low, high: how far it goes, in the field's unit.
    """

    field: str
    unit: float
    low: float
    high: float

    @property
    def turns(self) -> bool:
        """Whether it is an angle, not a shift."""
        return self.field.endswith("_deg")


DEGREE, MILLIMETRE = math.radians(1.0), 1e-3
JOINTS: Mapping[str, Joint] = MappingProxyType(
    {
        "carm_orbital": Joint("orbital_deg", DEGREE, -120.0, 120.0),
        "carm_angular": Joint("angular_deg", DEGREE, -45.0, 45.0),
        "table_x": Joint("table_x_mm", MILLIMETRE, -300.0, 300.0),
        "table_y": Joint("table_y_mm", MILLIMETRE, -150.0, 150.0),
        "table_z": Joint("table_z_mm", MILLIMETRE, -200.0, 200.0),
    }
)
"""By the name that messages and the robot model have for it."""

_TOLERANCE = 1e-9
"""Share of a joint's range that a position may lie beyond its end: pi / 4 in a message is not exactly 45 degrees."""


def joint_values(positions: JointPositions) -> dict[str, float]:
    """By joint, its position as messages have it: radians and metres."""
    return {name: getattr(positions, joint.field) * joint.unit for name, joint in JOINTS.items()}


def with_joint_values(
    positions: JointPositions, names: Sequence[str], values: Sequence[float], topic: str
) -> JointPositions:
    """The positions with some of the joints elsewhere.

    Args:
        positions: of the joints that are not named.
        names, values: of a message, radians and metres.
        topic: what an error calls the message.

    Raises:
        InputError: not as many values as names, no names, an unknown one, one that comes twice, or a value beyond its
            joint's range.
    """
    if len(names) != len(values) or not names:
        raise InputError(
            f"{topic}: {len(names)} joints are named and {len(values)} positions given; give one for each."
        )
    changes = {}
    for name, value in zip(names, values, strict=True):
        joint = JOINTS.get(name)
        if joint is None:
            raise InputError(f"{topic}: the C-arm has no joint {name!r}; it has {', '.join(JOINTS)}.")
        if joint.field in changes:
            raise InputError(f"{topic}: the joint {name} is named twice; give one position for it.")
        slack = _TOLERANCE * (joint.high - joint.low)
        if not joint.low - slack <= value / joint.unit <= joint.high + slack:  # not so for NaN
            raise InputError(
                f"{topic}: {name} goes from {joint.low * joint.unit:.4g} to {joint.high * joint.unit:.4g}"
                f" {'rad' if joint.turns else 'm'}, not to {value:.4g}; stay within that."
            )
        changes[joint.field] = min(max(value / joint.unit, joint.low), joint.high)
    return dataclasses.replace(positions, **changes)
