"""How a parameter is written down: a field of a dataclass with its range and description, and when it takes effect."""

import dataclasses
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Effect(Enum):
    """When a value that is set comes into force; the text is for documents and tools."""

    AT_ONCE = "at once"
    CONFIGURE = "at configure; set only while unconfigured"
    START = "at start; read-only"


@dataclass(frozen=True)
class Text:
    """What a text must look like.

    Attributes:
        pattern: regular expression of the whole text.
        meaning: the same in words, to follow "must be".
    """

    pattern: str
    meaning: str


FRAME = Text(r"[^/\s]\S*", "the name of a frame, without spaces and without a slash at its front")
FRAME_PREFIX = Text(
    r"([^/\s]\S*)?", "empty or how the names of frames begin, without spaces and without a slash at its front"
)
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


def constraint(field: dataclasses.Field) -> str:
    """What a text must be, to follow "must be"; empty for numbers and where every text will do."""
    if field.metadata["choices"]:
        return "one of " + ", ".join(field.metadata["choices"])
    text: Text | None = field.metadata["text"]
    return "" if text is None else text.meaning


def fits(field: dataclasses.Field, value: object) -> bool:
    """Whether a value of the right type meets the field's ``constraint``."""
    if field.metadata["choices"]:
        return value in field.metadata["choices"]
    text: Text | None = field.metadata["text"]
    return text is None or re.fullmatch(text.pattern, str(value)) is not None
