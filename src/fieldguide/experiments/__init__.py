"""Ways of training compared: cross-validation, learning curves, search of settings, classes left out."""
