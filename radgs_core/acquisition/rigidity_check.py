"""Keeps transforms that are not rigid out of the tree, and remembers why."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.messages.factory import Message
from radgs_core.messages.transforms import matrix_from_transform


class RigidityCheck:
    """Looks at every transform that comes; tf2 itself would normalise a wrong quaternion without a word.

    A frame whose last transform was refused is lost until a good one comes: where it was before is not where it is.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        """``report`` is told every refusal, one sentence each."""
        self._report = report
        self._parents: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    def matrix(self, message: Message) -> NDArray[np.float64] | None:
        """``T_parent_child`` (4, 4), mm, of a TransformStamped; None when it is refused."""
        parent, child = message.header.frame_id.lstrip("/"), message.child_frame_id.lstrip("/")
        self._parents[child] = parent
        try:
            matrix = rigid_matrix(message)
        except InputError as error:
            self._refused[child] = str(error)
            self._report(str(error))
            return None
        self._refused.pop(child, None)
        return matrix

    def explain(self, target: str, source: str) -> None:
        """Say what is wrong when a transform between the two frames was refused.

        Raises:
            InputError: that is so.
        """
        from_source, from_target = self._ancestors(source.lstrip("/")), self._ancestors(target.lstrip("/"))
        common = set(from_source) & set(from_target)
        for frame in (*from_source, *from_target):
            reason = self._refused.get(frame)
            if frame not in common and reason is not None:
                raise InputError(reason)

    def _ancestors(self, frame: str) -> list[str]:
        """The frame, its parent, ... up to the root or round a loop, refused transforms included."""
        chain = [frame]
        while (parent := self._parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain


def rigid_matrix(message: Message) -> NDArray[np.float64]:
    """``T_parent_child`` (4, 4), mm, of a TransformStamped.

    Raises:
        InputError: it is not rigid; names both frames.
    """
    parent, child = message.header.frame_id.lstrip("/"), message.child_frame_id.lstrip("/")
    return matrix_from_transform(message.transform, f"the transform {parent} <- {child}")
