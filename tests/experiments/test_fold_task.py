"""One fold of one way of training."""

from types import SimpleNamespace

import numpy as np

from fieldguide.experiments.fold_task import Candidate, FoldTask


def test_a_share_leaves_out_images_learned_from_and_none_held_out():
    folding = SimpleNamespace(parts=lambda fold: (np.array([0, 1, 4, 5]), np.array([2, 3])))
    share = np.array([True, False, False, True, True, False])
    task = FoldTask(Candidate("one", "svm"), 1, share)
    learned, held = task.rows(folding)
    assert (learned.tolist(), held.tolist()) == ([0, 4], [2, 3])
    assert FoldTask(task.candidate, 1).rows(folding)[0].tolist() == [0, 1, 4, 5]
    assert task.title == "fold 2 of one"
