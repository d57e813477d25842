"""Whether to mirror: names that forbid it, evidence that decides, and a reason in every answer."""

import pytest
from scipy import stats

from fieldguide.recipes.networks.flips import FlipEvidence, flip_is_safe

FINE = FlipEvidence(both=400, lost=20, gained=18, n=500)
BAD = FlipEvidence(both=300, lost=90, gained=10, n=500)


@pytest.mark.parametrize(
    "classes",
    [
        [str(digit) for digit in range(10)],
        ["A", "B", "C"],
        ["å", "ß", "я"],
        ["digit_3", "digit_7"],
        ["Letter a", "letter-b", "nothing"],
        ["zero", "One", "TWO"],
        ["３", "４"],
    ],
)
@pytest.mark.parametrize("evidence", [None, FINE])
def test_digits_and_letters_are_never_mirrored(classes, evidence):
    safe, reason = flip_is_safe(classes, evidence)
    assert not safe
    assert "digits or letters" in reason
    assert repr(classes[0]) in reason


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        (["turn_left", "straight"], "turn_left"),
        (["Arrow RIGHT", "Arrow up"], "Arrow RIGHT"),
        (["turnLeft", "stop"], "turnLeft"),
        (["Ｌｅｆｔ", "Ｓｔｏｐ"], "Ｌｅｆｔ"),
        (["links", "geradeaus"], "links"),
        (["Pfeil rechts", "Stop"], "Pfeil rechts"),
        (["à gauche", "tout droit"], "à gauche"),
        (["tourner-droite", "x"], "tourner-droite"),
        (["mano izquierda", "otra"], "mano izquierda"),
        (["derecho", "otro"], "derecho"),
        (["Linkskurve", "Rechtskurve", "Baustelle"], "Rechtskurve"),
        (["leftarrow", "rightarrow"], "leftarrow"),
    ],
)
def test_sides_are_never_mirrored(classes, named):
    for evidence in (None, FINE):
        safe, reason = flip_is_safe(classes, evidence)
        assert not safe
        assert repr(named) in reason
        assert "flip=0.5 turns it on" in reason


@pytest.mark.parametrize(
    "classes",
    [
        ["dress", "shirt", "shoes"],
        ["bright", "dark"],  # holds "right"
        ["cleft lip", "healthy"],
        ["x", "cat", "dog"],  # one letter among names is no alphabet
        ["no", "yes"],
        ["Löwenzahn", "猫", "собака"],
        ["leftovers", "vegetables"],
    ],
)
def test_other_names_are_mirrored_unless_evidence_speaks_against_it(classes):
    assert flip_is_safe(classes)[0]
    assert flip_is_safe(classes, FINE)[0]
    assert not flip_is_safe(classes, BAD)[0]


def test_numbers_wait_for_evidence():
    speeds = ["30", "50", "80", "120"]
    safe, reason = flip_is_safe(speeds)
    assert not safe
    assert "numbers ('30', '50', '80', …)" in reason
    assert flip_is_safe(speeds, FINE)[0]
    assert not flip_is_safe(speeds, BAD)[0]


def test_reasons_say_what_was_seen():
    assert flip_is_safe(["cat", "dog"], FINE) == (
        True,
        (
            "flip: on, since a linear probe is right on 83.6% of 500 held-out mirror images and on 84.0% of "
            "the images as they are, which is not significantly more; flip=0 turns it off"
        ),
    )
    assert "on 62.0% of 500 held-out mirror images and on 78.0%" in flip_is_safe(["cat", "dog"], BAD)[1]


def test_without_a_single_image_evidence_is_none():
    assert flip_is_safe(["cat", "dog"], FlipEvidence(0, 0, 0, 0)) == flip_is_safe(["cat", "dog"])


@pytest.mark.parametrize("disagree", [1, 4, 5, 9, 30, 101])
def test_worse_is_the_exact_one_sided_test_of_scipy(disagree):
    verdicts = set()
    for lost in range(disagree + 1):
        evidence = FlipEvidence(both=50, lost=lost, gained=disagree - lost, n=200)
        p = stats.binomtest(lost, disagree, alternative="greater").pvalue
        assert evidence.is_worse() == (p < 0.05), (lost, p)
        verdicts.add(evidence.is_worse())
    assert verdicts == ({False} if disagree < 5 else {False, True})


def test_no_disagreement_is_no_evidence_against():
    assert not FlipEvidence(both=10, lost=0, gained=0, n=10).is_worse()
