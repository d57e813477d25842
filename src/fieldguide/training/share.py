"""Which images of each batch a process works on, and what its mean loss counts for in that of the batch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class BatchShare:
    """One of several equal parts of each batch.

    Examples
    --------
    >>> [BatchShare(number, 3).rows(8) for number in range(3)]
    [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
    """

    number: int = 0
    """Which part, from 0."""
    of: int = 1
    """How many there are."""

    def rows(self, count: int) -> slice:
        """The places of this part in a batch of `count` images; parts differ by one image at most."""
        return slice(count * self.number // self.of, count * (self.number + 1) // self.of)

    def scaled(self, loss: Tensor, own: Tensor | float, whole: Tensor | float) -> Tensor:
        """Scale the mean loss of this part so that the mean over all parts is that of the batch.

        Gradients are averaged over processes, whose parts may differ in size and in what their images weigh.

        Parameters
        ----------
        loss
            Weighted mean over this part.
        own, whole
            Sum of weights of this part and of the batch.

        Examples
        --------
        >>> import torch
        >>> losses = torch.tensor([1.0, 2.0, 6.0])
        >>> parts = [BatchShare(number, 2) for number in range(2)]
        >>> own = [losses[part.rows(3)] for part in parts]
        >>> scaled = [part.scaled(some.mean(), len(some), 3) for part, some in zip(parts, own)]
        >>> float(sum(scaled) / 2), float(losses.mean())
        (3.0, 3.0)
        """
        return loss if self.of == 1 else loss * (self.of * own / whole)


@dataclass(frozen=True)
class BatchPart:
    """Images that are a part of a batch, where choices are drawn for all of it.

    So each image is changed as if one process worked on the whole batch.
    """

    count: int
    """Images of the whole batch."""
    rows: slice
    """Which of them are there."""

    @classmethod
    def whole(cls, count: int) -> "BatchPart":
        """All images of a batch."""
        return cls(count, slice(None))

    def of(self, drawn: Tensor) -> Tensor:
        """Take from what was drawn for the whole batch, of shape (…, count), what is this part's."""
        return drawn[..., self.rows]


WHOLE = BatchShare()
