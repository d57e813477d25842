"""Class folders, below split folders where there are splits."""

from pathlib import Path

from fieldguide.data.writers.placing import PlacedPhoto, Placing

TITLE = "one folder a class, below train/, validation/ and test/ where there are splits"
PLACING = Placing.CLASSES


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Nothing: the folders say it."""
