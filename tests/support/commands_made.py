"""Photos of one colour for tests of commands."""

from PIL import Image

COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230), "grey": (99, 99, 99)}


def paint(path, colour):
    """Write a small photo of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 20), COLOURS[colour]).save(path)
    return path
