from fieldguide.recipes.cnn.layer_rows import LayerRow, LayerTable
from shown_html import text_of

TABLE = LayerTable(
    "conv 8, <i>pool",
    (
        LayerRow("conv 8", "Conv2d", (8, 32, 32), 1216, 221_184),
        LayerRow("cls_token", "parameters", None, 8, 0),
    ),
    32,
    8,
    1224,
    221_184,
)


def test_layers_stand_in_columns_with_their_sums():
    assert repr(TABLE).splitlines() == [
        "layer      kind        output       parameters  multiply-adds",
        "conv 8     Conv2d      8 × 32 × 32  1,216       221,184",
        "cls_token  parameters               8           0",
        "1,224 parameters, 221,184 multiply-adds for one image of 32 × 32 pixels, 8 features",
    ]
    shown = TABLE._repr_html_()
    assert "conv 8, <i>pool" in text_of(shown) and "221,184 multiply-adds" in text_of(shown)
    assert shown.count("<tr>") == 3


def test_a_row_a_layer():
    frame = TABLE.to_pandas()
    assert list(frame.columns) == ["name", "kind", "output", "parameters", "multiply_adds"]
    assert frame["parameters"].sum() == TABLE.parameters
