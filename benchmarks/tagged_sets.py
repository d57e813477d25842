"""Two sets of photos with tags, made from photos with single labels.

    python benchmarks/tagged_sets.py garments SHARED/clothing/train --out garments
    python benchmarks/tagged_sets.py canvases SHARED/clothing/train SHARED/scenes --out canvases --photos 3000

`garments`: each photo with its garment and what its pixels say of it: the colour of the middle, and whether
the border is light, dark or coloured, plain or patterned. `canvases`: one, two or four photos of both sets on
one canvas, tagged with all their classes; every twentieth is a canvas of noise without any tag. No photo
stands on two canvases, so canvases may be split in any way. Both write ``labels.csv`` with a column `labels`
beside a folder of photos.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SIDE = 448
"""Of a canvas, in pixels."""
HUES = (
    ("red", 0),
    ("orange", 30),
    ("yellow", 55),
    ("green", 120),
    ("blue", 220),
    ("purple", 285),
    ("red", 360),
)
"""Names of colours and their places on the wheel, in degrees."""


def main() -> None:
    """Write the set that was named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=("garments", "canvases"))
    parser.add_argument("folders", nargs="+", type=Path, help="class folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=3000, help="canvases to make (default: 3000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    photos = [path for folder in options.folders for path in sorted(folder.rglob("*")) if path.is_file()]
    (options.out / "photos").mkdir(parents=True, exist_ok=True)
    if options.which == "garments":
        rows = [garment(path, options.out) for path in photos]
    else:
        rows = canvases(photos, options.photos, np.random.default_rng(options.seed), options.out)
    with (options.out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "labels"), *((path, "|".join(tags)) for path, tags in rows)])
    print(f"{options.out}: {len(rows)} photos, {len({tag for _, tags in rows for tag in tags})} tags")


def garment(path: Path, out: Path) -> tuple[str, list[str]]:
    """A photo with its class and what is measured on its pixels."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    name = f"photos/{path.parent.name}_{path.stem}.jpg"
    image.save(out / name, quality=90)
    small = np.asarray(image.resize((48, 64), Image.Resampling.BOX).convert("HSV"), dtype=np.float64)
    middle = small[20:44, 16:32].reshape(-1, 3)
    border = np.concatenate(
        [small[:5].reshape(-1, 3), small[:, :4].reshape(-1, 3), small[:, -4:].reshape(-1, 3)]
    )
    return name, [path.parent.name, colour(middle), *ground(border)]


def colour(pixels: np.ndarray) -> str:
    """The name of the colour that most of the pixels have."""
    names = [_colour_of(*pixel) for pixel in pixels]
    return max(sorted(set(names)), key=names.count)


def _colour_of(hue: float, saturation: float, value: float) -> str:
    if value < 60:
        return "black"
    if saturation < 50:
        return "white" if value > 170 else "grey"
    degrees = hue / 255 * 360
    return min(HUES, key=lambda named: abs(named[1] - degrees))[0]


def ground(border: np.ndarray) -> list[str]:
    """What the border says of the background."""
    saturation, value = np.median(border[:, 1]), np.median(border[:, 2])
    found = ["patterned background"] if border[:, 2].std() > 40 else []
    found += ["light background"] if value > 170 and saturation < 60 else []
    found += ["dark background"] if value < 90 else []
    return found + (["coloured background"] if saturation > 100 else [])


def canvases(
    photos: list[Path], count: int, chance: np.random.Generator, out: Path
) -> list[tuple[str, list[str]]]:
    """Canvases with one, two or four photos, each photo on one canvas only."""
    order, rows = [photos[place] for place in chance.permutation(len(photos))], []
    for number in range(count):
        name = f"photos/{number:05}.jpg"
        wanted = int(chance.choice((1, 2, 4), p=(0.3, 0.4, 0.3))) if number % 20 else 0
        chosen, order = order[:wanted], order[wanted:]
        if len(chosen) < wanted:
            break
        canvas(chosen, chance).save(out / name, quality=90)
        rows.append((name, sorted({path.parent.name for path in chosen})))
    return rows


def canvas(chosen: list[Path], chance: np.random.Generator) -> Image.Image:
    """Photos side by side, or noise where there are none."""
    if not chosen:
        coarse = chance.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    columns, rows = {1: (1, 1), 2: (2, 1), 4: (2, 2)}[len(chosen)]
    whole, size = Image.new("RGB", (SIDE, SIDE)), (SIDE // columns, SIDE // rows)
    for place, path in enumerate(chosen):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        whole.paste(ImageOps.fit(image, size), (place % columns * size[0], place // columns * size[1]))
    return whole


if __name__ == "__main__":
    main()
