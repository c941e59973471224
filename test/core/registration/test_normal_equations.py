"""The normal equations against a dense jacobian in float64."""

import pytest
import torch

from radgs_core.registration.normal_equations import PlacedDerivatives, normal_equations
from radgs_core.registration.similarity import LocalFit

HEIGHT, WIDTH = 45, 53  # several bands of rows, and a width that is no multiple of a vector of the processor
# (height, width, top, left): inside, over the others, over each border, wider than the image, beside it, empty
PLACES = (
    (20, 30, 10, 12), (17, 19, 20, 25), (8, 40, -3, 5), (9, 12, 40, -4), (21, 16, 15, 44), (60, 70, -5, -9),
    (6, 6, 60, 10), (5, 5, 7, -5), (0, 0, 3, 4),
)  # fmt: skip
GENERATOR = torch.Generator().manual_seed(7)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR)


BODY = noise(6, 2, HEIGHT, WIDTH)
LEVELS = [PlacedDerivatives(noise(6, 2, height, width), top, left) for height, width, top, left in PLACES]


def fit(height: int = HEIGHT, width: int = WIDTH) -> LocalFit:
    """A fit of which only the quadratic model matters; second-order weights of any sign."""
    return LocalFit(torch.empty(0), torch.empty(0), noise(2, 2, height, width), noise(3, height, width))


def dense(levels: list[PlacedDerivatives]) -> torch.Tensor:
    """(L, 6, 2, H, W) float64, zeros where a level is not."""
    whole = torch.zeros(len(levels), 6, 2, HEIGHT, WIDTH, dtype=torch.float64)
    for jacobian, level in zip(whole, levels, strict=True):
        for row in range(level.derivatives.shape[-2]):
            for column in range(level.derivatives.shape[-1]):
                if 0 <= level.top + row < HEIGHT and 0 <= level.left + column < WIDTH:
                    jacobian[..., level.top + row, level.left + column] = level.derivatives[..., row, column]
    return whole


def expected(levels: list[PlacedDerivatives], model: LocalFit) -> tuple[torch.Tensor, torch.Tensor]:
    objects = torch.cat([BODY.double()[None], dense(levels)])
    kind = [0, *[1] * len(levels)]
    gradient = torch.cat([(x * model.pulls[k]).sum((1, 2, 3)) for x, k in zip(objects, kind, strict=True)])
    blocks = [
        [
            torch.einsum("ichw,jchw,hw->ij", x, y, model.weights[k + m].double())
            for y, m in zip(objects, kind, strict=True)
        ]
        for x, k in zip(objects, kind, strict=True)
    ]
    return gradient, torch.cat([torch.cat(row, 1) for row in blocks])


@pytest.mark.parametrize("count", [0, 1, len(LEVELS)])
def test_gradient_and_curvature(count: int) -> None:
    levels, model = LEVELS[:count], fit()
    gradient, curvature = normal_equations(BODY, levels, model)
    expected_gradient, expected_curvature = expected(levels, model)
    torch.testing.assert_close(torch.tensor(gradient), expected_gradient, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(torch.tensor(curvature), expected_curvature, rtol=1e-5, atol=1e-4)


def test_the_number_of_threads_does_not_matter() -> None:
    model = fit()
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append(normal_equations(BODY, LEVELS, model))
    finally:
        torch.set_num_threads(before)
    for gradient, curvature in results[1:]:
        assert (gradient == results[0][0]).all()
        assert (curvature == results[0][1]).all()


def test_many_pixels_lose_no_digits() -> None:
    # all products are positive: sums over all rows in float32 would be wrong by more
    body = torch.rand(6, 2, 300, 300, generator=GENERATOR) + 0.5
    model = LocalFit(torch.empty(0), torch.empty(0), torch.ones(2, 2, 300, 300), torch.ones(3, 300, 300))
    _, curvature = normal_equations(body, [], model)
    flat = body.double().flatten(1)
    torch.testing.assert_close(torch.tensor(curvature), flat @ flat.T, rtol=1e-7, atol=0)


def test_what_the_kernel_cannot_read_is_refused() -> None:
    for wrong in (BODY.double(), BODY[..., 1:]):
        with pytest.raises(ValueError, match="contiguous and float32"):
            normal_equations(BODY, [PlacedDerivatives(wrong, 0, 0)], fit())
