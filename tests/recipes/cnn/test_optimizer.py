"""The optimiser of `cnn`: orthogonal steps for filters, Nesterov's for all else."""

import pytest
import torch

from fieldguide.recipes.cnn.optimizer import FilterOptimizer


def test_all_that_is_no_filter_moves_as_torchs_nesterov():
    """torch.optim.SGD with nesterov=True is the reference; both take the same ten steps."""
    torch.manual_seed(0)
    start, target = torch.randn(5), torch.randn(5)
    own, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    group = {"params": [own], "lr": 0.1, "momentum": 0.8, "weight_decay": 0.01, "filters": False}
    optimizers = (
        FilterOptimizer([group]),
        torch.optim.SGD([theirs], lr=0.1, momentum=0.8, weight_decay=0.01, nesterov=True),
    )
    for _ in range(10):
        for value, optimizer in zip((own, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (value - target).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(own, theirs)
    assert not torch.allclose(own, start)


def test_filters_keep_their_length_and_move_by_an_orthogonal_matrix():
    """Rests on timm's `zeropower_via_newtonschulz`, which is not of its public names.

    Should timm move or change it: write the iteration out in `recipes/cnn/optimizer.py`. It is ten lines, and
    its source is named there.
    """
    torch.manual_seed(0)
    filters = torch.randn(6, 4, 3, 3).requires_grad_()
    optimizer = FilterOptimizer([{"params": [filters], "lr": 0.5, "filters": True}])
    before = filters.detach() * (6**0.5 / filters.detach().norm())
    (filters * torch.randn(6, 4, 3, 3)).sum().backward()
    optimizer.step()
    step = ((before - filters.detach()) / 0.5).flatten(1)
    singular = torch.linalg.svdvals(step.float())
    assert float(singular.min()) > 0.5 and float(singular.max()) < 1.4


def test_what_has_no_gradient_stays():
    still = torch.ones(3, requires_grad=True)
    FilterOptimizer([{"params": [still], "lr": 1.0}]).step()
    assert still.tolist() == [1, 1, 1]


def test_momentum_is_part_of_what_a_checkpoint_holds():
    value = torch.ones(2, requires_grad=True)
    optimizer = FilterOptimizer([{"params": [value], "lr": 0.1, "momentum": 0.5}])
    value.sum().backward()
    optimizer.step()
    (state,) = optimizer.state_dict()["state"].values()
    assert state["momentum"].tolist() == pytest.approx([1, 1])
