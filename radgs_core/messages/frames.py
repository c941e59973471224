"""Names of frames: what they look like, and those of the frames that the node publishes.

``prefix`` keeps the frames of systems apart that share one TF tree; empty where there is one system.
"""

FRAME_PATTERN = r"[^/\s]\S*"
"""Regular expression of a whole name; TF takes no slash at its front."""
FRAME_MEANING = "the name of a frame, without spaces and without a slash at its front"
"""The same in words."""
PREFIX_PATTERN = f"({FRAME_PATTERN})?"
"""Regular expression of a whole prefix."""
PREFIX_MEANING = "empty or how the names of frames begin, without spaces and without a slash at its front"
"""The same in words."""


def vertebra_frame(label: str, prefix: str = "") -> str:
    """Frame at a vertebra's centroid, REP-103 on the patient."""
    return f"{prefix}vertebra_{label}"


def ct_frame(label: str, prefix: str = "") -> str:
    """Frame of the CT's coordinates as that vertebra carries them."""
    return f"{prefix}vertebra_{label}_ct"
