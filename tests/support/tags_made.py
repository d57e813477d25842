"""Small painted photos with tags, and the tables that name them."""

import csv
import json

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 210)}
PLACES = {"red": (0, 0), "green": (24, 0), "blue": (0, 24)}


def tagged_photo(path, tags, number):
    """A noisy grey photo with a patch a tag."""
    chance = np.random.default_rng([number, len(tags)])
    pixels = chance.integers(90, 160, (48, 48, 3), dtype=np.uint8)
    for tag in tags:
        left, top = PLACES[tag]
        noise = chance.integers(-30, 31, (24, 24, 3))
        pixels[top : top + 24, left : left + 24] = np.clip(np.array(COLOURS[tag]) + noise, 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def tags_of(number):
    """The tags of the photo of that number: every combination in turn."""
    return [name for bit, name in enumerate(COLOURS) if number % 8 >> bit & 1]


def write_tagged(folder, count, separator="|", first=0):
    """Write photos and ``labels.csv``; gives the table's path."""
    rows = []
    for number in range(first, first + count):
        tagged_photo(folder / "photos" / f"{number:03}.png", tags_of(number), number)
        rows.append((f"photos/{number:03}.png", separator.join(tags_of(number))))
    table = folder / "labels.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "labels"), *rows])
    return table


def write_lines(folder, count):
    """The same as JSON lines with lists."""
    table = folder / "labels.jsonl"
    lines = [{"path": f"photos/{number:03}.png", "tags": tags_of(number)} for number in range(count)]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return table
