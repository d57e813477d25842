"""What a page is made of: the numbers behind a table and a map."""

from fieldguide.report.blocks import Column, Gallery, Numbers, Point, PointMap, Sheet, Shot, TableBlock


def test_a_table_is_saved_with_the_names_of_its_columns():
    table = TableBlock("t", "c", (Column("class"), Column("F1", ".2f")), (("ant", 0.5), ("bee", None)))
    assert table.numbers == Numbers(("class", "F1"), (("ant", 0.5), ("bee", None)))


def test_a_map_is_saved_with_names_of_classes_and_not_with_their_numbers():
    points = (Point(0.1, 0.2, 1, 0, 0.75, "a.jpg"),)
    drawn = PointMap("map", "", "", points, ("ant", "bee"), Sheet(b"", 1, 8), None)
    assert drawn.numbers.columns == ("image", "x", "y", "label", "answer", "probability")
    assert drawn.numbers.rows == (("a.jpg", 0.1, 0.2, "bee", "ant", 0.75),)


def test_a_gallery_has_heat_where_any_photo_has():
    bare = Shot(b"x", "t")
    assert not Gallery(()).has_heat
    assert not Gallery((bare,)).has_heat
    assert Gallery((bare, Shot(b"x", "t", heat=b"y"))).has_heat
