"""Kinds of arguments that several commands share; what they refuse ends in "argument --x: ..." and exit code 2."""

import argparse
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from radgs_core.messages.frames import FRAME_MEANING, FRAME_PATTERN, PREFIX_MEANING, PREFIX_PATTERN

STAGES = ("detection", "learned", "refinement")
"""Of a registration, those that can be left out."""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose options must be written out: scripts hold on to them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        """Print one line on stderr and exit with code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option --json."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def levels(text: str) -> list[str]:
    """``T12,L1`` as a list of names; whether they exist is checked against the data."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of levels such as T12,L1")
    for name in names:
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"{name} is named twice")
    return names


def left_out(text: str) -> list[str]:
    """``learned,refinement`` as a list of stages of a registration."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in STAGES:
            raise argparse.ArgumentTypeError(f"{name!r} is not a stage that can be left out: {', '.join(STAGES)}")
    return names


def frame(text: str) -> str:
    """The name of a frame that TF takes, such as ``carm_base``."""
    return _of_the_form(FRAME_PATTERN, FRAME_MEANING, text)


def frame_prefix(text: str) -> str:
    """How the names of frames begin, such as ``left/``."""
    return _of_the_form(PREFIX_PATTERN, PREFIX_MEANING, text)


def _of_the_form(pattern: str, meaning: str, text: str) -> str:
    if re.fullmatch(pattern, text) is None:
        raise argparse.ArgumentTypeError(f"must be {meaning}, but is {text!r}")
    return text


def finite(text: str) -> float:
    """A number that is neither NaN nor infinite."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return number


def not_negative(text: str) -> float:
    """A finite number of at least 0."""
    number = finite(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, but is {text}")
    return number


def above_zero(text: str) -> float:
    """A finite number above 0."""
    number = finite(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, but is {text}")
    return number


def share(text: str) -> float:
    """A number above 0 and below 1."""
    number = finite(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and below 1, but is {text}")
    return number


def up_to(largest: float) -> Callable[[str], float]:
    """A kind of argument: a number from 0 to ``largest``."""

    def kind(text: str) -> float:
        number = not_negative(text)
        if number > largest:
            raise argparse.ArgumentTypeError(f"must be at most {largest:g}, but is {text}")
        return number

    return kind


def image_size(text: str) -> int:
    """A whole number of pixels from 8 to 4096."""
    if not (text.isascii() and text.isdigit() and 8 <= int(text) <= 4096):
        raise argparse.ArgumentTypeError(f"must be a whole number from 8 to 4096, but is {text!r}")
    return int(text)


def seed(text: str) -> int:
    """A whole number of at least 0."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, but is {text!r}")
    return int(text)
