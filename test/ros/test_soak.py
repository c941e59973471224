"""What `make soak` calls growth, and what it complains of."""

import pytest

from benchmarks import soak
from benchmarks.soak_stream import Soaked
from radgs_reg_ros.rig.footprint import Footprint


def soaked(memory_mb: list[float]) -> Soaked:
    return Soaked(30.0, [0.5], 0, 0, [Footprint(value, 9, 30, 7, 4) for value in memory_mb])


def test_growth_is_from_the_second_quarter_to_the_last() -> None:
    warming_up, then, spike = [100.0, 400.0], [500.0, 502.0, 506.0, 510.0, 514.0], 900.0
    assert soaked([*warming_up, *then, spike]).growth("memory_mb") == pytest.approx((514 + 900) / 2 - 501)
    assert soaked([500.0] * 8).growth("threads") == 0


def test_one_footprint_has_not_grown() -> None:
    assert soaked([500.0]).growth("memory_mb") == 0


def test_what_is_out_of_bounds_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    within = dict.fromkeys(soak.BOUNDS, 0.0)
    assert soak.complaint(within) == 0
    assert soak.complaint({**within, "lost_triggers": 2.0, "growth_mb": float("nan")}) == 1
    told = capsys.readouterr().err
    assert "lost_triggers is 2, but must not be more than 0." in told
    assert "growth_mb is nan" in told
    assert "loops" not in told
