"""How far training has come, also where fewer or more passes turn out to fit into its time."""

from dataclasses import dataclass, field


@dataclass
class Schedule:
    """The share of training that is done after each step.

    Rates and image sizes follow from the share, not from the number of the step. So training that is made
    shorter or longer on its way still ends as it would have: with small rates, on whole images.

    Parameters
    ----------
    changes
        Pairs of a step and the number of steps in all that was planned from there on, growing in the step;
        the first is that of the beginning.

    Examples
    --------
    >>> schedule = Schedule([[0, 100]])
    >>> schedule.share(50)
    0.5
    >>> schedule = schedule.changed(50, 75)  # the second half in 25 steps instead of 50
    >>> schedule.share(50), schedule.share(60), schedule.share(75), schedule.steps
    (0.5, 0.7, 1.0, 75)
    """

    changes: list[list[int]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """In all, as planned now."""
        return self.changes[-1][1]

    def share(self, step: int) -> float:
        """Return the share of training that is done before step number `step`, from 0 to 1."""
        share, begun, steps = 0.0, 0, self.changes[0][1]
        for change, planned in self.changes[1:]:
            if step <= change:
                break
            share += (1 - share) * (change - begun) / (steps - begun)
            begun, steps = change, planned
        return min(share + (1 - share) * (step - begun) / max(steps - begun, 1), 1.0)

    def changed(self, step: int, steps: int) -> "Schedule":
        """Return the schedule that ends after so many steps in all; `step` are done, as this one planned."""
        return Schedule([*self.changes, [step, steps]])
