"""Derivative images against differences of the oracle's images."""

import torch
from scenes import IDENTITY, camera, gaussians

from radgs_core.geometry.rigid import exp_se3, exp_se3_about
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.rasterizer import rasterize
from radgs_core.radgs.pose_derivatives import PoseDerivatives, RigidGroups

CENTRES_MM = torch.tensor([[5.0, -3.0, 8.0], [-7.0, 0.0, 1.0]], dtype=torch.float64)
POSES = exp_se3(torch.tensor([[2.0, -1.0, 3.0, 0.1, 0.2, -0.1], [0, 4.0, 0, -0.1, 0, 0.3]], dtype=torch.float64))
GROUPS = (gaussians(30, torch.float32), gaussians(17, torch.float32))
VIEW = camera()


def whole(part: PoseDerivatives) -> torch.Tensor:
    """A part's images in the whole view."""
    reach = 64
    canvas = torch.zeros(7, VIEW.height + 2 * reach, VIEW.width + 2 * reach)
    top, left = part.top + reach, part.left + reach
    canvas[:, top : top + part.images.shape[1], left : left + part.images.shape[2]] = part.images
    inside = canvas[:, reach:-reach, reach:-reach]
    assert canvas.count_nonzero() == inside.count_nonzero()
    return inside


def test_images_are_the_rasterizers() -> None:
    parts = RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM)
    for group, pose, part in zip(GROUPS, POSES, parts, strict=True):
        (image,) = rasterize(group.to(torch.float64), [VIEW], pose[None])
        # pixels on the rim of the cut-off may fall on either side of it
        torch.testing.assert_close(whole(part)[0], image.float(), atol=2e-4 * float(image.abs().max()), rtol=0)


def test_derivatives_are_those_of_a_twist_about_the_centre() -> None:
    parts = RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM, cutoff_sigma=9.0)
    for group, pose, centre, part in zip(GROUPS, POSES, CENTRES_MM, parts, strict=True):
        images = whole(part)
        for k in range(6):
            step = torch.zeros(6, dtype=torch.float64)
            step[k] = 1e-4
            forth, back = (
                rasterize(group.to(torch.float64), [VIEW], (exp_se3_about(s, centre) @ pose)[None], cutoff_sigma=9.0)[0]
                for s in (step, -step)
            )
            expected = (forth - back) / 2e-4
            # the perspective term s is held constant in the derivatives; this wide view shows that at its largest
            assert float((images[1 + k] - expected).abs().max() / expected.abs().max()) < 0.01


def test_the_margin_is_empty() -> None:
    plain = RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM)
    wide = RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM, margin_px=5)
    for part, with_margin in zip(plain, wide, strict=True):
        assert (with_margin.top, with_margin.left) == (part.top - 5, part.left - 5)
        assert not with_margin.images[:, :5].any()
        assert not with_margin.images[:, -5:].any()
        assert not with_margin.images[..., :5].any()
        assert not with_margin.images[..., -5:].any()
        torch.testing.assert_close(whole(with_margin), whole(part), atol=0, rtol=0)


def test_the_number_of_threads_does_not_matter() -> None:
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        results.append([part.images for part in RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM)])
    torch.set_num_threads(1)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


def test_nothing_visible_gives_an_empty_part() -> None:
    away = gaussians(4, torch.float32)
    away = RadiativeGaussians(away.means_mm + 4000, away.scales_mm, away.quaternions, away.densities_per_mm)
    (part,) = RigidGroups([away]).rasterize(VIEW, IDENTITY, CENTRES_MM[:1])
    assert part.images.shape == (7, 0, 0)
