"""Derivative images against differences of the oracle's images."""

import math

import numpy as np
import pytest
import torch
from scenes import IDENTITY, camera, gaussians

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3, exp_se3_about
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.rasterizer import rasterize
from radgs_core.radgs.pose_derivatives import PoseDerivatives, RigidGroups

CENTRES_MM = torch.tensor([[5.0, -3.0, 8.0], [-7.0, 0.0, 1.0]], dtype=torch.float64)
POSES = exp_se3(torch.tensor([[2.0, -1.0, 3.0, 0.1, 0.2, -0.1], [0, 4.0, 0, -0.1, 0, 0.3]], dtype=torch.float64))
GROUPS = (gaussians(30, torch.float32), gaussians(17, torch.float32))
VIEW = camera()


def whole(part: PoseDerivatives, view: XrayCamera = VIEW) -> torch.Tensor:
    """A part's images in the whole view."""
    reach = 64
    canvas = torch.zeros(7, view.height + 2 * reach, view.width + 2 * reach)
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


def test_a_c_arm_sees_derivatives_to_a_few_parts_in_a_thousand() -> None:
    pose = np.eye(4)
    pose[2, 3] = -700.0
    view = XrayCamera(200, 200, [[1700.0, 0, 100], [0, 1700.0, 100], [0, 0, 1]], pose)
    group, centre = gaussians(60, torch.float32), torch.zeros(3, dtype=torch.float64)  # of 1 to 3 mm
    (part,) = RigidGroups([group]).rasterize(view, IDENTITY, centre[None], cutoff_sigma=7.0)
    images = whole(part, view)
    for k in range(6):
        step = torch.zeros(6, dtype=torch.float64)
        step[k] = 1e-4
        forth, back = (
            rasterize(group.to(torch.float64), [view], exp_se3(s)[None], cutoff_sigma=7.0)[0] for s in (step, -step)
        )
        expected = (forth - back) / 2e-4
        assert float((images[1 + k] - expected).abs().max() / expected.abs().max()) < 0.008


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
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append([part.images for part in RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM)])
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


def test_nothing_visible_gives_an_empty_part() -> None:
    away = gaussians(4, torch.float32)
    away = RadiativeGaussians(away.means_mm + 4000, away.scales_mm, away.quaternions, away.densities_per_mm)
    (part,) = RigidGroups([away]).rasterize(VIEW, IDENTITY, CENTRES_MM[:1])
    assert part.images.shape == (7, 0, 0)


def test_groups_of_another_type_or_device_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^RigidGroups takes float32 Gaussians, not torch\.float64 \(means_mm\)\.$"):
        RigidGroups([GROUPS[0], gaussians(3)])
    with pytest.raises(ValueError, match=r"^RigidGroups takes Gaussians on the CPU, not on meta\.$"):
        RigidGroups([GROUPS[0].to(torch.device("meta"))])
    with pytest.raises(ValueError, match="at least one group"):
        RigidGroups([])


def test_each_group_needs_its_pose_and_its_centre() -> None:
    groups = RigidGroups(GROUPS)
    with pytest.raises(ValueError, match=r"^T_reference_group must be floating-point numbers of shape \(2, 4, 4\)"):
        groups.rasterize(VIEW, POSES[:1], CENTRES_MM)
    with pytest.raises(ValueError, match=r"^centres_mm must be floating-point numbers of shape \(2, 3\)"):
        groups.rasterize(VIEW, POSES, CENTRES_MM[:1])


@pytest.mark.parametrize("cutoff_sigma", [math.nan, 0.0, 13.1])
def test_numbers_out_of_range_are_refused(cutoff_sigma: float) -> None:
    with pytest.raises(ValueError, match="cutoff_sigma must be more than 0 and at most 13"):
        RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM, cutoff_sigma=cutoff_sigma)
    with pytest.raises(ValueError, match="margin_px must not be negative"):
        RigidGroups(GROUPS).rasterize(VIEW, POSES, CENTRES_MM, margin_px=-1)
