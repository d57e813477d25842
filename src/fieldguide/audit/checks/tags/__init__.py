"""Checks of data with several labels a photo."""
