"""What checks share: names in a sentence, what belongs together, the finding as data."""

from audit_evidence import N
from fieldguide.audit.checks.common import Finding, Item, named, together


def test_long_lists_of_names_are_cut():
    assert named(["a", "b"]) == "'a', 'b'"
    assert named(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"


def test_together_keeps_order():
    assert together("abcab") == ((0, 3), (1, 4))


def test_what_is_learned_from_is_train_or_all(bench):
    assert bench.evidence().learned_from == tuple(range(N))
    split = bench.split().evidence()
    assert split.split_names == ("train", "test")
    assert {split.split(row) for row in split.learned_from} == {"train"}
    bench.splits = ["test"] * N
    assert bench.evidence().learned_from == tuple(range(N))


def test_a_finding_as_data_names_each_image_once_and_its_page():
    items = (Item(("a.jpg", "b.jpg"), "the same file"), Item(("b.jpg", "c.jpg"), "again"))
    finding = Finding("FG003", "Exact duplicates", "issue", 4, "Two.", items)
    written = finding.as_dict()
    assert written["paths"] == ["a.jpg", "b.jpg", "c.jpg"]
    assert written["items"][1] == {"paths": ["b.jpg", "c.jpg"], "note": "again"}
    assert written["page"] == "src/fieldguide/audit/pages/FG003.md"


def test_a_correction_names_the_label_it_was_made_for(bench):
    fix = bench.evidence().correction(1, "relabel", "why", "ant")
    assert (fix.path, fix.label, fix.corrected, fix.action) == ("bee/01.jpg", "bee", "ant", "relabel")
