"""A network as a table: every parameter once, shapes as they come out, costs as published."""

import pytest
import torch
from torch import nn

from fieldguide.errors import OptionError
from fieldguide.recipes.cnn.layer_table import MOST_ROWS, layer_table

# Multiply-adds in millions at 224 pixels, by the papers or the libraries' own tables, within a fiftieth.
PUBLISHED = [
    ("resnet18", 1814),
    ("vgg16_bn", 15470),
    ("mobilenetv2_100", 301),
    ("vit_tiny_patch16_224", 1254),
]
NAMES = [
    "resnet18",
    "resnet152",
    "vgg11_bn",
    "vgg19_bn",
    "inception_v3",
    "mobilenetv2_100",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "cait_xxs24_224",
    "googlenet",
    "swin_t",
]


@pytest.mark.parametrize(("name", "millions"), PUBLISHED)
def test_costs_are_the_published_ones(name, millions):
    assert layer_table(name, 224, classes=1000).multiply_adds / 1e6 == pytest.approx(millions, rel=0.02)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_stands_in_one_row(name, whole):
    table = layer_table(name, 96, classes=5, whole=whole)
    assert sum(row.parameters for row in table.rows) == table.parameters
    assert sum(row.multiply_adds for row in table.rows) <= table.multiply_adds
    last = table.rows[-1]
    assert (last.name, last.output, last.parameters) == ("scores", (5,), 5 * (table.features + 1))
    assert whole or len(table.rows) <= MOST_ROWS + 1
    assert len({row.name for row in table.rows}) == len(table.rows)


def test_a_residual_network_in_stages():
    table = layer_table("resnet18", 64)
    rows = {row.name: row for row in table.rows}
    assert list(rows)[:5] == ["conv1", "bn1", "act1", "maxpool", "layer1.0"]
    assert rows["conv1"].parameters == 7 * 7 * 3 * 64
    assert rows["conv1"].multiply_adds == 7 * 7 * 3 * 64 * 32 * 32
    assert rows["layer4.1"].output == (512, 2, 2)
    assert (table.features, table.parameters) == (512, 11_176_512)


def test_a_long_sequence_is_shown_in_runs_of_one_height_and_width():
    rows = layer_table("vgg16_bn", 64).rows
    assert [row.output for row in rows[:3]] == [(64, 64, 64), (128, 32, 32), (256, 16, 16)]
    assert rows[0].name == "features.0 to 5"
    assert rows[0].kind == "Conv2d, BatchNorm2d, ReLU"


def test_what_a_network_holds_itself_has_a_row():
    first = layer_table("vit_tiny_patch16_224", 32).rows[0]
    assert (first.name, first.kind, first.parameters) == ("cls_token, pos_embed", "parameters", 192 + 5 * 192)


def test_layers_stand_where_an_image_meets_them():
    """So do those whose weights another one uses, and what a block holds itself."""
    names = [row.name for row in layer_table("swin_t", 64, whole=True).rows]
    before, after = names.index("features.2.reduction"), names.index("features.4.norm")
    for name in ("relative_position_bias_table", "qkv", "proj"):
        assert before < names.index(f"features.3.0.attn.{name}") < after


def test_a_word_is_a_row():
    table = layer_table("conv 8,  pool, residual 16, dense 12, dropout 0.5", 32, classes=3)
    shown = [(row.name, row.output) for row in table.rows]
    assert shown == [
        ("conv 8", (8, 32, 32)),
        ("pool", (8, 16, 16)),
        ("residual 16", (16, 16, 16)),
        ("dense 12", (12,)),
        ("dropout 0.5", (12,)),
        ("scores", (3,)),
    ]
    assert table.rows[0].parameters == 3 * 3 * 3 * 8 + 2 * 8


def test_maps_that_are_left_are_averaged_in_a_row_of_their_own():
    shown = [(row.name, row.output) for row in layer_table("conv 8, pool", 32).rows]
    assert shown == [("conv 8", (8, 32, 32)), ("pool", (8, 16, 16)), ("average", (8,))]


def test_a_module_is_looked_at_and_left_as_it_was():
    class Twice(nn.Module):
        """Uses a layer twice, holds a list that is never called, one that is frozen, and a parameter."""

        def __init__(self):
            super().__init__()
            self.shared = nn.Conv2d(3, 3, 3, padding=1)
            self.listed = nn.ModuleList([nn.Conv2d(3, 5, 1), nn.Conv2d(3, 5, 1)])
            self.frozen = nn.Conv2d(5, 5, 1).requires_grad_(False)
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, images):
            maps = self.shared(self.shared(images)) * self.scale
            return self.frozen(sum(layer(maps) for layer in self.listed))

    module = Twice().train()
    table = layer_table(module, 8)
    assert module.training and module.shared.weight.device.type == "cpu" and module.scale.requires_grad
    conv, listed = 3 * 3 * 3 * 3 + 3, 2 * (3 * 5 + 5)
    assert table.parameters == conv + listed + 1 == sum(row.parameters for row in table.rows)
    assert table.multiply_adds == 64 * (2 * 81 + 2 * 15 + 25)
    assert table.features == 5


def test_what_cannot_be_built_is_told():
    with pytest.raises(OptionError, match="--size 75"):
        layer_table("inception_v3", 64)
    with pytest.raises(OptionError, match="layer 2 must be one of"):
        layer_table("conv 8, soup", 64)
