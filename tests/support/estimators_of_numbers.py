"""`ImageClassifier` and `ImageFeatures` on tables of numbers, so that scikit-learn's own checks can run.

These checks give tables. Each row becomes a small photo with a stripe for each number, and goes the way of
any photo. What scikit-learn asks of a table as such (its width, no infinite numbers) its own `validate_data`
does here.
"""

import numpy as np
from PIL import Image
from sklearn.utils.validation import check_is_fitted, validate_data

from fieldguide.estimator import ImageClassifier, ImageFeatures


def as_photos(table):
    """A photo for each row: a stripe for each number, its size on the left, its fraction on the right."""
    numbers = np.asarray(table, dtype=float)
    size = np.sign(numbers) * np.minimum(np.log1p(np.abs(numbers)) / np.log1p(300), 1)
    left, right = np.round(127.5 * (1 + size)), np.floor(256 * (numbers % 1))
    halves = np.repeat(np.stack([left, right], axis=2), 16, axis=2).astype(np.uint8)
    return [Image.fromarray(np.repeat(stripes, 4, axis=0)) for stripes in halves]


def of_a_table(tags):
    tags.input_tags.two_d_array = True
    tags.input_tags.string = False
    return tags


class ClassifierOfNumbers(ImageClassifier):
    def fit(self, X, y=None, groups=None):
        if y is not None:
            X, y = validate_data(self, X, y)
        return super().fit(as_photos(X), y, groups)

    def predict_proba(self, X):
        check_is_fitted(self)
        return super().predict_proba(as_photos(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return of_a_table(super().__sklearn_tags__())


class FeaturesOfNumbers(ImageFeatures):
    def fit(self, X, y=None):
        return super().fit(as_photos(validate_data(self, X)), y)

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(as_photos(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return of_a_table(super().__sklearn_tags__())
