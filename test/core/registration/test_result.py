"""What a result says of its levels taken together."""

import math

import numpy as np
import pytest

from radgs_core.registration.result import LevelResult, RegistrationResult


def result(**reasons: str) -> RegistrationResult:
    """Of levels that are registered where the reason is empty."""
    levels = {
        label: LevelResult(label, "rejected" if why else "registered", why, np.eye(4), math.inf, False, 0, {})
        for label, why in reasons.items()
    }
    return RegistrationResult("carm_base", levels, np.eye(4), 0.1, {}, None, {})


@pytest.mark.parametrize(
    ("reasons", "registered", "rejections"),
    [
        ({"T12": "", "L1": ""}, ["T12", "L1"], ""),
        ({"T12": "", "L1": "It is blurred."}, ["T12"], "L1: It is blurred."),
        ({"T11": "Lost.", "T12": "It is blurred.", "L1": "Lost."}, [], "T11, L1: Lost.; T12: It is blurred."),
    ],
)
def test_a_reason_is_told_once_with_the_levels_that_it_holds_for(
    reasons: dict[str, str], registered: list[str], rejections: str
) -> None:
    found = result(**reasons)
    assert list(found.registered) == registered
    assert found.rejections == rejections
    assert found.all_registered is not bool(rejections)
