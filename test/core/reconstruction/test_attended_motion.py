"""The motion that shifts of places in two views add up to."""

import torch

from radgs_core.reconstruction.alignment import PARAMETERS, RESOLUTIONS
from radgs_core.reconstruction.attended_motion import AttendedMotion
from radgs_core.reconstruction.matching import REACH_PX, SHIFTS, SIDE
from radgs_core.reconstruction.places import PLACES

CHANNELS = 8


def place_motion() -> torch.Tensor:
    """(1, 2, 27, 2, 6) of two parallel views, along y and along x, of places in a cube."""
    places = 40 * torch.rand(PLACES, 3, generator=torch.Generator().manual_seed(0)) - 20
    x, y, z = places.T
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    along_x = torch.stack([one, zero, zero, zero, z, -y], -1)
    along_y = torch.stack([zero, one, zero, -z, zero, x], -1)
    along_z = torch.stack([zero, zero, one, y, -x, zero], -1)
    views = [torch.stack([along_x, -along_z], 1), torch.stack([along_y, -along_z], 1)]
    return torch.stack(views)[None]


def no_pull() -> torch.Tensor:
    """Normal equations that say nothing."""
    return torch.zeros(1, 2, len(RESOLUTIONS), PARAMETERS, PARAMETERS + 1)


def test_untrained_it_triangulates_the_best_match() -> None:
    """A shift of the whole by two pixels to the right in the first view, and one down in both."""
    matching = torch.full((1, 2, 1 + PLACES, SHIFTS), -30.0)
    for view, column in ((0, 2), (1, 0)):
        matching[:, view, :, (REACH_PX + 1) * SIDE + REACH_PX + column] = 30.0
    motion = AttendedMotion(CHANNELS, mm_per_px=1.5)
    seen, attended = torch.zeros(1, 2, PLACES, CHANNELS), torch.zeros(1, 2, PLACES, 2)
    twist, shift_mm = motion(seen, attended, matching, place_motion(), no_pull())
    torch.testing.assert_close(shift_mm[0, 0], torch.tensor([3.0, 1.5]).expand(PLACES, 2))
    torch.testing.assert_close(shift_mm[0, 1], torch.tensor([0.0, 1.5]).expand(PLACES, 2))
    # the prior of no motion takes a little off
    torch.testing.assert_close(twist[0, :3], torch.tensor([3.0, 0.0, -1.5]), atol=0.15, rtol=0)
    assert twist[0, 3:].abs().max() < 0.01


def test_certain_places_count_more() -> None:
    motion = AttendedMotion(CHANNELS, mm_per_px=1.5)
    generator = torch.Generator().manual_seed(1)
    for layer in motion.layers:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.3, generator=generator)
    seen = torch.randn(1, 2, PLACES, CHANNELS, generator=generator)
    matching = torch.zeros(1, 2, 1 + PLACES, SHIFTS)
    twist, shift_mm = motion(seen, torch.zeros(1, 2, PLACES, 2), matching, place_motion(), no_pull())
    rows = place_motion().flatten(1, 3)[0]
    plain = torch.linalg.lstsq(rows, shift_mm.flatten(1)[0]).solution
    left = (rows @ plain - shift_mm.flatten()).square().sum()
    assert (rows @ twist[0] - shift_mm.flatten()).square().sum() > left + 1e-3  # weighted, it is another one
    twist.sum().backward()
    trained = [p for name, p in motion.named_parameters() if not name.startswith("trust")]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in trained)


def test_the_pull_of_edges_is_part_of_the_same_least_squares_problem() -> None:
    """Without a word from the places, strong equations decide; what they are trusted with is learnt."""
    motion = AttendedMotion(CHANNELS, mm_per_px=1.5)
    generator = torch.Generator().manual_seed(2)
    rows = 100 * torch.randn(1, 2, len(RESOLUTIONS), 20, PARAMETERS, generator=generator)
    wanted = torch.tensor([1.0, -2.0, 0.5, 0.03, -0.02, 0.01])
    equations = rows.mT @ torch.cat([rows, (rows @ wanted)[..., None]], -1)
    seen, attended = torch.randn(1, 2, PLACES, CHANNELS, generator=generator), torch.zeros(1, 2, PLACES, 2)
    matching = torch.zeros(1, 2, 1 + PLACES, SHIFTS)
    twist, _ = motion(seen, attended, matching, place_motion(), equations)
    torch.testing.assert_close(twist[0], wanted, atol=0.01, rtol=0.01)
    twist.square().sum().backward()
    assert motion.trust[-1].weight.grad.abs().max() > 0
