"""ResNets: their blocks and shortcuts."""

import pytest

from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.residual import ResidualNetwork


@pytest.mark.parametrize(
    ("name", "layers"),
    [("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet101", 101), ("resnet152", 152)],
)
def test_a_network_has_the_layers_that_its_name_counts(name, layers):
    network = ARCHITECTURES[name][0].network
    blocks = len(list(network.places()))
    assert 2 + blocks * (3 if network.bottleneck else 2) == layers


def test_a_shortcut_has_a_convolution_where_the_shape_changes():
    plain = dict(ResidualNetwork((2, 2, 2, 2), bottleneck=False).places())
    assert [place for place, own in plain.items() if own] == ["layer2.0", "layer3.0", "layer4.0"]
    wide = dict(ResidualNetwork((1, 2, 1, 1)).places())
    assert [place for place, own in wide.items() if own] == [f"layer{stage}.0" for stage in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("network", "inner"),
    [
        (ResidualNetwork((3, 4, 6, 3)), 128),
        (ResidualNetwork((3, 4, 6, 3), groups=32, group_width=4), 256),
        (ResidualNetwork((3, 4, 6, 3), group_width=128), 256),
    ],
    ids=["resnet50", "resnext50", "wide_resnet50"],
)
def test_the_inner_width_of_the_second_stage_is_the_papers(network, inner):
    """Table 1 of the ResNeXt paper: 128 channels, or 256 in 32 groups."""
    from fieldguide.backbones.plain.residual import _ResidualBlock

    first, second, _ = _ResidualBlock(network, None, None, "layer2.0", 2)._shapes(256, 128, 512)
    assert (first[0], second[0], second[1]) == (inner, inner, inner // network.groups)
