"""The networks that come with the demo: training them would take longer than the demo may."""

from pathlib import Path

from radgs_core.networks import Networks
from radgs_core.registration.pipeline import InputError

WEIGHTS = Path(__file__).with_name("networks.safetensors")
CARD = WEIGHTS.with_suffix(".md")
"""The model card that ``WEIGHTS`` also holds, as a page to read."""
TRAINED_LEVELS = ("T9", "T10", "T11", "T12", "L1")
"""Of the example CT; those of the demo are among them."""


def shipped_networks(path: Path = WEIGHTS) -> Networks:
    """The networks.

    Raises:
        InputError: they are missing or damaged.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; make it with `make demo-weights`.")
    return Networks.load(path)
