"""Batch normalisation over a shared batch; over two processes it is tested by test_local_processes.py."""

import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import distributed, nn

from fieldguide.training import batch_statistics
from fieldguide.training.batch_statistics import SharedBatchStatistics


@pytest.fixture
def asked(monkeypatch):
    """A process without others, whose sums over processes are counted."""
    sums = []
    monkeypatch.setattr(batch_statistics, "all_reduce", sums.append)
    assert not distributed.is_initialized()
    return sums


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, BatchNormAct2d])
def test_it_is_what_torch_computes(kind, asked):
    torch.manual_seed(0)
    values, wanted = 3 + 2 * torch.randn(6, 4, 5, 5), torch.randn(6, 4, 5, 5)
    layers, results = [], []
    for shared in (False, True):
        torch.manual_seed(1)
        layer, own = kind(4), values.clone().requires_grad_()
        nn.init.uniform_(layer.weight)
        if shared:
            with SharedBatchStatistics():
                result = layer(own)
        else:
            result = layer(own)
        (result * wanted).sum().backward()
        layers.append(layer)
        results.append((result, own.grad, layer.weight.grad, layer.bias.grad))
    for own, other in zip(*results, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)
    for own, other in zip(layers[0].buffers(), layers[1].buffers(), strict=True):
        torch.testing.assert_close(own, other)
    assert len(asked) == 4  # a mean and a variance, there and back


def test_a_network_that_does_not_learn_its_statistics_asks_nobody(asked):
    with SharedBatchStatistics():
        nn.BatchNorm2d(4).eval()(torch.zeros(2, 4, 3, 3))
        nn.functional.relu(torch.zeros(2))
    assert asked == []
