"""What measured answers are worth: scores, intervals, curves, calibration and paired tests."""
