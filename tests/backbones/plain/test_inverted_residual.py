"""MobileNets and EfficientNets: their widths, depths and blocks."""

import pytest

from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.inverted_residual import InvertedResiduals, MobileBlock, rounded, scaled


@pytest.mark.parametrize(
    ("channels", "even"), [(3, 8), (8, 8), (11, 16), (12, 16), (17.6, 16), (35.2, 32), (19, 24)]
)
def test_channels_are_eights_and_lose_a_tenth_at_most(channels, even):
    assert rounded(channels) == even
    assert rounded(channels) % 8 == 0 and rounded(channels) >= 0.9 * channels


def test_a_network_is_widened_and_deepened_but_for_its_ends():
    stages = ((MobileBlock(16),), (MobileBlock(24, repeats=2),), (MobileBlock(40, repeats=3),))
    wide = scaled(stages, 1.1, 1.2, keep_ends=True)
    assert [(block.channels, block.repeats) for (block,) in wide] == [(16, 1), (24, 3), (48, 3)]
    every = scaled(stages, 1.0, 1.2, keep_ends=False)
    assert [block.repeats for (block,) in every] == [2, 3, 4]


def test_only_the_first_block_of_a_stage_has_its_stride():
    network = InvertedResiduals(((MobileBlock(8, stride=2, repeats=3), MobileBlock(8, stride=2)),), 8, 0)
    blocks = list(network.blocks())
    assert [place for place, _ in blocks] == [f"blocks.0.{index}" for index in range(4)]
    assert [block.stride for _, block in blocks] == [2, 1, 1, 2]


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("tf_efficientnet_lite0", 16),
        ("efficientnet_b0", 16),
        ("mobilenetv2_100", 17),
        ("mobilenetv1_100", 13),
    ],
)
def test_the_papers_count_as_many_blocks(name, blocks):
    network = ARCHITECTURES[name][0].network
    assert len(list(network.blocks())) == blocks
