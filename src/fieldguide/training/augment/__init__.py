"""Augmentation: every image of a batch changed a little, each time a network sees it."""
