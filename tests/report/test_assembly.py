"""The report: from a measurement to the page, its figures, its limits, and what hostile names do to it."""

import json
import time
from pathlib import Path

import numpy as np

from browser import watched
from fieldguide.data.dataset import Dataset
from fieldguide.report.assembly import SECTIONS, SECTIONS_OF_TAGS, page_of, write_report
from fieldguide.report.gather import Asked, gather
from fieldguide.report.tagged.gather import gather_tags
from hostile_names import NAMES
from report_made import ASKED, CLASSES, blocks, material, photos, sections
from report_oracle import oracle
from tag_report_made import CARD_OF_TAGS, tag_material, tag_oracle, tagged_photos


def test_the_page_has_every_section_that_has_something_to_say(measured):
    made = sections(measured)
    assert set(made) == {
        *("headline", "next", "mistakes", "confusion", "classes", "reliability", "coverage", "typicality"),
        *("map", "separation", "hits", "examples", "learning-curve", "data", "model"),
    }
    assert len(SECTIONS) == len(made) + 2  # no history: this recipe has no epochs; and no other models


def test_the_page_of_tags_has_every_section_and_is_whole_in_chromium(tmp_path):
    made = tag_material(tmp_path / "photos", 60)
    sections_of_tags = {section.name: section for section in page_of(made).sections}
    assert set(sections_of_tags) == {
        *("headline", "next", "mistakes", "classes", "separation", "reliability", "confusion", "coverage"),
        *("typicality", "map", "hits", "examples", "learning-curve", "data", "model"),
    }
    assert len(SECTIONS_OF_TAGS) == len(sections_of_tags) + 2
    for section in sections_of_tags.values():
        for block in section.blocks:
            if block.kind in ("picture", "point_map"):
                assert len(block.alt) > 30 and block.numbers.rows, block.name
                assert {len(row) for row in block.numbers.rows} == {len(block.numbers.columns)}, block.name
    out = tmp_path / "report.html"
    write_report(made, out, plots=tmp_path / "plots")
    assert (tmp_path / "plots" / "reliability-by-tag.csv").exists()
    for width in (400, 1300):
        with watched(out, width) as seen:
            assert "60 photos; 4 tags" in seen.page.inner_text("body")
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.complaints == [] and seen.requests == []


def test_hostile_tags_are_text_in_chromium(tmp_path):
    names = tuple(name.replace("\x00", "") for name in NAMES)
    shown = np.random.default_rng(0).random((40, len(names))) < 0.2
    thresholds = {**CARD_OF_TAGS["thresholds"], "tags": [0.5] * len(names)}
    model = tag_oracle(shown, classes=names, thresholds=thresholds)
    made = gather_tags(model, tagged_photos(tmp_path / "photos", shown, names), ASKED)
    out = tmp_path / "report.html"
    write_report(made, out)
    with watched(out) as seen:
        text = seen.page.inner_text("body")
    assert seen.complaints == [] and seen.requests == []
    assert "<script>" in text or "<img" in text


def test_every_picture_says_what_it_shows_and_has_its_numbers(measured):
    for section in page_of(measured).sections:
        for block in section.blocks:
            if block.kind in ("picture", "point_map"):
                assert len(block.alt) > 30, block.name
                assert block.numbers.rows, block.name
                assert {len(row) for row in block.numbers.rows} == {len(block.numbers.columns)}, block.name


def test_the_numbers_are_those_of_the_evaluation(measured):
    made, evaluation = sections(measured), measured.evaluation
    accuracy = blocks(made["headline"], "tiles")[0].tiles[0]
    assert accuracy.value == f"{100 * evaluation.accuracy.value:.1f}\xa0%"
    table = blocks(made["classes"], "table")[0]
    f1 = {row[0]: row[6] for row in table.rows}
    assert f1 == dict(zip(evaluation.classes, evaluation.per_class.f1.tolist(), strict=True))
    assert [row[6] for row in table.rows] == sorted(f1.values())
    cells = blocks(made["confusion"], "picture")[0].numbers.rows
    assert {(a, b): n for a, b, n in cells} == {
        (CLASSES[row], CLASSES[column]): int(evaluation.confusion[row, column])
        for row, column in zip(*np.nonzero(evaluation.confusion), strict=True)
    }


def test_foreign_photos_findings_and_the_curve_get_their_place(tmp_path):
    findings = tmp_path / "check.json"
    finding = {"code": "FG003", "title": "<b>Twins</b>", "severity": "issue", "count": 4}
    finding |= {"message": "2 photos are there twice.", "paths": ["a.jpg"]}
    findings.write_text(json.dumps({"findings": [finding, {"title": 3}]}))
    curve = tmp_path / "curve.json"
    points = [
        {"images": 10 * n, "accuracy": {"value": 0.5 + n / 10, "low": 0.4, "high": 0.95}} for n in (1, 2, 3)
    ]
    outlook = {"gain": {"value": 0.04, "low": 0.01, "high": 0.06}}
    told = {"points": points, "outlook": outlook, "sentence": "twice as many would bring 4 points"}
    curve.write_text(json.dumps({"learning_curve": told}))
    asked = Asked(Path("m.onnx"), Path("d"), foreign=Path("f"), findings=findings, learning_curve=curve)
    others = Dataset(tmp_path, tuple(photos(tmp_path / "f", ["a", "b", "c"])), ("", "", ""))
    made = material(tmp_path / "photos", asked=asked, foreign=others)
    page = sections(made)
    assert blocks(page["data"], "table")[0].rows[0][1] == "<b>Twins</b>"
    assert blocks(page["learning-curve"], "picture")[0].numbers.rows[0] == (10.0, 0.6, 0.4, 0.95)
    assert "3 foreign photos" in blocks(page["typicality"], "text")[0].text
    steps = [step.title for step in blocks(page["next"], "steps")[0].steps]
    assert "Double the training photos" in steps and "Correct the data first" in steps


def test_hostile_classes_and_files_are_text_in_chromium(tmp_path):
    classes = tuple(name.replace("\x00", "") for name in NAMES)
    paths = photos(tmp_path / "photos", classes)
    images = Dataset(tmp_path / "photos", tuple(paths), classes)
    made = gather(oracle(classes, np.arange(100), right=0.5), images, ASKED)
    out = tmp_path / "report.html"
    write_report(made, out)
    with watched(out) as seen:
        seen.page.locator(".map-area use").nth(3).hover(force=True)
        seen.page.fill("#classes .filter", "alert")
        rows = seen.page.locator("#classes tbody tr:visible").all_inner_texts()
        scripts = seen.page.evaluate("document.querySelectorAll('script:not([type])').length")
    assert seen.complaints == [] and seen.requests == []
    assert scripts == 1
    assert any(row.startswith("<script>alert(1)</script>") for row in rows)


def test_a_thousand_classes_stay_small_and_quick(tmp_path):
    classes = tuple(f"class {number} with a name" for number in range(1000))
    made = material(tmp_path / "photos", classes=classes, each=1)
    out = tmp_path / "report.html"
    write_report(made, out)
    assert out.stat().st_size < 5_000_000
    with watched(out) as seen:
        begun = time.monotonic()
        seen.page.click("#classes th:nth-child(4) button")
        seen.page.fill("#classes .filter", "class 77")
        rows = seen.page.locator("#classes tbody tr:visible").all_inner_texts()
        assert len(rows) >= 11 and all("class 77" in row for row in rows)
        assert time.monotonic() - begun < 10  # a busy machine; docs/benchmarks.md has what a quiet one takes
    assert seen.complaints == []
