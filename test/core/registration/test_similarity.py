"""The local correlation and its quadratic model."""

import torch

from radgs_core.registration.filters import smooth
from radgs_core.registration.similarity import local_correlation

SIZE = 40
WINDOW_PX = 5.0


def field(seed: int) -> torch.Tensor:
    """A smooth random gradient field (2, H, W)."""
    noise = torch.randn(2, SIZE, SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return smooth(noise, 1.5)


ONES = torch.ones(SIZE, SIZE, dtype=torch.float64)
INNER = torch.zeros(SIZE, SIZE, dtype=torch.float64)
INNER[8:-8, 8:-8] = 1
WEIGHT = INNER / INNER.sum()


def mean(values: torch.Tensor) -> float:
    return float((values * WEIGHT).sum())


def test_any_two_gains_that_vary_slowly_are_a_perfect_match() -> None:
    body, bone = field(1), 0.3 * field(2)
    gain = torch.linspace(1, 3, SIZE, dtype=torch.float64).expand(SIZE, SIZE)
    fit = local_correlation(gain * (body + 1.2 * bone), body, bone, ONES, WEIGHT, WINDOW_PX)
    assert mean(fit.correlation) > 0.97
    assert mean(fit.bone_correlation) > 0.7


def test_inverted_contrast_does_not_match() -> None:
    body, bone = field(1), field(2)
    fit = local_correlation(-body - bone, body, bone, ONES, WEIGHT, WINDOW_PX)
    assert mean(fit.correlation) < 0.3


def test_body_alone_gives_no_credit_to_bone() -> None:
    body, bone = field(1), 0.3 * field(2)
    fit = local_correlation(body, body, bone, ONES, WEIGHT, WINDOW_PX)
    assert mean(fit.correlation) > 0.95
    assert mean(fit.bone_correlation) < 0.2


def test_unusable_pixels_do_not_count() -> None:
    body, bone = field(1), field(2)
    usable = ONES.clone()
    usable[:, 25:] = 0
    damaged = body + bone
    damaged[:, :, 25:] = 100.0
    clean = local_correlation((body + bone) * usable, body, bone, usable, WEIGHT, WINDOW_PX)
    fit = local_correlation(damaged, body, bone, usable, WEIGHT, WINDOW_PX)
    torch.testing.assert_close(fit.correlation, clean.correlation)
    assert not fit.pull_body[:, :, 25:].any()


def test_first_order_terms_are_the_gradient_of_the_score() -> None:
    target, body, bone = field(1) + field(2) + 0.5 * field(3), field(1), field(2)
    d_body, d_bone = field(4), field(5)

    def score(t: float) -> float:
        fit = local_correlation(target, body + t * d_body, bone + t * d_bone, ONES, WEIGHT, WINDOW_PX)
        return float((fit.correlation.square() * WEIGHT).sum()) / 2

    fit = local_correlation(target, body, bone, ONES, WEIGHT, WINDOW_PX)
    predicted = float((fit.pull_body * d_body).sum() + (fit.pull_bone * d_bone).sum())
    measured = (score(1e-4) - score(-1e-4)) / 2e-4
    # the ridge ties the gains together and is not differentiated: a small part of the whole
    assert abs(predicted - measured) < 0.1 * abs(measured)
