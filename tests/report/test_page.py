"""page.py and its blocks: one file, closed to the world, in which every name is text."""

import base64
import csv
import hashlib
import io
import re

import numpy as np
import pytest
from PIL import Image

from browser import watched
from fieldguide.images.thumbnails import encoded, thumbnail
from fieldguide.plain_text import escaped
from fieldguide.report.blocks import (
    Column,
    Facts,
    Gallery,
    Notice,
    Numbers,
    Page,
    Picture,
    Point,
    PointMap,
    Section,
    Shot,
    Step,
    Steps,
    TableBlock,
    Text,
    Tile,
    Tiles,
)
from fieldguide.report.page import csv_text, render, write_page, write_plots
from fieldguide.report.sprite_sheet import sheet
from hostile_names import NAMES, PAYLOADS, gps_photo
from plot_made import plot


def point_map(names):
    points = tuple(Point(n / 100, (n * 37 % 100) / 100, n % 9, 0, 0.5, name) for n, name in enumerate(names))
    tiles = [np.full((16, 16, 3), n % 256, dtype=np.uint8) for n in range(len(names))]
    groups = (*names[:5], "a", "b", "c", "d")
    return PointMap("map", names[0], names[0], points, groups, sheet(tiles), plot())


def everything(names):
    """A page with every block, names wherever a name can stand."""
    one = names[0]
    image = encoded(Image.new("RGB", (20, 10), (200, 60, 60)))
    rows = tuple((name, number / len(names)) for number, name in enumerate(names))
    blocks = [
        Text(one),
        Notice(one, f"{one}\n{one}"),
        Tiles((Tile(one, one, one, (0.2, 0.5, 0.9)), Tile("b", "1", "n"))),
        Facts(tuple((name, name) for name in names)),
        TableBlock("rows", one, (Column(one, note=one), Column("share", ".2f", bar=True)), rows, shown=5),
        Picture("plot", one, one, plot(escaped(one)), Numbers((one,), ((one,),))),
        Gallery(tuple(Shot(image, name, (name,), name, image) for name in names)),
        Steps(tuple(Step(name, name, name, name) for name in names)),
        point_map(names),
    ]
    return Page(one, one, [Section("all", one, one, blocks)], one)


def policy_of(html):
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    return found.group(1).replace("&#39;", "'")


def test_the_policy_forbids_all_and_names_the_one_style_and_the_one_script():
    html = render(everything(["a", "b"])).decode()
    policy = policy_of(html)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    style = re.search(r"<style>(.*?)</style>", html, re.S).group(1)
    script = re.search(r"<script>(.*?)</script>", html, re.S).group(1)
    for directive, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_a_page_begins_with_its_doctype_and_is_the_same_each_time():
    first, second = render(everything(["a", "b"])), render(everything(["a", "b"]))
    assert first.startswith(b"<!DOCTYPE html>")
    assert first == second


@pytest.mark.parametrize("name", PAYLOADS, ids=ascii)
def test_no_name_becomes_markup(name):
    harmless = render(everything(["a", "b"])).decode()
    hostile = render(everything([name, name])).decode()
    tags = re.compile(r"<(/?[a-z][a-z0-9]*|!--)")
    assert tags.findall(hostile) == tags.findall(harmless)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", hostile)


def test_chromium_shows_a_hundred_hostile_names_as_text(tmp_path):
    out = tmp_path / "page.html"
    write_page(everything(NAMES), out)
    with watched(out) as seen:
        page = seen.page
        page.hover(".map-area")
        page.check(".heat-switch")
        page.fill(".filter", "script")
        page.click(".sort")
        shown = page.locator("dl.facts dt").all_inner_texts()
        scripts = page.evaluate("document.scripts.length - document.querySelectorAll('script[type]').length")
    assert seen.complaints == []
    assert seen.requests == []
    assert scripts == 1
    assert shown[0] == "<script>alert(1)</script>0"
    assert "a\\u202egpj.exe0" in shown


def test_a_browser_that_would_obey_is_noticed(tmp_path):
    """The negative control: the same page without its guards does run and does ask."""
    out = tmp_path / "page.html"
    text = render(everything(["here"])).decode()
    text = re.sub(r"<meta http-equiv=.Content-Security-Policy.[^>]*>", "", text)
    out.write_text(
        text.replace("<p>here</p>", "<img src='http://127.0.0.1:9/x.png'><script>alert(1)</script>", 1)
    )
    with watched(out) as seen:
        pass
    assert "dialog 1" in seen.complaints
    assert seen.requests == ["http://127.0.0.1:9/x.png"]


def test_the_policy_alone_stops_markup_that_slipped_through(tmp_path):
    out = tmp_path / "page.html"
    text = render(everything(["here"])).decode()
    slipped = "<img src='http://127.0.0.1:9/x.png' onerror='alert(1)'><script>alert(2)</script>"
    out.write_text(text.replace("<p>here</p>", slipped, 1))
    with watched(out) as seen:
        pass
    assert not [complaint for complaint in seen.complaints if complaint.startswith("dialog")]
    assert len([complaint for complaint in seen.complaints if "Content Security Policy" in complaint]) >= 2


def test_tables_sort_filter_and_show_all(tmp_path):
    out = tmp_path / "page.html"
    write_page(everything([f"name {number}" for number in range(40)]), out)
    with watched(out) as seen:
        page = seen.page
        rows = page.locator(".table tbody tr:visible")
        assert rows.count() == 5
        page.click(".table th:nth-child(2) button")
        assert rows.first.inner_text().startswith("name 39")
        page.click(".table th:nth-child(2) button")
        assert rows.first.inner_text().startswith("name 0")
        page.fill(".filter", "name 3")
        assert rows.count() == 11
        page.fill(".filter", "")
        page.click(".more")
        assert rows.count() == 40


def test_the_map_shows_the_photo_under_the_pointer_and_saves_numbers(tmp_path):
    out = tmp_path / "page.html"
    write_page(everything([f"name {number}" for number in range(40)]), out)
    with watched(out) as seen:
        page = seen.page
        page.locator(".map-area").scroll_into_view_if_needed()
        page.locator(".map-area use").nth(3).hover(force=True)
        hover = page.locator(".hover")
        assert hover.is_visible()
        assert "name 3" in hover.inner_text()
        page.click("input[value=error]")
        assert "by-error" in page.locator(".map-area").get_attribute("class")
        with page.expect_download() as download:
            page.click(".map button[data-save=csv]")
        text = download.value.path().read_text()
    assert text.startswith("image,x,y,label,answer,probability\nname 0,")
    assert seen.complaints == []


def test_pictures_are_saved_as_svg_and_png(tmp_path):
    out = tmp_path / "page.html"
    write_page(everything(["a", "b"]), out)
    heads = {}
    with watched(out) as seen:
        for form in ("svg", "png", "csv"):
            with seen.page.expect_download() as download:
                seen.page.click(f".picture button[data-save={form}]")
            heads[form] = download.value.path().read_bytes()[:5]
    assert heads == {"svg": b"<?xml", "png": b"\x89PNG\r", "csv": b"a\na\n"}


def test_plots_are_written_beside(tmp_path):
    written = write_plots(everything(["=cmd", "b"]), tmp_path / "plots")
    assert [path.name for path in written] == [
        "rows.csv", "plot.svg", "plot.png", "plot.csv", "map.svg", "map.png", "map.csv",
    ]  # fmt: skip
    assert (tmp_path / "plots" / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "plots" / "map.svg").read_bytes()
    assert list(csv.reader(io.StringIO((tmp_path / "plots" / "rows.csv").read_text())))[1] == ["'=cmd", "0"]


def test_numbers_as_csv_are_no_formulas_and_stay_numbers():
    text = csv_text(Numbers(("name", "share"), (("=1+1", 0.1234567), ("@x", 3), ("-5", None))))
    assert text == "name,share\n'=1+1,0.123457\n'@x,3\n-5,\n"


def test_thumbnails_carry_pixels_alone():
    original = gps_photo()
    assert b"SECRET" in original
    for image in (Image.open(io.BytesIO(original)), Image.open(io.BytesIO(original)).convert("RGB")):
        small = thumbnail(image, 100)
        with Image.open(io.BytesIO(small)) as opened:
            assert not opened.getexif()
            assert not {"exif", "icc_profile", "xmp", "comment"} & set(opened.info)
            assert max(opened.size) == 100
        assert b"SECRET" not in small and b"EXIF" not in small and b"ICCP" not in small
