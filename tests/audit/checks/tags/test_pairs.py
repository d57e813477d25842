"""Tags that nearly always or nearly never occur together."""


def test_a_tag_that_is_always_with_another(bench):
    for row, tags in enumerate(bench.tags):
        bench.tags[row] = [*tags, "dew"] if "ant" in tags else tags
    found = bench.check("FG023")
    notes = [item.note for item in found.items]
    assert "'ant' is nearly always with 'dew' (30 of 30)" in notes
    assert found.count == 2  # and the other way round


def test_tags_that_exclude_each_other(bench):
    bench.tags = [["ant"] if row % 2 else ["bee"] for row in range(60)]
    bench.tags[0], bench.tags[1] = ["ant", "cow"], ["bee", "cow"]
    assert bench.check("FG023") is None  # 15 are expected by chance, too few to say
    bench.tags = [["ant", "dew"] if row < 40 else ["bee"] for row in range(60)]
    bench.tags[::3] = [["bee"]] * 20
    found = bench.check("FG023")
    assert any("nearly always" in item.note for item in found.items)


def test_a_tag_of_nearly_all_photos_says_nothing(bench):
    for row, tags in enumerate(bench.tags):
        bench.tags[row] = [*tags, "sky"]
    assert bench.check("FG023") is None
