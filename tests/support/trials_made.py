"""Attempts at trials for tests of searches."""


def each(attempt):
    """Tries the trials of a batch one after the other.

    `attempt(values, report)` gives the objective; what is given up ends at once, whatever it gives.
    """

    def batch(trials):
        for trial in trials:
            try:
                value = attempt(trial.values, trial.report)
            except Exception as error:
                trial.fail(error)
                continue
            if not trial.ended:
                trial.finish(value, 1 - value)

    return batch
