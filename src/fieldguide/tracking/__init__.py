"""Experiment trackers: what a call was given and what it reached, kept by MLflow or Weights & Biases."""
