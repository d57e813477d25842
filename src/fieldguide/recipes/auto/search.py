"""The ways that `auto` tries after the first probe, one after the other, while there is time."""

from fieldguide.errors import FieldguideError, OptionError
from fieldguide.recipes.auto.another_family import another_family
from fieldguide.recipes.auto.candidates import (
    FINETUNE,
    CandidateMaterial,
    NoTime,
    OmittedCandidate,
    PossibleCandidate,
    Step,
    another_size,
    beside,
    classical,
    fine_tuned,
    first,
    from_scratch,
    small_from_scratch,
)
from fieldguide.recipes.auto.trial import FittedCandidate, evidence_of
from fieldguide.recipes.common import Options

STEPS: tuple[Step, ...] = (
    another_size,
    beside(0),
    small_from_scratch,
    fine_tuned,
    classical("svm"),
    classical("extra-trees"),
    beside(1),
    another_family,
    from_scratch,
)
"""At most nine, so that each has a digit; what wins most in its time comes first (docs/benchmarks.md)."""
LEAST_ERROR = 0.004
"""Share of mistakes up to which nothing else is tried; as in fine-tuning."""
LEAST_LEFT = 1.0
"""Seconds below which nothing else is looked at."""


def asked_steps(options: Options) -> tuple[int, ...] | None:
    """Which ways a person asked for by the setting `candidates`, by number; None where it is not given.

    Raises
    ------
    OptionError
        If the setting is not 0 or digits of the ways, each larger than the one before.

    Examples
    --------
    >>> asked_steps(Options(settings={"candidates": 124.0})), asked_steps(Options(settings={"candidates": 0}))
    ((1, 2, 4), ())
    """
    value = options.settings.get("candidates")
    if value is None:
        return None
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    digits = (
        () if value == 0 else tuple(int(digit) for digit in str(int(value))) if whole and value > 0 else None
    )
    growing = digits is not None and list(digits) == sorted(set(digits) - {0})
    if digits is None or not growing or max(digits, default=0) > len(STEPS):
        raise OptionError(
            f"candidates: must be 0, or numbers of ways from 1 to {len(STEPS)} as digits, growing, such as "
            f"124; got {value!r}"
        )
    return digits


class CandidateSearch:
    """Trials so far, and what is said of what was not tried.

    Parameters
    ----------
    material
        What candidates are made from.
    """

    def __init__(self, material: CandidateMaterial) -> None:
        self._material = material
        self._said: list[str] = []
        self._looked_at: list[int] = []
        self.trials: list[FittedCandidate] = []
        self.interrupted: bool = False

    def run(self, asked: tuple[int, ...] | None) -> None:
        """Try one candidate after the other.

        Parameters
        ----------
        asked
            Which, by number from 1; None takes those that there is time for.
        """
        self._add(first(self._material))
        try:
            for number, step in enumerate(STEPS, start=1):
                if asked is not None and number not in asked:
                    continue
                if self.interrupted or not self._material.enough(LEAST_LEFT) or self._nothing_left():
                    break
                self._try(number, step)
        except KeyboardInterrupt:
            self.interrupted = True

    def summary(self) -> tuple[str, ...]:
        """Sentences on what was tried and what was not."""
        digits = "".join(map(str, self._looked_at)) or "0"
        return (
            (
                f"{len(self._looked_at)} of {len(STEPS)} ways looked at after the first; --set "
                f"candidates={digits} looks at the same whatever the clock says"
            ),
            *self._said,
        )

    def _try(self, number: int, step: Step) -> None:
        found = step(self._material, self.trials)
        if isinstance(found, NoTime):
            return
        if isinstance(found, PossibleCandidate) and not self._material.enough(found.seconds):
            seconds = f"{found.seconds:,.0f} s, and {max(self._material.left(), 0):,.0f} s are left"
            self._said.append(f"not tried: {found.name}: would take some {seconds}")
            return
        self._looked_at.append(number)
        self._take(found)

    def _nothing_left(self) -> bool:
        """Whether the best makes so few mistakes that trying others cannot pay."""
        evidence = evidence_of([trial for trial in self.trials if trial.whole])
        right = int(evidence.right.sum(1).max())
        nothing = len(evidence.rows) - right <= LEAST_ERROR * len(evidence.rows)
        if nothing:
            count = f"{evidence.noun}{right} of {len(evidence.rows)} images"
            self._said.append(f"nothing else tried: {count} are right already")
        return nothing

    def _take(self, found: PossibleCandidate | OmittedCandidate) -> None:
        if isinstance(found, OmittedCandidate):
            self._said.append(f"not tried: {found.reason}")
            return
        try:
            fitted = found.fit()
        except FieldguideError as error:  # the others are finished models
            self._said.append(f"not to be had: {found.name}: {error}")
            return
        self.interrupted = fitted.interrupted
        self._add(FittedCandidate(found.name, fitted))

    def _add(self, trial: FittedCandidate) -> None:
        """Keep what can be compared, and say what it has reached."""
        if self.trials and trial.fitted.classes != self.trials[0].fitted.classes:
            self._said.append(f"not to be had: {trial.name}: it knows other classes than the first")
            return
        if trial.name == FINETUNE and trial.whole:
            self._said.append("finetune: was not better than its own linear probe")
            return
        self.trials.append(trial)
        evidence = evidence_of([trial])
        right, loss = int(evidence.right.sum()), float(evidence.losses.mean())
        count = f"{evidence.noun}{right} of {len(evidence.rows)} images"
        said = f"{trial.name}: {count} not seen right, log loss {loss:.3f}"
        self._material.run.progress(said, 1, 1)
