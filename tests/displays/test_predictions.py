import zipfile

import fieldguide
from shown_html import text_of


def test_a_line_and_a_photo_each_of_many_the_first(trained, photos):
    answers = fieldguide.predict(trained, photos)
    assert repr(answers).startswith("39 answers: ") and repr(answers).endswith("  19 more")
    assert "\x1b" not in repr(answers)
    shown = answers._repr_html_()
    assert shown.count("<figure") == 24 and "15 more" in text_of(shown)
    frame = answers.to_pandas()
    assert len(frame) == 39 and frame["error"].dropna().tolist() == ["truncated"]
    assert len(answers.plot().patches) == 4


def test_one_is_shown_in_full_also_out_of_an_archive(trained, photos, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(photos / "red" / "001.png", "001.png")
    shown = fieldguide.predict(trained, archive)._repr_html_()
    assert shown.count("<img") == 1 and shown.count('class="bar"') == 3
    assert "photos.zip/001.png" in text_of(shown)
