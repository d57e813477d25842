"""How far the weights of each stage moved."""

import pytest
import torch
from torch import nn

from fieldguide.recipes.networks.movement import MOST_STAGES, beginning_of, movements


class Body(nn.Module):
    """A parameter of its own, a frozen layer, a sequence, and what has no weights."""

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.ones(4))
        self.stem = nn.Linear(4, 4)
        self.act = nn.ReLU()
        self.blocks = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)))


class Network(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body, self.linear = body, nn.Linear(4, 2)


def test_each_stage_is_measured_against_where_it_began():
    network = Network(Body())
    beginning = beginning_of(network)
    with torch.no_grad():
        network.body.token += 0.5
        network.body.blocks[0].weight *= 1.1
        network.body.blocks[0].bias *= 1.1
        network.linear.weight *= 0
        network.linear.bias *= 0
    found = {stage.stage: stage.moved for stage in movements(network, network.body, beginning)}
    assert list(found) == ["token", "stem", "blocks.0", "blocks.1.0", "blocks.1.1", "classifier"]
    assert found == pytest.approx(
        {"token": 0.5, "stem": 0, "blocks.0": 0.1, "blocks.1.0": 0, "blocks.1.1": 0, "classifier": 1},
        rel=1e-3,
    )
    assert found["blocks.0"] == 0.1  # rounded to digits that the order of adding up does not touch


def test_a_deep_network_is_told_by_its_larger_parts():
    body = nn.Sequential(*(nn.Sequential(*(nn.Linear(4, 4) for _ in range(9))) for _ in range(3)))
    network = Network(body)
    names = [stage.stage for stage in movements(network, network.body, beginning_of(network))]
    assert names == ["layer 0", "layer 1", "layer 2", "classifier"] and len(names) < MOST_STAGES


@pytest.mark.parametrize("body", [nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4))])
def test_a_body_of_one_layer_is_one_stage(body):
    network = Network(body)
    assert len(movements(network, network.body, beginning_of(network))) == 2


def test_what_began_as_zeros_has_no_length_to_compare_with():
    network = Network(nn.Linear(4, 4))
    nn.init.zeros_(network.linear.weight)
    nn.init.zeros_(network.linear.bias)
    assert [stage.stage for stage in movements(network, network.body, beginning_of(network))] == ["body"]
