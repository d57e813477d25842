"""Draws docs/images/explain.png and novelty.png, given a model of the clothing set and that set."""

import argparse
from pathlib import Path
from typing import Any

import matplotlib

import fieldguide
from fieldguide.data.dataset import open_dataset
from fieldguide.experiments.leave_one_class_out import LeaveOneClassOut, leave_one_class_out
from fieldguide.explanation.overlay import picture
from fieldguide.files import cache_folder
from fieldguide.images.decoding import open_image
from fieldguide.recipes.common import Options, Run

IMAGES = Path(__file__).with_name("images")
PHOTO = "validation/shirt/118fb0e8-2783-4086-b81a-d2a332fbb4f2.jpg"


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    model, photo = fieldguide.load(options.model), options.data / PHOTO
    chosen = model.explain(photo)
    drawn = picture(open_image(photo), [chosen, model.explain(photo, chosen.rival)])
    drawn.quantize(128).save(IMAGES / "explain.png", optimize=True)
    with open_dataset(options.data) as dataset:
        draw(leave_one_class_out(dataset, Options(), Run(cache=cache_folder() / "features")))


def draw(result: LeaveOneClassOut) -> None:
    """AUROC of each class that was left out, with its interval, by both rules."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for shift, mark, name, key in (
        (0.12, "o", "typicality", "auroc"),
        (-0.12, "s", "largest probability", "auroc_of_probability"),
    ):
        rates: list[Any] = [getattr(one, key) for one in result.classes]
        places = [place + shift for place in range(len(rates))]
        reach = [[rate.value - rate.low for rate in rates], [rate.high - rate.value for rate in rates]]
        colour = "#c0501f" if key == "auroc" else "#2a6fc9"
        axes.errorbar(
            [rate.value for rate in rates],
            places,
            xerr=reach,
            fmt=mark,
            color=colour,
            markersize=5,
            label=name,
        )
    axes.set_yticks(range(len(result.classes)), [one.label for one in result.classes])
    axes.axvline(0.5, color="0.7", linewidth=1)
    axes.set_xlabel("AUROC when the class is left out (0.5: blind)")
    axes.legend(frameon=False, loc="lower left")
    figure.savefig(IMAGES / "novelty.png", dpi=100)


if __name__ == "__main__":
    main()
