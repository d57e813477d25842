from PIL import Image

from fieldguide.displays import html
from shown_html import text_of


def test_names_are_text_whatever_they_hold():
    shown = html.whole("<i>\x1b[2J", html.paragraph("a & b"), html.table(("<u>", "n"), [("<s>", 3)]))
    assert text_of(shown).startswith("<i>") and "a & b" in text_of(shown) and "\x1b" not in shown
    assert '<td class="number">3</td>' in shown


def test_a_name_that_looks_like_markup_of_ours_is_text_too():
    assert "<b>" not in html.table(("a",), [('<span class="bar"><b>x',)])


def test_of_many_rows_the_first_are_shown():
    shown = html.table(("a",), [(number,) for number in range(20)], most=5)
    assert shown.count("<tr>") == 6 and "15 more" in shown


def test_bars_stay_in_their_frame():
    assert "width:100.0%" in html.bar(7.0) and "width:0.0%" in html.bar(-1.0)


def test_a_photo_that_is_gone_leaves_its_lines():
    assert html.photo("/no/such.png", ("<a>",)) == ("<figure><figcaption>&lt;a&gt;</figcaption></figure>")


def test_a_picture_of_few_pixels_is_shown_enlarged(tmp_path):
    Image.new("RGB", (8, 4), "red").save(tmp_path / "small.png")
    Image.new("RGB", (800, 400), "red").save(tmp_path / "large.png")
    small, large = (html.picture_of(str(tmp_path / f"{name}.png"), 64) for name in ("small", "large"))
    assert 'class="blocks" width="64" height="32"' in small
    assert "blocks" not in large and 'width="64" height="32"' in large
