"""Every check on evidence made by hand: it finds what is planted, leaves sound data in peace, has a page."""

import re
from pathlib import Path

import numpy as np
import pytest

from fieldguide.checks import CHECKS, fences
from fieldguide.checks.common import Evidence, Found, NotApplicable, named, together
from fieldguide.dataset import Dataset
from fieldguide.duplicates import SIGNATURE_BYTES, likeness
from fieldguide.errors import Refusal
from fieldguide.held_out import HeldOut
from fieldguide.sight import FACTS, Sight
from fieldguide.splits import duplicate_groups
from fieldguide.twins import twins

PAGES = Path(__file__).parents[1] / "docs" / "findings"
BY_CODE = {check.CODE: check for check in CHECKS}
USUAL = {"width": 400, "height": 300, "brightness": 0.5, "contrast": 50, "sharpness": 0.2, "colour": 0.2}
N = 60
NO_SPLITS = {"FG006", "FG010"}


def signature_of(seed):
    """A signature like a photo's: the lower a frequency, the stronger."""
    random = np.random.default_rng(seed)
    square = random.normal(0, 3000, (16, 16)) / (1 + np.add.outer(np.arange(16), np.arange(16)))
    square[0, 0] = 16000
    parts = np.concatenate([square.ravel(), np.zeros(128)])
    return np.frombuffer(parts.astype("<i2").tobytes(), dtype=np.uint8)


class Bench:
    """Evidence of sixty sound images in three classes, to be broken."""

    def __init__(self):
        self.labels = [("ant", "bee", "cow")[row % 3] for row in range(N)]
        self.splits, self.groups, self.refused, self.mismatches = None, None, (), ()
        self.digests = [f"{row:064x}" for row in range(N)]
        self.signatures = [signature_of(row) for row in range(N)]
        self.facts = np.tile(np.array([USUAL[name] for name in FACTS], np.float32), (N, 1))
        self.classes = None
        self.held_out = "sure"

    def set_fact(self, row, **facts):
        for name, value in facts.items():
            self.facts[row, FACTS.index(name)] = value

    def split(self):
        """Every fifth image of each class is in test."""
        self.splits = ["test" if row // 3 % 5 == 4 else "train" for row in range(N)]
        return self

    def copy(self, row, of):
        self.digests[row], self.signatures[row] = self.digests[of], self.signatures[of]

    def resemble(self, row, of):
        """Nearly the same photo, as another file."""
        values = self.signatures[of].view("<i2").copy()
        values[255] += 4
        self.signatures[row] = values.view(np.uint8)

    def evidence(self):
        signatures = np.stack(self.signatures)
        assert signatures.shape == (N, SIGNATURE_BYTES)
        pairs = likeness(signatures).pairs
        paths = tuple(f"/data/{label}/{row:02}.jpg" for row, label in enumerate(self.labels))
        seen = Sight(np.arange(N), tuple(self.digests), signatures, self.facts, self.mismatches, ())
        dataset = Dataset(
            Path("/data"),
            paths,
            tuple(self.labels),
            None if self.splits is None else tuple(self.splits),
            None if self.groups is None else tuple(self.groups),
        )
        return Evidence(
            dataset=dataset,
            classes=self.classes or dataset.classes,
            refused=self.refused,
            sight=seen,
            alike=duplicate_groups(N, self.digests, signatures, pairs=pairs),
            twins=twins(signatures, pairs),
            held_out=self.answers(dataset.classes) if self.held_out == "sure" else self.held_out,
        )

    def answers(self, classes):
        numbers = np.searchsorted(classes, self.labels)
        probabilities = np.full((N, len(classes)), 0.1 / max(len(classes) - 1, 1), np.float32)
        probabilities[np.arange(N), numbers] = 0.9
        distances = np.exp(np.linspace(0, 0.5, N))
        return HeldOut(np.arange(N), tuple(classes), numbers.astype(np.int64), probabilities, distances)

    def check(self, code):
        return BY_CODE[code].check(self.evidence())


@pytest.fixture
def bench():
    return Bench()


def rows_of(found):
    return {int(Path(path).stem) for item in found.items for path in item.paths}


def actions_of(found):
    return {
        (int(Path(fix.path).stem), fix.action, fix.corrected) for item in found.items for fix in item.fixes
    }


# --- all of them


@pytest.mark.parametrize("code", BY_CODE)
def test_a_sound_data_set_is_left_in_peace(code, bench):
    result = bench.check(code)
    assert result is None or isinstance(result, NotApplicable)
    assert isinstance(result, NotApplicable) == (code in NO_SPLITS | {"FG007"})
    split = bench.split()
    split.groups = [f"shop {row}" for row in range(N)]
    assert split.check(code) is None


def test_codes_are_in_order_and_belong_to_one_check_each():
    codes = [check.CODE for check in CHECKS]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"FG\d{3}", code) for code in codes)
    assert {check.SEVERITY for check in CHECKS} == {"issue", "tip"}
    assert len({check.TITLE for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.CODE)
def test_every_check_has_a_page_with_the_same_heads(check):
    text = (PAGES / f"{check.CODE}.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# {check.CODE}: {check.TITLE}"
    assert lines[2] == f"Severity: {check.SEVERITY}"
    heads = [line for line in lines if line.startswith("## ")]
    assert heads == ["## How it is found", "## Why it matters", "## What to do"]
    for head in heads:
        assert len(text.split(head)[1].split("## ")[0].strip()) > 40


def test_no_page_is_left_over():
    assert {page.stem for page in PAGES.glob("*.md")} == set(BY_CODE)


# --- one by one, by code


def test_fg001_names_what_was_refused_with_its_code(bench):
    bench.refused = (Refusal("ant/x.jpg", "truncated", "it ends early"), Refusal("b", "empty", "no bytes"))
    found = bench.check("FG001")
    assert [item.paths for item in found.items] == [("ant/x.jpg",), ("b",)]
    assert "1 truncated, 1 empty" in found.message


def test_fg002_names_files_of_another_format(bench):
    bench.mismatches = ((4, "the name ends in .png but the file holds JPEG"),)
    assert rows_of(bench.check("FG002")) == {4}


def test_fg003_drops_all_copies_but_the_first(bench):
    bench.copy(3, of=0), bench.copy(6, of=0), bench.copy(7, of=4)
    found = bench.check("FG003")
    assert rows_of(found) == {0, 3, 6, 4, 7}
    assert actions_of(found) == {(3, "drop", ""), (6, "drop", ""), (7, "drop", "")}
    assert found.message.startswith("3 copies of 2 images")


def test_fg003_leaves_copies_under_two_labels_and_in_two_splits_to_others(bench):
    bench.copy(1, of=0)
    bench.split()
    bench.copy(12, of=3)
    assert (bench.splits[3], bench.splits[12]) == ("train", "test")
    assert bench.check("FG003") is None
    assert rows_of(bench.check("FG005")) == {0, 1}
    assert rows_of(bench.check("FG006")) == {3, 12}


def test_fg004_groups_what_is_nearly_the_same(bench):
    bench.resemble(3, of=0), bench.copy(9, of=6)
    found = bench.check("FG004")
    assert rows_of(found) == {0, 3}
    assert actions_of(found) == set()


def test_fg005_keeps_the_label_that_other_photos_speak_for(bench):
    bench.copy(1, of=0)
    evidence = bench.evidence()
    evidence.held_out.probabilities[[0, 1]] = (0.2, 0.7, 0.1)
    found = BY_CODE["FG005"].check(evidence)
    assert actions_of(found) == {(0, "drop", "")}
    assert "'ant' and 'bee'" in found.items[0].note


def test_fg005_drops_all_where_nothing_can_tell(bench):
    bench.copy(1, of=0)
    bench.held_out = None
    assert actions_of(bench.check("FG005")) == {(0, "drop", ""), (1, "drop", "")}


def test_fg005_names_near_duplicates_but_drops_none_where_no_label_is_clear(bench):
    bench.resemble(1, of=0)
    found = bench.check("FG005")
    assert (rows_of(found), actions_of(found)) == ({0, 1}, set())
    assert "1 nearly the same photo" in found.message
    bench.held_out = None
    assert actions_of(bench.check("FG005")) == set()


@pytest.mark.parametrize(("bee", "expected"), [(0.95, {(0, "drop", "")}), (0.88, set())])
def test_fg005_drops_a_near_duplicate_where_the_label_is_clear(bench, bee, expected):
    bench.resemble(1, of=0)
    evidence = bench.evidence()
    evidence.held_out.probabilities[[0, 1]] = (1 - bee, bee, 0)
    found = BY_CODE["FG005"].check(evidence)
    assert actions_of(found) == expected


def test_fg006_drops_the_copy_that_is_learned_from(bench):
    bench.split()
    bench.copy(0, of=12), bench.resemble(4, of=13)
    found = bench.check("FG006")
    assert rows_of(found) == {0, 12, 4, 13}
    assert actions_of(found) == {(0, "drop", ""), (4, "drop", "")}
    assert "1 the same file, 1 nearly the same photo" in found.message


def test_fg006_sees_a_near_duplicate_of_a_copy(bench):
    bench.split()
    bench.copy(13, of=12), bench.resemble(0, of=12)  # only one of the equal ones is compared closely
    assert rows_of(bench.check("FG006")) == {0, 12, 13}


def test_fg007_names_groups_on_both_sides(bench):
    bench.split()
    bench.groups = ["" for _ in range(N)]
    bench.groups[0] = bench.groups[3] = bench.groups[12] = "patient 7"
    bench.groups[1] = bench.groups[4] = "patient 8"
    found = bench.check("FG007")
    assert rows_of(found) == {0, 3, 12}
    assert "'patient 7' is in train and test" in found.items[0].note


def test_fg007_needs_groups_and_splits(bench):
    assert bench.check("FG007").reason == "DATA names no groups"
    bench.groups = ["a"] * N
    assert bench.check("FG007").reason == "DATA has no splits"


def test_fg008_and_fg009_name_small_classes(bench):
    bench.labels = ["cow" if row < 2 else "bee" if row < 30 else "ant" for row in range(N)]
    imbalance, tiny = bench.check("FG008"), bench.check("FG009")
    assert (imbalance.count, tiny.count) == (1, 1)
    assert "'cow'" in imbalance.message
    assert "'cow': 2" in tiny.items[0].note


def test_fg009_counts_look_alikes_and_groups_once(bench):
    for row in range(3, 36, 3):
        bench.copy(row, of=0)
    assert "'ant': 9" in bench.check("FG009").items[0].note
    bench.groups = ["" for _ in range(N)]
    for row in range(1, N, 3):
        bench.groups[row] = f"video {row % 2}"
    notes = [item.note for item in bench.check("FG009").items]
    assert notes == ["'bee': 2 separate photos", "'ant': 9 separate photos"]


def test_fg010_says_which_split_lacks_what(bench):
    bench.split()
    for row in range(N):
        if bench.labels[row] == "ant" and bench.splits[row] == "test":
            bench.splits[row] = "train"
        if bench.labels[row] == "bee" and bench.splits[row] == "train":
            bench.splits[row] = "test"
    found = bench.check("FG010")
    assert found.count == 2
    assert [item.note for item in found.items] == [
        "'bee' is not in train, so it is never predicted",
        "'ant' is not in test, so nothing is measured for it",
    ]


@pytest.mark.parametrize(
    ("code", "odd"),
    [
        ("FG011", {"width": 40, "height": 30}),
        ("FG011", {"width": 4000, "height": 3000}),
        ("FG012", {"width": 1200, "height": 100}),
        ("FG013", {"brightness": 0.05}),
        ("FG013", {"brightness": 0.98}),
        ("FG014", {"sharpness": 0.02}),
        ("FG015", {"colour": 0.0}),
        ("FG016", {"contrast": 0.5}),
    ],
)
def test_outliers_of_every_kind_are_found(code, odd, bench):
    chance = np.random.default_rng(0)
    bench.facts *= chance.uniform(0.97, 1.03, bench.facts.shape).astype(np.float32)
    assert bench.check(code) is None
    bench.set_fact(17, **odd)
    assert rows_of(bench.check(code)) == {17}


def test_fg014_does_not_call_sharp_or_blank_images_blurred(bench):
    bench.set_fact(3, sharpness=5.0)
    bench.set_fact(4, sharpness=0.0, contrast=0.0)
    assert bench.check("FG014") is None


def test_fg015_finds_colour_among_grey(bench):
    bench.facts[:, FACTS.index("colour")] = 0.0
    bench.set_fact(5, colour=0.3)
    assert rows_of(bench.check("FG015")) == {5}
    bench.facts[::2, FACTS.index("colour")] = 0.3
    assert bench.check("FG015") is None


@pytest.mark.parametrize("code", ["FG011", "FG012", "FG013", "FG014", "FG015", "FG018"])
def test_a_handful_of_images_has_no_usual_range(code, bench):
    evidence = bench.evidence()
    few = Evidence(**{**vars(evidence), "dataset": evidence.dataset.take(range(fences.FEWEST - 1))})
    assert isinstance(BY_CODE[code].check(few), NotApplicable)


def test_a_second_kind_of_image_is_no_outlier():
    values = np.concatenate([np.full(80, 1.0), np.full(20, 3.0)])
    assert len(fences.outliers(values, 0.5)) == 0
    values[0] = 9.0
    assert fences.outliers(values, 0.5).tolist() == [0]


def test_a_small_difference_is_none_where_all_are_equal():
    values = np.full(50, 1.0)
    values[7] = 1.4
    assert fences.outliers(values, 0.5).tolist() == []
    assert fences.outliers(values, 0.3).tolist() == [7]


def test_fg017_suggests_the_likely_class_or_leaving_out(bench):
    evidence = bench.evidence()
    evidence.held_out.probabilities[0] = (0.01, 0.95, 0.04)
    evidence.held_out.probabilities[1] = (0.45, 0.08, 0.47)
    evidence.held_out.probabilities[3] = (0.05, 0.02, 0.93)
    found = BY_CODE["FG017"].check(evidence)
    assert actions_of(found) >= {(0, "relabel", "bee"), (3, "relabel", "cow")}
    assert rows_of(found) <= {0, 1, 3}
    assert found.items[0].paths == ("ant/00.jpg",)


def test_fg017_leaves_out_what_is_like_none_of_the_classes(bench):
    evidence = bench.evidence()
    evidence.held_out.probabilities[0] = (0.01, 0.95, 0.04)
    evidence.held_out.distances[0] = 10.0
    found = BY_CODE["FG017"].check(evidence)
    assert (0, "drop", "") in actions_of(found)
    assert "unlike both" in found.items[0].note


def test_fg017_leaves_out_what_is_neither(bench):
    evidence = bench.evidence()
    answers = evidence.held_out
    answers.probabilities[:, :] = 0.3
    answers.probabilities[np.arange(N), answers.labels] = 0.4
    answers.probabilities[5] = (0.48, 0.47, 0.05)
    assert actions_of(BY_CODE["FG017"].check(evidence)) == {(5, "drop", "")}


@pytest.mark.parametrize("code", ["FG017", "FG018"])
def test_without_anything_held_out_there_is_no_judgement(code, bench):
    bench.held_out = None
    assert "hold out" in bench.check(code).reason


def test_fg018_names_images_far_from_every_class(bench):
    evidence = bench.evidence()
    evidence.held_out.distances[8] = 50.0
    evidence.held_out.distances[9] = 1e-6  # very usual is not unusual
    assert rows_of(BY_CODE["FG018"].check(evidence)) == {8}


@pytest.mark.parametrize("twin", ["Ant", "ANT ", "a n-t", "ａnt"], ids=["case", "space", "hyphen", "wide"])
def test_fg019_names_class_names_that_look_alike(twin, bench):
    bench.labels[0] = twin
    found = bench.check("FG019")
    assert found.count == 2
    assert ascii(twin) in found.message
    assert actions_of(found) == {(0, "relabel", "ant")}


def test_fg019_sees_unicode_forms(bench):
    bench.labels[0], bench.labels[3] = "caf\u00e9", "cafe\u0301"
    assert bench.check("FG019").count == 2


# --- what they share


def test_long_lists_of_names_are_cut():
    assert named(["a", "b"]) == "'a', 'b'"
    assert named(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"


def test_together_keeps_order():
    assert together("abcab") == ((0, 3), (1, 4))


def test_a_finding_counts_its_images_unless_told_otherwise(bench):
    bench.copy(3, of=0)
    found = bench.check("FG003")
    assert isinstance(found, Found)
    assert found.count is None
