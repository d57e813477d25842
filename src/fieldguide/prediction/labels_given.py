"""Which labels a photo is filed under."""

from fieldguide.prediction.result import Prediction


def labels_given(prediction: Prediction) -> tuple[str, ...]:
    """The labels that an answer gives a photo, the surest first; none where it is unknown or refused.

    Whatever files photos by their labels asks here, so that answers of several labels need one place.

    Examples
    --------
    >>> from fieldguide.prediction.result import refused
    >>> labels_given(Prediction("a.jpg", "cat", 0.9, 0.5, False, ("cat",), ()))
    ('cat',)
    >>> labels_given(Prediction("a.jpg", "cat", 0.9, 0.0, True, ("cat",), ()))
    ()
    >>> labels_given(refused("a.jpg", "missing", "there is no such file"))
    ()
    """
    if prediction.error is not None or prediction.label is None or prediction.unknown:
        return ()
    return (prediction.label,) if prediction.labels is None else prediction.labels
