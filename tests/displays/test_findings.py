import pytest

import fieldguide
from fieldguide.displays.findings import lines
from shown_html import text_of


@pytest.fixture(scope="module")
def found(data):
    return fieldguide.check(data)


def test_findings_show_their_photos(found):
    assert repr(found).startswith("39 images, 3 classes: ")
    shown = found._repr_html_()
    assert "FG005" in text_of(shown) and shown.count("<img") >= 4
    assert "<b onclick=x>" in text_of(shown)  # as text


def test_nothing_in_a_name_moves_the_cursor(found):
    assert "\x1b" in "".join(lines(found)) and "\x1b" not in repr(found)


def test_rows_and_a_plot(found):
    frame = found.to_pandas()
    assert {"FG001", "FG003", "FG005"} <= set(frame["code"])
    assert frame[frame["code"] == "FG001"]["path"].tolist() == ["red/broken.png"]
    assert len(found.plot().patches) == len(found.findings)


def test_the_former_name_still_works_and_says_so():
    from fieldguide.audit import run

    with pytest.warns(DeprecationWarning, match="Audit is called Findings now"):
        assert run.Audit is run.Findings
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        run.Nothing  # noqa: B018
