"""From features to answers: classifiers, calibration, and the distance to what was learned."""
