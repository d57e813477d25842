"""The page of an audit: each finding with its photos, hostile names as text, gone photos are no matter."""

import dataclasses
import shutil

import pytest
from PIL import Image

from audit_evidence import Bench
from fieldguide.audit.checks import CHECKS
from fieldguide.audit.checks.common import Found
from fieldguide.audit.page import SHOTS, audit_page, write_audit_page
from fieldguide.audit.run import Findings, _finding
from fieldguide.report.blocks import Gallery, TableBlock

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b"


def audited(bench, folder=None):
    """An audit of evidence made by hand; with a folder, its photos are there."""
    evidence = bench.evidence()
    if folder is not None:
        paths = tuple(path.replace("/data", str(folder)) for path in evidence.dataset.paths)
        for number, path in enumerate(paths):
            (folder / path.rsplit("/", 2)[1]).mkdir(exist_ok=True)
            Image.new("RGB", (60, 40), (4 * number, 80, 90)).save(path)
        dataset = dataclasses.replace(evidence.dataset, root=folder, paths=paths)
        evidence = dataclasses.replace(evidence, dataset=dataset)
    results = [(check, check.check(evidence)) for check in CHECKS]
    findings = [_finding(check, result, set()) for check, result in results if isinstance(result, Found)]
    return Findings(60, 3, tuple(findings), (("FG007", "DATA names no groups"),), ("a note",), evidence)


@pytest.fixture
def bench():
    bench = Bench()
    for row in range(3, 60, 3):
        bench.copy(row, of=0)
    bench.copy(2, of=1)
    bench.labels[4] = HOSTILE
    return bench


def test_every_finding_has_a_section_issues_first(bench, tmp_path):
    page = audit_page(audited(bench, tmp_path), "photos")
    names = [section.name for section in page.sections]
    assert names[0] == "headline"
    assert names[-1] == "rest"
    assert names.index("fg003") < names.index("fg009")
    section = page.sections[names.index("fg003")]
    gallery, table = (
        next(b for b in section.blocks if isinstance(b, kind)) for kind in (Gallery, TableBlock)
    )
    assert len(gallery.shots) == SHOTS
    assert all(shot.image for shot in gallery.shots)
    assert len(table.rows) == 20
    assert [row[3] for row in table.rows].count("drop") == 19


def test_the_page_shows_hostile_names_as_text(bench, tmp_path):
    write_audit_page(audited(bench), HOSTILE, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text
    assert "\u202e" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_photos_that_are_gone_leave_their_names(bench, tmp_path):
    found = audited(bench, tmp_path)
    shutil.rmtree(tmp_path / "ant")
    page = audit_page(found, "photos")
    section = next(section for section in page.sections if section.name == "fg003")
    shots = next(block for block in section.blocks if isinstance(block, Gallery)).shots
    assert [shot.image for shot in shots] == [b""] * SHOTS
    assert shots[0].title == "ant/00.jpg"


def test_a_page_of_sound_data_says_so(tmp_path):
    write_audit_page(audited(Bench()), "photos", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Nothing was found." in text
    assert "DATA names no groups" in text
