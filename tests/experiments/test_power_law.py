"""A power law is found again."""

import numpy as np

from curve_made import SIZES, law
from fieldguide.experiments import power_law


def test_a_law_is_found_again():
    curve = power_law.fit(SIZES, np.stack([law(SIZES), 1.5 * SIZES**-0.4]))
    np.testing.assert_allclose(curve.error(400), [law(400), 1.5 * 400**-0.4], rtol=1e-3)
    np.testing.assert_allclose(curve.rate, [0.5, 0.4])
    np.testing.assert_allclose(curve.floor, [0.05, 0], atol=1e-6)


def test_errors_that_rise_give_a_flat_curve_and_none_below_zero():
    curve = power_law.fit(SIZES, np.array([[0.1, 0.2, 0.3, 0.3, 0.4], [0.5, 0.2, 0.01, 0.0, 0.0]]))
    assert curve.scale[0] == 0
    assert curve.error(200)[0] == curve.error(400)[0]
    assert (curve.error(1e6) >= 0).all()
    assert (curve.error(1e-6) <= 1).all()
