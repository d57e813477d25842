"""How models that had not seen a photo answer its tags."""

import numpy as np

from fieldguide.audit.tag_answers import doubtful_tags, tag_answers
from fieldguide.tasks.tags import ABSENT, PRESENT, Tags


def made(images=200):
    chance = np.random.default_rng(0)
    shown = chance.random((images, 3)) < 0.4
    vectors = (shown @ chance.normal(size=(3, 12)) * 2 + chance.normal(size=(images, 12)) * 0.3).astype(
        np.float32
    )
    tags = [Tags.of(name for name, has in zip("abc", row, strict=True) if has) for row in shown]
    return vectors, tags


def test_planted_mistakes_are_found():
    vectors, tags = made()
    forgotten = [row for row, one in enumerate(tags) if "a" in one.present][:12]
    added = [row for row, one in enumerate(tags) if "b" not in one.present][:12]
    for row in forgotten:
        tags[row] = Tags.of(set(tags[row].present) - {"a"})
    for row in added:
        tags[row] = Tags.of({*tags[row].present, "b"})
    answers = tag_answers(vectors, tags, np.arange(200))
    missing = [(doubt.place, answers.classes[doubt.tag]) for doubt in doubtful_tags(answers, ABSENT)]
    wrong = [(doubt.place, answers.classes[doubt.tag]) for doubt in doubtful_tags(answers, PRESENT)]
    found = set(missing) & {(row, "a") for row in forgotten} | set(wrong) & {(row, "b") for row in added}
    assert len(found) >= 8
    assert len(found) >= 0.7 * (len(missing) + len(wrong))


def test_the_surest_come_first():
    vectors, tags = made()
    for row in range(0, 60, 3):
        tags[row] = Tags.of(set("abc") - set(tags[row].present))
    doubts = doubtful_tags(tag_answers(vectors, tags, np.arange(200)), ABSENT)
    assert [doubt.probability for doubt in doubts] == sorted(
        (doubt.probability for doubt in doubts), reverse=True
    )


def test_nothing_to_hold_out_or_to_tell_apart():
    vectors, tags = made(20)
    assert tag_answers(vectors, tags, np.zeros(20, np.int64)) is None
    assert tag_answers(vectors, [Tags(("a",))] * 20, np.arange(20)) is None
