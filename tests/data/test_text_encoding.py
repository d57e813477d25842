"""Bytes of a table as text."""

import pytest

from fieldguide.data.text_encoding import as_code_page, decoded, has_odd_bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings(encoding):
    assert decoded("path,label\na.jpg,Hüte".encode(encoding)) == ("path,label\na.jpg,Hüte", ())


@pytest.mark.parametrize("mark", ["utf-16-be", "utf-32-be"])
def test_big_endian_with_its_mark(mark):
    assert decoded(("\ufeff" + "Hüte").encode(mark))[0] == "Hüte"


def kept(text, encoding):
    return text.encode(encoding).decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "word", ["Hüte", "Käse", "señor", "garçon", "smørrebrød", "Œuvre", "50 €", "d’été", "Ölfaß"]
)
def test_words_of_western_europe(word):
    odd = kept(word, "cp1252")
    assert has_odd_bytes(odd)
    assert as_code_page(odd) == word


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        ("кошка", "cp1251"),
        ("γάτα", "cp1253"),
        ("猫の写真", "shift_jis"),
        ("żółw", "cp1250"),
        ("猫咪照片", "gb18030"),
    ],
)
def test_other_code_pages_are_not_made_up(word, encoding):
    assert as_code_page(kept(word, encoding)) is None
