import fieldguide
from shown_html import text_of


def test_a_row_a_class_the_hardest_first(data):
    result = fieldguide.novelty(data, preset="fast")
    assert repr(result).startswith("3 classes, each left out once")
    assert "3 classes, each left out once" in text_of(result._repr_html_())
    frame = result.to_pandas()
    assert frame["label"].tolist() == [one.label for one in result.classes]
    drawn = result.plot()
    assert [text.get_text() for text in drawn.get_yticklabels()] == frame["label"].tolist()
