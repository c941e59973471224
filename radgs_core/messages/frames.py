"""Names of the frames that the node publishes."""


def vertebra_frame(label: str) -> str:
    """Frame at a vertebra's centroid, REP-103 on the patient."""
    return f"vertebra_{label}"


def ct_frame(label: str) -> str:
    """Frame of the CT's coordinates as that vertebra carries them."""
    return f"vertebra_{label}_ct"
