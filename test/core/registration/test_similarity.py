"""The local correlation and its quadratic model."""

import dataclasses

import plain_filters
import pytest
import torch
from plain_similarity import PlainCorrelation, PlainWindows

from radgs_core.registration.similarity import LocalCorrelation

SIZE = 40
WINDOW_PX = 5.0
# strides 2, 3 and 1, with partly filled cells; narrower than a vector of the processor
GRIDS = (((SIZE, SIZE), WINDOW_PX), ((49, 70), 7.0), ((21, 37), 3.0), ((11, 9), 4.0))


def field(seed: int, shape: tuple[int, int] = (SIZE, SIZE)) -> torch.Tensor:
    """A smooth random gradient field (2, H, W)."""
    noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return plain_filters.smooth(noise, 1.5).float()


ONES = torch.ones(SIZE, SIZE)
INNER = torch.zeros(SIZE, SIZE)
INNER[8:-8, 8:-8] = 1


def inner_mean(correlation: LocalCorrelation, values: torch.Tensor) -> float:
    """Mean of a map of windows over the inner pixels."""
    return float((values * correlation.windows.pool(INNER / INNER.sum())).sum())


def nowhere(correlation: LocalCorrelation) -> torch.Tensor:
    return torch.zeros(correlation.windows.shape)


class Example:
    """A target of two parts and noise, a mask of usable pixels and a rendering, also in float64."""

    def __init__(self, shape: tuple[int, int], window_px: float) -> None:
        self.body, self.bone = field(1, shape), 0.5 * field(2, shape)
        self.bone[:, :, shape[1] // 2 :] *= 0.02  # windows with little bone
        target = self.body + 1.5 * self.bone + 0.5 * field(3, shape)
        # windows whose best gains are 0
        target[:, : shape[0] // 3] -= 2 * self.body[:, : shape[0] // 3]
        target[:, shape[0] // 2 :] -= 5 * self.bone[:, shape[0] // 2 :]
        self.usable = torch.ones(shape)
        self.usable[-shape[0] // 4 :, : shape[1] // 3] = 0
        self.correlation = LocalCorrelation(target, self.usable, window_px)
        weight = torch.rand(shape, generator=torch.Generator().manual_seed(4))
        self.weight = self.correlation.windows.pool(weight / weight.sum())
        windows = PlainWindows.of(shape, window_px, self.correlation.windows.stride)
        self.plain = PlainCorrelation(target.double(), self.usable.double(), windows)
        self.fit = self.correlation.fit(self.body, self.bone, self.weight)


@pytest.fixture(params=GRIDS, ids=lambda grid: f"{grid[0][0]}x{grid[0][1]}")
def example(request: pytest.FixtureRequest) -> Example:
    return Example(*request.param)


def assert_close(actual: torch.Tensor, expected: torch.Tensor, relative: float) -> None:
    """Errors relative to the largest value."""
    assert actual.shape == expected.shape
    assert float((actual - expected).abs().max()) <= relative * float(expected.abs().max())


def test_correlations_are_those_of_the_best_gains(example: Example) -> None:
    plain = example.plain.fit(example.body.double(), example.bone.double())
    assert (plain.a == 0).any() and (plain.b == 0).any() and ((plain.a > 0) & (plain.b > 0)).any()
    # squared, because a square root makes much of the rounding of small numbers
    assert_close(example.fit.correlation.square(), plain.explained, 1e-5)
    by_bone = ((plain.explained - plain.by_body) / (1 - plain.by_body)).clamp(min=0)
    assert_close(example.fit.bone_correlation.square(), by_bone, 1e-5)


def test_first_order_terms_are_the_gradient_with_free_gains(example: Example) -> None:
    body, bone = (x.double().requires_grad_() for x in (example.body, example.bone))
    score = (example.plain.fit(body, bone).explained * example.weight).sum() / 2
    score.backward()
    assert_close(example.fit.pulls[0], body.grad, 1e-5)
    assert_close(example.fit.pulls[1], bone.grad, 1e-5)


def test_first_order_terms_are_differences_of_the_score(example: Example) -> None:
    shape = example.usable.shape
    d_body, d_bone = field(5, shape).double(), field(6, shape).double()

    def score(t: float) -> float:
        fit = example.plain.fit(example.body + t * d_body, example.bone + t * d_bone)
        return float((fit.explained * example.weight).sum()) / 2

    predicted = float((example.fit.pulls * torch.stack([d_body, d_bone])).sum())
    measured = (score(1e-5) - score(-1e-5)) / 2e-5
    assert predicted == pytest.approx(measured, rel=1e-4)


@pytest.mark.parametrize("moving", [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0)], ids=["both", "body", "bone"])
def test_with_held_gains_the_score_is_the_quadratic_model(example: Example, moving: tuple[float, float]) -> None:
    shape = example.usable.shape
    d_body, d_bone = (share * field(seed, shape).double() for share, seed in zip(moving, (5, 6), strict=True))
    gains = example.plain.fit(example.body.double(), example.bone.double())
    without_ridge = dataclasses.replace(example.plain, ridge=0.0)

    def score(t: float) -> float:
        explained = without_ridge.explained(gains, example.body + t * d_body, example.bone + t * d_bone)
        return float((explained * example.weight).sum()) / 2

    products = torch.stack([d_body.square().sum(0), 2 * (d_body * d_bone).sum(0), d_bone.square().sum(0)])
    predicted = -float((example.fit.weights * products).sum())
    assert predicted == pytest.approx(score(1.0) - 2 * score(0.0) + score(-1.0), rel=1e-4)


def test_any_two_gains_that_vary_slowly_are_a_perfect_match() -> None:
    body, bone = field(1), 0.3 * field(2)
    gain = torch.linspace(1, 3, SIZE).expand(SIZE, SIZE)
    correlation = LocalCorrelation(gain * (body + 1.2 * bone), ONES, WINDOW_PX)
    fit = correlation.fit(body, bone, nowhere(correlation))
    assert inner_mean(correlation, fit.correlation) > 0.97
    assert inner_mean(correlation, fit.bone_correlation) > 0.7


def test_inverted_contrast_does_not_match() -> None:
    body, bone = field(1), field(2)
    correlation = LocalCorrelation(-body - bone, ONES, WINDOW_PX)
    assert inner_mean(correlation, correlation.fit(body, bone, nowhere(correlation)).correlation) < 0.3


def test_body_alone_gives_no_credit_to_bone() -> None:
    body, bone = field(1), 0.3 * field(2)
    correlation = LocalCorrelation(body, ONES, WINDOW_PX)
    fit = correlation.fit(body, bone, nowhere(correlation))
    assert inner_mean(correlation, fit.correlation) > 0.95
    assert inner_mean(correlation, fit.bone_correlation) < 0.2


def test_unusable_pixels_do_not_count() -> None:
    body, bone = field(1), field(2)
    usable = ONES.clone()
    usable[:, 25:] = 0
    damaged = body + bone
    damaged[:, :, 25:] = 100.0
    clean, correlation = (LocalCorrelation(t, usable, WINDOW_PX) for t in ((body + bone) * usable, damaged))
    weight = correlation.windows.pool(usable)
    expected, fit = clean.fit(body, bone, weight), correlation.fit(body, bone, weight)
    torch.testing.assert_close(fit.correlation, expected.correlation)
    assert not fit.pulls[..., 25:].any()
    assert not fit.weights[..., 25:].any()
    assert fit.weights[..., 24].any()


def test_no_bone_and_no_usable_pixel_give_numbers() -> None:
    body, nothing = field(1), torch.zeros(2, SIZE, SIZE)
    for usable in (ONES, torch.zeros(SIZE, SIZE)):
        correlation = LocalCorrelation(body, usable, WINDOW_PX)
        for rendered in (body, nothing):
            fit = correlation.fit(rendered, nothing, correlation.windows.pool(ONES))
            for values in (fit.correlation, fit.bone_correlation, fit.pulls, fit.weights):
                assert values.isfinite().all()
            assert float(fit.bone_correlation.max()) < 0.02


def test_the_number_of_threads_does_not_matter() -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(Example((49, 70), 7.0).fit)
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        for name in ("correlation", "bone_correlation", "pulls", "weights"):
            assert torch.equal(getattr(results[0], name), getattr(other, name))


@pytest.mark.parametrize("name", ["body", "bone", "weight"])
def test_wrong_shapes_and_numbers_are_refused(name: str) -> None:
    correlation = LocalCorrelation(field(1), ONES, WINDOW_PX)
    arguments = {"body": field(1), "bone": field(2), "weight": nowhere(correlation)}
    for wrong in (arguments[name][..., 1:], arguments[name].double()):
        with pytest.raises(ValueError, match=f"{name} must be float32"):
            correlation.fit(**{**arguments, name: wrong})
