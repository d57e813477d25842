from fieldguide.recipes.cnn.layer_rows import LayerRow, LayerTable


def test_a_table_is_plain_values():
    row = LayerRow("conv 8", "Conv2d", (8, 32, 32), 216, 221_184)
    answer = LayerTable("conv 8", (row,), 32, 8, 216, 221_184).as_dict()
    assert list(answer) == ["architecture", "rows", "size", "features", "parameters", "multiply_adds"]
    assert answer["rows"][0]["output"] == (8, 32, 32)
