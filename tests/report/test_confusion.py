"""Which classes are taken for which."""

import numpy as np

from fieldguide.report import confusion
from fieldguide.report.confusion import clustered
from report_made import blocks, material


def test_classes_that_are_mixed_up_stand_side_by_side():
    counts = np.diag([20, 20, 20, 20])
    counts[0, 2] = counts[2, 0] = counts[1, 3] = counts[3, 1] = 8
    order = clustered(counts).tolist()
    assert abs(order.index(0) - order.index(2)) == 1 and abs(order.index(1) - order.index(3)) == 1


def test_two_classes_stay_as_they_are():
    assert clustered(np.array([[1, 9], [9, 1]])).tolist() == [0, 1]


def test_the_pairs_mixed_up_most_come_first_with_their_share(measured):
    (table,) = blocks(confusion.section(measured), "table")
    counts = [row[2] for row in table.rows]
    assert counts == sorted(counts, reverse=True)
    assert all(row[3] == row[2] / 20 for row in table.rows)
    truth, answer, most = table.rows[0][:3]
    (picture,) = blocks(confusion.section(measured), "picture")
    assert f"{truth} taken for {answer} {most} times" in picture.alt


def test_of_many_classes_those_with_most_mistakes_are_drawn(tmp_path):
    classes = tuple(f"class {number:02}" for number in range(40))
    (picture,) = blocks(confusion.section(material(tmp_path / "photos", classes=classes, each=2)), "picture")
    drawn = [label.get_text() for label in picture.drawing.figure.axes[0].get_yticklabels()]
    assert len(drawn) == 30
    assert "Shown are the 30 of 40 classes" in picture.caption
    mistakes = dict.fromkeys(classes, 0)
    for truth, answer, count in picture.numbers.rows:
        if truth != answer:
            mistakes[truth] += count
            mistakes[answer] += count
    assert max(mistakes[name] for name in set(classes) - set(drawn)) <= min(mistakes[name] for name in drawn)
