"""xmp.py: our keywords are set in a sidecar, and every other byte of it is as it was."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldguide.prediction.tagging import xmp
from fieldguide.prediction.tagging.xmp import NotXmp, keywords, with_keywords

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <!-- by hand -->
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   darktable:xmp_version="5"
   darktable:note="a &#10; b > c">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>holiday</rdf:li>
     <rdf:li>cat</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>places|Rome</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:params="gz"/></rdf:Seq></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def test_a_new_sidecar_has_every_form_of_keyword():
    sidecar = with_keywords(None, ["cat", "a|b/c"])
    assert keywords(sidecar) == {
        "dc:subject": ["cat", "a|b/c"],
        "lr:hierarchicalSubject": ["fieldguide|cat", "fieldguide|a_b/c"],
        "digiKam:TagsList": ["fieldguide/cat", "fieldguide/a|b_c"],
        "fieldguide:subject": ["cat", "a|b/c"],
    }
    ET.fromstring(sidecar)


def test_what_others_wrote_stays_and_ours_is_replaced():
    once = with_keywords(DARKTABLE, ["cat"])
    assert keywords(once) == {
        "dc:subject": ["holiday", "cat"],  # theirs already: neither twice nor ever taken away
        "lr:hierarchicalSubject": ["places|Rome", "fieldguide|cat"],
        "digiKam:TagsList": ["fieldguide/cat"],
    }
    twice = with_keywords(once, ["dog"])
    assert keywords(twice)["dc:subject"] == ["holiday", "cat", "dog"]
    assert keywords(twice)["lr:hierarchicalSubject"] == ["places|Rome", "fieldguide|dog"]
    assert keywords(with_keywords(twice, ["emu"]))["dc:subject"] == ["holiday", "cat", "emu"]
    assert keywords(with_keywords(twice, []))["dc:subject"] == ["holiday", "cat"]


def test_every_byte_that_is_not_ours_stays():
    sidecar = with_keywords(DARKTABLE, ["dog"])
    rest = iter(sidecar)
    assert all(byte in rest for byte in DARKTABLE)  # what was there is there, in its order
    edited = (b"lr:hierarchicalSubject", b"</rdf:Bag>", b"</rdf:RDF")
    for line in DARKTABLE.splitlines():
        assert line in sidecar or any(mark in line for mark in edited)
    assert with_keywords(sidecar, ["dog"]) == sidecar
    assert DARKTABLE.replace(b" ", b"").replace(b"\n", b"") in with_keywords(sidecar, []).replace(
        b" ", b""
    ).replace(b"\n", b"").replace(DESCRIPTION, b"")


DESCRIPTION = (
    b'<rdf:Descriptionrdf:about=""xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
    b'xmlns:fieldguide="urn:fieldguide:keywords/1.0/"></rdf:Description>'
)


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=4), st.lists(st.text(max_size=20), max_size=4))
def test_any_labels_are_written_and_taken_away(first, second):
    one = with_keywords(DARKTABLE, first)
    two = with_keywords(one, second)
    assert with_keywords(two, second) == two
    assert keywords(two)["dc:subject"][:2] == ["holiday", "cat"]
    wanted = {" ".join(xmp._fit(label).split()) for label in second} | {"holiday", "cat"}
    assert set(keywords(two)["dc:subject"]) == wanted
    assert keywords(with_keywords(two, []))["dc:subject"] == ["holiday", "cat"]


def test_other_prefixes_empty_lists_and_a_bare_rdf_are_understood():
    odd = (
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" '
        b'xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:h="http://ns.adobe.com/lightroom/1.0/">'
        b"<d:subject><r:Bag><r:li>x</r:li></r:Bag></d:subject><h:hierarchicalSubject><r:Bag/>"
        b"</h:hierarchicalSubject></r:Description></r:RDF>"
    )
    found = keywords(with_keywords(odd, ["cat"]))
    assert found["dc:subject"] == ["x", "cat"]
    assert found["lr:hierarchicalSubject"] == ["fieldguide|cat"]
    assert b"<r:li>cat</r:li>" in with_keywords(odd, ["cat"])


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + DARKTABLE.partition(b"?>\n")[2]
OUTSIDE = b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + DARKTABLE.partition(b"?>\n")[2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "damaged"),
        (b"not XML", "damaged"),
        (DARKTABLE[:400], "damaged"),
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (DARKTABLE.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "UTF-8"),
        (DARKTABLE.replace(b"UTF-8", b"ISO-8859-1"), "must be UTF-8"),
        (DARKTABLE.replace(b"holiday", b"\xff"), "damaged"),
        (b"<svg/>", "no rdf:RDF"),
        (b"<a>" * 200 + b"</a>" * 200, "too deep"),
        (DARKTABLE.replace(b"   <dc:subject>", b"   <dc:subject>x</dc:subject><dc:subject>"), "no list"),
        (DARKTABLE.replace(b'darktable:xmp_version="5"', b'dc:subject="cat"'), "no list"),
        (DARKTABLE.replace(b"  </rdf:Description>", b"<dc:subject/></rdf:Description>"), "dc:subject twice"),
    ],
)
def test_what_cannot_be_changed_safely_is_refused(content, why):
    with pytest.raises(NotXmp, match=why):
        with_keywords(content, ["cat"])


def test_sidecars_that_are_too_large_are_refused(monkeypatch):
    monkeypatch.setattr(xmp, "MOST_ELEMENTS", 5)
    with pytest.raises(NotXmp, match="too many elements"):
        with_keywords(DARKTABLE, ["cat"])
    monkeypatch.setattr(xmp, "MOST_BYTES", 100)
    with pytest.raises(NotXmp, match="larger than"):
        with_keywords(DARKTABLE, ["cat"])
