import sklearn.base

from fieldguide.mixins import sklearn_bases


def test_they_are_scikit_learns_own_when_it_runs():
    assert all(getattr(sklearn_bases, name) is getattr(sklearn.base, name) for name in sklearn_bases.__all__)
