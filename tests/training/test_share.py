"""Which images of a batch each process works on."""

import pytest
import torch

from fieldguide.training.share import WHOLE, BatchPart, BatchShare


@pytest.mark.parametrize(("count", "of"), [(8, 2), (15, 2), (16, 3), (3, 3)])
def test_every_image_is_in_one_share_and_shares_are_nearly_equal(count, of):
    rows = [list(range(count))[BatchShare(number, of).rows(count)] for number in range(of)]
    assert [row for some in rows for row in some] == list(range(count))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


def test_the_mean_over_processes_is_the_weighted_mean_over_the_batch():
    losses, weights = torch.tensor([1.0, 5.0, 2.0, 7.0, 3.0]), torch.tensor([1.0, 1.0, 4.0, 0.5, 2.0])
    scaled = []
    for share in (BatchShare(0, 2), BatchShare(1, 2)):
        own = share.rows(5)
        mean = (losses[own] * weights[own]).sum() / weights[own].sum()
        scaled.append(share.scaled(mean, weights[own].sum(), weights.sum()))
    assert float(sum(scaled) / 2) == pytest.approx(float((losses * weights).sum() / weights.sum()))


def test_the_whole_changes_nothing():
    loss = torch.tensor(0.1)
    assert WHOLE.scaled(loss, 3, 7) is loss
    assert BatchPart.whole(3).of(torch.arange(3)).tolist() == [0, 1, 2]
    assert BatchPart(5, slice(1, 3)).of(torch.arange(10).view(2, 5)).tolist() == [[1, 2], [6, 7]]
