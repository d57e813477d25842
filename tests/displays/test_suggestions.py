import fieldguide
from shown_html import text_of


def test_photos_with_their_reasons(trained, photos):
    found = fieldguide.next_to_label(trained, photos, count=3)
    assert repr(found).startswith("3 of 38 photos to label next, the most useful first\n  1. ")
    assert found._repr_html_().count("<img") == 3
    assert found.photos[0].reason in text_of(found._repr_html_())
    assert found.to_pandas()["rank"].tolist() == [1, 2, 3]
