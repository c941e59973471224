"""Detections that cannot be are refused where they are made."""

import numpy as np
import pytest

from radgs_core.detection import Detections


def arrays() -> dict[str, np.ndarray]:
    return {"pixels": np.zeros((2, 3, 5, 2)), "sigma_px": np.ones((2, 3, 5)), "confidence": np.ones((2, 3, 5))}


def test_arrays_that_belong_together_are_accepted() -> None:
    assert Detections(**arrays()).pixels.shape == (2, 3, 5, 2)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("pixels", np.zeros((2, 3, 5, 3)), "pixels must be"),
        ("pixels", np.zeros((2, 3, 5)), "pixels must be"),
        ("sigma_px", np.ones((2, 3, 4)), "sigma_px must be"),
        ("confidence", np.ones((2, 5)), "confidence must be"),
        ("pixels", np.full((2, 3, 5, 2), np.nan), "pixels holds"),
        ("sigma_px", np.full((2, 3, 5), np.inf), "sigma_px holds"),
        ("sigma_px", np.zeros((2, 3, 5)), "positive"),
        ("confidence", np.full((2, 3, 5), 1.1), "between 0 and 1"),
        ("confidence", np.full((2, 3, 5), -0.1), "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Detections(**{**arrays(), name: value})
