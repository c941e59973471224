"""First weights depend on their seed, and on nothing that was drawn before."""

import torch
from torch import nn

from radgs_core.training.seeded import seeded_weights


def test_a_seed_gives_weights_and_leaves_the_generator_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    weights = []
    for seed in (1, 2, 1):
        with seeded_weights(seed):
            weights.append(nn.Linear(3, 3).weight.detach())
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.randn(7)
        before = torch.random.get_rng_state()
    assert torch.equal(weights[0], weights[2]) and not torch.equal(weights[0], weights[1])
