"""Whether what a model file computes for an image can be an answer: the contract's ranges and sums."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.tasks.task import Task

ROUNDING, MOST_OFF = 1e-4, 0.01
"""How far a share may lie outside of 0 to 1, and the sum of a row from 1, by rounding in half precision."""


def why_no_answer(
    probabilities: NDArray[np.float32],
    typicality: np.float32 | NDArray[np.float32],
    task: Task = Task.SINGLE,
) -> str | None:
    """Why outputs cannot be what the contract says; None where they can.

    Parameters
    ----------
    probabilities
        Of shape (n_classes,), or (n_images, n_classes).
    typicality
        A number, or of shape (n_images,).
    task
        Of the model: only the probabilities of single labels add up to 1.
    """
    if not (np.isfinite(probabilities).all() and np.isfinite(typicality).all()):
        return "is no number"
    for values, name in ((probabilities, "probability"), (typicality, "typicality")):
        lowest, highest = float(np.min(values, initial=0)), float(np.max(values, initial=0))
        if lowest < -ROUNDING or highest > 1 + ROUNDING:
            return f"has a {name} of {lowest if lowest < 0 else highest:.3g}, outside of 0 to 1"
    if task is Task.MULTIPLE:
        return None
    sums = np.atleast_1d(probabilities.sum(axis=-1, dtype=np.float64))
    off = np.abs(sums - 1)
    if off.max(initial=0) > MOST_OFF:
        return f"has probabilities that add up to {float(sums[off.argmax()]):.3g}, not to 1"
    return None
