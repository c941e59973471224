"""What the end-to-end tests register."""

from pathlib import Path

LEVELS = ["T11", "T12"]


def views_of(study: Path) -> list[object]:
    """Arguments of register that name the files of a study."""
    return ["--ap", study / "ap.png", "--lateral", study / "lateral.png", "--geometry", study / "geometry.yaml"]
