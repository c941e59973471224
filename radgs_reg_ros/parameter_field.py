"""How a parameter is written down: a field of a dataclass with its range and description, and when it takes effect."""

import dataclasses
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from radgs_core.messages.frames import FRAME_MEANING, FRAME_PATTERN, PREFIX_MEANING, PREFIX_PATTERN

TYPES = {bool: "bool", int: "integer", float: "double", str: "string"}


class Effect(Enum):
    """When a value comes into force; the text is for documents and tools."""

    AT_ONCE = "at once"
    CONFIGURE = "at configure"
    START = "at start"


@dataclass(frozen=True)
class Text:
    """What a text must look like.

    Attributes:
        pattern: regular expression of the whole text.
        meaning: the same in words.
    """

    pattern: str
    meaning: str


FRAME = Text(FRAME_PATTERN, FRAME_MEANING)
FRAME_PREFIX = Text(PREFIX_PATTERN, PREFIX_MEANING)
_LEVEL = r"\s*(C[1-7]|T[1-9]|T1[0-3]|L[1-6]|S1)\s*"
LEVELS = Text(
    rf"({_LEVEL}(,{_LEVEL})*,?)?\s*", "empty or levels (C1 to C7, T1 to T13, L1 to L6, S1) with commas between them"
)


def parameter(
    default: Any,
    effect: Effect,
    description: str,
    span: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    text: Text | None = None,
) -> Any:
    """A field of a parameter class; its type is that of ``default``. ``span``: smallest and largest number."""
    metadata = {"effect": effect, "description": description, "span": span, "choices": choices, "text": text}
    return dataclasses.field(default=default, metadata=metadata)


def type_name(field: dataclasses.Field) -> str:
    """The type as ROS calls it."""
    return TYPES[type(field.default)]


def constraint(field: dataclasses.Field) -> str:
    """What is accepted of all values of the type; empty where all are."""
    span, choices, text = (field.metadata[key] for key in ("span", "choices", "text"))
    if span is not None:
        return f"{span[0]} to {span[1]}"
    if choices:
        return "one of " + ", ".join(choices)
    return "" if text is None else text.meaning


def refusal(field: dataclasses.Field, value: object) -> str:
    """Why this cannot be the parameter's value, one sentence; empty if it can."""
    if type(value) is type(field.default) and _is_accepted(field, value):
        return ""
    wanted = ", ".join(filter(None, (f"of type {type_name(field)}", constraint(field))))
    is_unpointed = type(field.default) is float and type(value) is int and _is_accepted(field, value)
    hint = f"; write {value}.0" if is_unpointed else ""
    return f"the parameter {field.name} must be {wanted}, not {value!r}{hint}."


def _is_accepted(field: dataclasses.Field, value: Any) -> bool:
    span, choices, text = (field.metadata[key] for key in ("span", "choices", "text"))
    if span is not None:
        return span[0] <= value <= span[1]  # not so for NaN
    if choices:
        return value in choices
    return text is None or re.fullmatch(text.pattern, value) is not None
