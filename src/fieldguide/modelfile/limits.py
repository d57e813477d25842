"""What a model cannot say, in sentences for wherever it answers: `unknown`, or typicality in fine steps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

FINE = 5
"""Steps of typicality below the threshold of unknown, with fewer of which it is called coarse."""
MOST_NAMED = 5
"""Tags that are named."""
FROM_SCRATCH = (
    "a network trained from scratch says unknown of few photos of other things; `evaluate --foreign` "
    "measures of how few"
)


def limits_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """The limits of a model, from its card.

    Typicality is a rank among the held-out images: its smallest value is 1 / (n + 1) with n of them. Where
    that is not below the threshold of unknown, no photo can be.

    Parameters
    ----------
    card
        Of a model file. One that was written with `limits` says them itself.

    Returns
    -------
    tuple of str
        Sentences; empty where there is nothing to say, or where the card does not tell.

    Examples
    --------
    >>> card = {"thresholds": {"unknown": 0.01, "coverage": 0.95}, "metrics": {"n": 60}}
    >>> limits_of(card)[0][:41]
    'this model can never say unknown: it was '
    >>> limits_of(card | {"metrics": {"n": 5_000}})
    ()
    """
    stated = card.get("limits")
    if isinstance(stated, list) and all(isinstance(sentence, str) for sentence in stated):
        return tuple(stated)
    thresholds, metrics = card.get("thresholds") or {}, card.get("metrics") or {}
    never = _never_given(card.get("classes") or [], thresholds)
    threshold = thresholds.get("unknown") or 0.0
    if card.get("recipe") == "pretrained":
        return (
            (
                "this model can never say unknown: it was calibrated on no photos, so that typicality is 1 "
                "for every one"
            ),
        )
    held_out = metrics.get("n")
    if type(held_out) is not int or held_out < 1 or not threshold:
        return never
    scratch = (FROM_SCRATCH,) if card.get("recipe") == "cnn" and (held_out + 1) * threshold > 1 else ()
    return (*_of_held_out(held_out, threshold), *scratch, *never)


def _never_given(classes: Sequence[str], thresholds: Mapping[str, Any]) -> tuple[str, ...]:
    """Tags of which held-out photos do not show the stated precision, however probable."""
    stated = thresholds.get("precision")
    if stated is None:
        return ()
    never = [name for name, least in zip(classes, thresholds.get("tags") or [], strict=False) if least >= 1]
    if not never:
        return ()
    named = ", ".join(map(repr, never[:MOST_NAMED])) + (", …" if len(never) > MOST_NAMED else "")
    return (
        (
            f"this model never gives {len(never)} of its {len(classes)} tags ({named}): held-out photos do "
            f"not show a precision of {100 * stated:.6g}% at any probability of theirs; sets may still hold "
            "them"
        ),
    )


def _of_held_out(held_out: int, threshold: float) -> tuple[str, ...]:
    smallest = 1 / (held_out + 1)
    needed = math.ceil(round(1 / threshold, 9))
    if smallest >= threshold:
        return (
            (
                f"this model can never say unknown: it was calibrated on {held_out} held-out photos, and "
                f"{needed} are needed for a threshold of {threshold:g}; typicality still ranks photos"
            ),
        )
    if threshold / smallest < FINE:
        return (
            (
                f"typicality is coarse: with {held_out} held-out photos its smallest value is "
                f"{smallest:.2g}, so unknown, said below {threshold:g}, depends on one or a few of them"
            ),
        )
    return ()
