"""Keywords in photos: of XMP, of IPTC, of a sidecar; a chosen set; what has several or none is counted."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.keywords import keywords_of
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import draw
from form_samples_published import PACKET, with_keywords


def with_iptc(path, *words):
    """Photoshop's segment APP13 with IPTC records 2:25, put behind the start of a JPEG."""
    records = b"".join(b"\x1c\x02\x19" + len(word).to_bytes(2, "big") + word for word in words)
    block = b"8BIM\x04\x04\x00\x00" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    segment = b"Photoshop 3.0\0" + block
    content = draw(path).read_bytes()
    path.write_bytes(
        content[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]
    )


def test_where_they_stand(tmp_path):
    with_keywords(tmp_path / "x.jpg", 0, "red fox", "night")
    assert keywords_of(str(tmp_path / "x.jpg")) == ["red fox", "night"]
    with_iptc(tmp_path / "i.jpg", "Füchse".encode(), b"snow")
    assert keywords_of(str(tmp_path / "i.jpg")) == ["Füchse", "snow"]
    draw(tmp_path / "s.jpg")
    (tmp_path / "s.xmp").write_text(PACKET.format("<rdf:li>hare</rdf:li>"), encoding="utf-8")
    assert keywords_of(str(tmp_path / "s.jpg")) == ["hare"]


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xed\x00\x10Photoshop 3.0\0", b"no image"])
def test_what_is_no_image_has_none(tmp_path, content):
    (tmp_path / "x.jpg").write_bytes(content)
    (tmp_path / "x.xmp").write_bytes(b'<!DOCTYPE a [<!ENTITY x "y">]><a/>')
    assert keywords_of(str(tmp_path / "x.jpg")) == []


@pytest.fixture
def data(tmp_path):
    for number, words in enumerate((["fox", "night"], ["hare"], ["hare", "fox"], [], ["night"])):
        with_keywords(tmp_path / f"IMG_{number}.jpg", number, *words)
    return tmp_path


def test_of_a_chosen_set_one_is_the_label(data):
    with open_dataset(data, options=DataOptions(label_from="keywords:fox, hare")) as dataset:
        assert dataset.labels == ("fox", "hare")
        assert (
            "1 entry left out: several keywords in a photo are tags (--task multiple reads them)"
            in dataset.notes
        )
        assert "2 entries left out: none of the chosen keywords" in dataset.notes


def test_without_a_choice_photos_with_one_count(data):
    with open_dataset(data, options=DataOptions(label_from="keywords")) as dataset:
        assert dataset.labels == ("hare", "night")


def test_none_at_all_says_what_to_do(data):
    options = DataOptions(label_from="keywords:lynx")
    with (
        pytest.raises(DataError, match="choose those that are classes with --label-from keywords:"),
        open_dataset(data, options=options),
    ):
        pass
