"""The folds of one way of training, taken in their order, in whatever order they come."""

from collections.abc import Callable, Sequence

from fieldguide.experiments.fold_results import FoldResult

Heard = Callable[[Sequence[FoldResult]], bool]
"""Told the folds so far after each; whether the rest is not wanted any more."""


def _all_wanted(results: Sequence[FoldResult]) -> bool:
    return False


class FoldsInOrder:
    """What came of the folds so far; it is the same in whatever order they end.

    Parameters
    ----------
    count
        How many there are.
    heard
        May end the work before all are done.
    """

    def __init__(self, count: int, heard: Heard = _all_wanted) -> None:
        self.count: int = count
        self._heard = heard
        self.results: list[FoldResult] = []
        """Of the folds from the first on, without a gap."""
        self.error: Exception | None = None
        """Of the first fold that failed."""
        self.ended: bool = False
        """Whether nothing more is to be done."""
        self._early: dict[int, FoldResult | Exception] = {}

    @property
    def done(self) -> int:
        """How many folds are done with; all, where it has ended."""
        return self.count if self.ended else len(self.results) + len(self._early)

    def wants(self, fold: int) -> bool:
        """Whether a fold is still to be done: not where it has ended, or one before it has failed."""
        failed = [number for number, one in self._early.items() if isinstance(one, Exception)]
        return not self.ended and not any(number < fold for number in failed)

    def take(self, fold: int, outcome: FoldResult | Exception) -> None:
        """Take what came of a fold."""
        self._early[fold] = outcome
        while not self.ended and len(self.results) in self._early:
            following = self._early.pop(len(self.results))
            if isinstance(following, Exception):
                self.error, self.ended = following, True
                return
            self.results.append(following)
            enough = self._heard(self.results)
            self.ended = enough or len(self.results) == self.count
