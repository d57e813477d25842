"""From scores of held-out images to promises: probabilities, prediction sets, typicality.

Everything here takes *out-of-fold* scores, given to an image by a model that has not learned from it; only
then does a promise made on them hold for new images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]

TEMPERATURES = (1e-2, 1e4)
"""Bounds of the temperature."""
LONGEST_REFERENCE = 8192
"""Held-out distances kept in a model file; more are thinned to as many evenly spaced order statistics."""


def log_probabilities(scores: FloatArray, log_priors: FloatArray, temperature: float) -> FloatArray:
    """Turn discriminant scores into log-probabilities: the log-softmax of scores / temperature + log prior.

    Parameters
    ----------
    scores
        Of shape (n_images, n_classes); minus infinity for a class that the scoring model has not seen.
    log_priors
        Of shape (n_classes,): logarithm of each class's share.
    temperature
        More than 0; above 1 makes the probabilities less extreme.

    Examples
    --------
    >>> scores, no_prior = np.array([[2.0, 0.0]]), np.zeros(2)
    >>> np.exp(log_probabilities(scores, no_prior, temperature=1.0)).round(3).tolist()
    [[0.881, 0.119]]
    >>> np.exp(log_probabilities(scores, no_prior, temperature=4.0)).round(3).tolist()
    [[0.622, 0.378]]
    """
    logits = scores / temperature + log_priors
    return np.asarray(logits - logsumexp(logits, axis=1, keepdims=True), dtype=np.float64)


def fit_temperature(scores: FloatArray, labels: NDArray[np.int64], log_priors: FloatArray) -> float:
    """Find the temperature under which held-out labels are most probable.

    Temperature scaling after Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), with the
    smoothed targets of Platt's "Probabilistic outputs for support vector machines" (1999): n images can
    not show an error rate below about 1 / (n + 2), so no probability is pushed beyond it.

    Parameters
    ----------
    scores
        Out-of-fold scores of shape (n_images, n_classes).
    labels
        Class numbers of shape (n_images,).
    log_priors
        Of shape (n_classes,).

    Returns
    -------
    float
        Within :data:`TEMPERATURES`.

    Examples
    --------
    >>> scores = np.tile([10.0, 0.0], (100, 1))  # as good as certain of the first class
    >>> labels = np.arange(100) % 5 // 4  # which every fifth image is not
    >>> temperature = fit_temperature(scores, labels, np.zeros(2))
    >>> np.exp(log_probabilities(scores[:1], np.zeros(2), temperature)).round(1).tolist()
    [[0.8, 0.2]]
    """
    finite = np.isfinite(scores)
    doubt = 1.0 / (len(labels) + 2)
    targets = np.where(finite, doubt / np.maximum(finite.sum(1, keepdims=True) - 1, 1), 0.0)
    targets[np.arange(len(labels)), labels] = 1.0 - doubt

    def loss(log_temperature: float) -> float:
        log_p = log_probabilities(scores, log_priors, float(np.exp(log_temperature)))
        return float(-(targets * np.where(finite, log_p, 0.0)).sum() / len(labels))

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Calibrated:
    """How scores become probabilities, and how well that went on the held-out images it was chosen by."""

    temperature: float
    """Divides the scores."""
    log_priors: FloatArray
    """Added to the tempered scores, of shape (n_classes,); all 0 where the class shares are not used."""
    loss: float
    """Mean negative log-probability of the true classes."""
    accuracy: float
    """Share of images whose most probable class is the true one."""

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Of the same shape as the scores."""
        return np.exp(self.log_probabilities(scores))

    def log_probabilities(self, scores: FloatArray) -> FloatArray:
        """Their logarithms, of the same shape as the scores."""
        return log_probabilities(scores, self.log_priors, self.temperature)


def calibrate(scores: FloatArray, labels: NDArray[np.int64], shares: FloatArray) -> Calibrated:
    """Calibrate with the class shares, or without them where they make more mistakes.

    They do where a few images are badly wrong (one photo under two labels among twenty): the temperature
    rises until every score is small beside the shares, and the largest class always wins.

    Parameters
    ----------
    scores
        Out-of-fold scores of shape (n_images, n_classes).
    labels
        Class numbers of shape (n_images,).
    shares
        Share of each class among the images learned from, of shape (n_classes,), each more than 0.

    Examples
    --------
    >>> scores, labels = np.array([[0.2, 0.0]] * 3 + [[0.0, 3.0]]), np.array([0, 0, 0, 1])
    >>> calibrated = calibrate(scores, labels, shares=np.array([0.75, 0.25]))
    >>> says_nothing = np.zeros((1, 2))  # then the shares decide
    >>> calibrated.accuracy, calibrated.probabilities(says_nothing).round(3).tolist()
    (1.0, [[0.75, 0.25]])
    """
    log_shares = np.log(shares)
    trials = [_calibrated(scores, labels, log_priors) for log_priors in (log_shares, 0 * log_shares)]
    return max(trials, key=lambda trial: (trial.accuracy, -trial.loss))


def _calibrated(scores: FloatArray, labels: NDArray[np.int64], log_priors: FloatArray) -> Calibrated:
    temperature = fit_temperature(scores, labels, log_priors)
    log_p = log_probabilities(scores, log_priors, temperature)
    loss = -float(log_p[np.arange(len(labels)), labels].mean())
    accuracy = float((log_p.argmax(1) == labels).mean())
    return Calibrated(temperature, log_priors, loss, accuracy)


def set_threshold(truth_probabilities: FloatArray, coverage: float) -> float:
    """Find how probable a class must be to belong to the prediction set.

    The "least ambiguous set-valued classifier" of Sadinle, Lei and Wasserman (JASA 2019) with the
    split-conformal quantile: on new images the set holds the true class with at least the stated coverage.

    Parameters
    ----------
    truth_probabilities
        Out-of-fold probability of each held-out image's true class, of shape (n_images,).
    coverage
        More than 0, less than 1.

    Returns
    -------
    float
        In [0, 1]; 0, which puts every class in the set, where there are too few images for the promise.

    Examples
    --------
    >>> truth_probabilities = np.linspace(0.05, 0.95, 19)
    >>> round(set_threshold(truth_probabilities, coverage=0.9), 2)
    0.1
    >>> set_threshold(truth_probabilities, coverage=0.99)  # 19 images cannot promise that much
    0.0
    """
    count = len(truth_probabilities)
    allowed_misses = int(np.floor((count + 1) * (1 - coverage) + 1e-9))
    if allowed_misses < 1:
        return 0.0
    return float(np.sort(truth_probabilities)[allowed_misses - 1])


def reference_distances(distances: FloatArray) -> FloatArray:
    """Sort held-out distances for :func:`typicality`, thinned to at most :data:`LONGEST_REFERENCE`."""
    ordered = np.sort(distances)
    if len(ordered) <= LONGEST_REFERENCE:
        return ordered
    places = np.linspace(0, len(ordered) - 1, LONGEST_REFERENCE).round().astype(np.int64)
    return ordered[places]


def typicality(reference: FloatArray, distances: FloatArray) -> FloatArray:
    """Give the split-conformal p-value of each distance.

    After Vovk et al.; for outliers Bates et al., "Testing for outliers with conformal p-values" (Annals of
    Statistics 2023).

    Parameters
    ----------
    reference
        From :func:`reference_distances`, of shape (n_reference,).
    distances
        Of shape (n_images,); larger is less familiar.

    Returns
    -------
    ndarray of shape (n_images,)
        In (0, 1]: (1 + number of reference distances at least as large) / (1 + n_reference).

    Examples
    --------
    >>> reference = reference_distances(np.arange(99.0))
    >>> typicality(reference, np.array([-1.0, 50.0, 1000.0])).tolist()
    [1.0, 0.5, 0.01]
    """
    at_least = len(reference) - np.searchsorted(reference, distances, side="left")
    return np.asarray((1 + at_least) / (1 + len(reference)), dtype=np.float64)


def own_typicality(distances: FloatArray) -> FloatArray:
    """Give each held-out image's typicality among all the others.

    Parameters
    ----------
    distances
        Out-of-fold distances of shape (n_images,).

    Examples
    --------
    >>> own_typicality(np.array([1.0, 2.0, 3.0, 40.0])).tolist()
    [1.0, 0.75, 0.5, 0.25]
    """
    at_least = len(distances) - np.searchsorted(np.sort(distances), distances, side="left")
    return np.asarray(at_least / len(distances), dtype=np.float64)
