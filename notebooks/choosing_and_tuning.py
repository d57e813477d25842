# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Choosing and tuning
#
# Which way to train is best for your photos? Would more photos help, or other settings? These are questions
# for an experiment, and an experiment can fool you: with few photos, the luckiest candidate looks like the
# best. This notebook shows how to choose without being fooled.
#
# Put the path of your own photos, in one folder for each class, into `PHOTOS`. Without a path, it uses
# handwritten digits that scikit-learn carries.

# %%
PHOTOS = None  # for example "/home/me/photos"

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from fieldguide.compare import candidates, compare
from fieldguide.cross_validation import Candidate
from fieldguide.dataset import open_dataset
from fieldguide.files import cache_folder
from fieldguide.learning_curve import learning_curve
from fieldguide.recipes.common import Setting
from fieldguide.study import Budget
from fieldguide.tune import TuneOptions, tune

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#999999"
WORK = Path("choosing_and_tuning")
WORK.mkdir(exist_ok=True)


# %%
def write_digits(folder, classes=6, of_each=24):
    bunch = load_digits()
    for digit in range(classes):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        for number, grey in enumerate(bunch.images[bunch.target == digit][::7][:of_each]):
            pixels = np.round(255 - grey * (255 / 16)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / str(digit) / f"{number:02}.png")
    return folder


data = Path(PHOTOS) if PHOTOS else write_digits(WORK / "digits")
with open_dataset(data) as photos:
    print(len(photos), "photos of", len(photos.classes), "classes")

# %% [markdown]
# ## 1. Several ways, side by side
#
# The photos are dealt into three folds. Each candidate learns from two and answers the third, so every photo
# is answered once, by a model that has not seen it. All candidates get the same folds: then a difference
# between them is not a difference between folds. Near-duplicates stay together, or a copy of a test photo
# would be learned from. `candidates` lists recipes with their presets; another setting is a `Candidate` with
# a name of its own.

# %%
FOLDS = 3
forest = Candidate("random-forest, 50 trees", "random-forest", Setting(options={"trees": 50}))
tried = (*candidates(["linear-probe", "svm"], presets=["fast"]), forest)
with open_dataset(data) as photos:
    comparison = compare(photos, tried, folds=FOLDS, cache=cache_folder())
for row in comparison.rows:
    accuracy = row.evaluation.accuracy
    interval = f"{accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})"
    cost = f"{1000 * row.image_seconds:.0f} ms a photo, {row.megabytes:.1f} MB"
    print(f"{row.candidate.name:24} {interval}   {cost}")

# %% [markdown]
# Accuracy is not all. A model for a phone must be small, one for a camera trap fast. So cost stands beside
# it.

# %%
rows = [row for row in comparison.rows if row.evaluation is not None]
marks = dict(zip([row.candidate.name for row in rows], "os^Dv", strict=False))
colours = dict(zip(marks, [BLUE, ORANGE, GREEN, "#cc79a7", "#e69f00"], strict=False))
figure, axis = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
for row in rows:
    name, reached, milliseconds = row.candidate.name, row.evaluation.accuracy, 1000 * row.image_seconds
    axis.plot([milliseconds] * 2, [reached.low, reached.high], color=colours[name], linewidth=2)
    axis.plot(milliseconds, reached.value, marks[name], color=colours[name], markersize=8, label=name)
axis.set_xlim(left=0)
axis.set_xlabel("milliseconds a photo")
axis.set_ylabel("accuracy, with 95 % interval")
axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 2. Which differences are real
#
# Do not compare the intervals above by eye. The candidates answered the *same* photos and are right on
# mostly the same ones. What tells two of them apart are the photos that only one of them got right. If both
# were equally good, such photos would fall to each side like tossed coins; McNemar's test asks how odd the
# tosses are. The more pairs you test, the sooner one looks odd by chance, so the p-values are corrected for
# their number (Holm).

# %%
for pair in comparison.pairs:
    print("-", pair.sentence)
print("recommended:", comparison.recommended)
print(comparison.reason)

# %%
figure, axis = plt.subplots(figsize=(7, 0.55 * len(comparison.pairs) + 1), layout="constrained")
for number, pair in enumerate(comparison.pairs):
    difference = pair.difference.value
    colour = BLUE if pair.real else GREY
    axis.plot([100 * difference.low, 100 * difference.high], [number, number], color=colour, linewidth=3)
    axis.plot(100 * difference.value, number, "o" if pair.real else "D", color=colour, markersize=7)
axis.axvline(0, color="black", linewidth=0.8)
axis.set_yticks(
    range(len(comparison.pairs)),
    [f"{pair.first}\nminus {pair.second}" for pair in comparison.pairs],
    fontsize=8,
)
axis.set_ylim(len(comparison.pairs) - 0.5, -0.5)
axis.set_xlabel("points of accuracy, with 95 % interval\n(blue dot: real; grey diamond: may be chance)")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 3. Would more photos help?
#
# The recommended candidate learns from a tenth, a fifth, … of the photos. Held-out photos stay the same. If
# the curve still climbs at its end, more photos of this kind will help. If it is flat, take other photos
# (harder ones, other places) or another way to train. Where the points allow it, a power law is drawn out to
# twice the photos; where they do not, you are told why.

# %%
chosen = next(candidate for candidate in tried if candidate.name == comparison.recommended)
with open_dataset(data) as photos:
    curve = learning_curve(photos, chosen, folds=FOLDS, cache=cache_folder())
print(curve.sentence)

# %%
sizes = [point.images for point in curve.points]
figure, axis = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
axis.plot(sizes, [point.accuracy.value for point in curve.points], "o-", color=BLUE, label="measured")
axis.fill_between(
    sizes,
    [point.accuracy.low for point in curve.points],
    [point.accuracy.high for point in curve.points],
    color=BLUE,
    alpha=0.15,
)
if curve.outlook is not None:
    expected = curve.outlook.accuracy
    learned = curve.outlook.images * (FOLDS - 1) / FOLDS
    axis.plot([learned] * 2, [expected.low, expected.high], color=ORANGE, linewidth=3)
    axis.plot(learned, expected.value, "s", color=ORANGE, markersize=8, label="expected of twice the photos")
axis.set_xlabel("photos learned from")
axis.set_ylabel("accuracy, with 95 % interval")
axis.legend(frameon=False, loc="lower right")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 4. Other settings
#
# `tune` tries settings of one recipe. The recipe as it comes is measured first; what does not beat it is not
# taken. Here we fix the network and its size, and search only how far the classifier's covariance is
# *shrunk*: much shrinking means "trust few photos little". The features are shared, so a trial costs next to
# nothing. Give it more trials, or leave `size` and `backbone` free, when you have the time.
#
# We minimise log loss, not the number of mistakes: it also sees whether a right answer was sure or lucky, so
# fewer photos suffice to tell two settings apart.

# %%
fixed = Setting(backbone="efficientnet_lite0", options={"size": 160})
options = TuneOptions(
    data, WORK / "tuned.onnx", setting=fixed, budget=Budget(trials=6), folds=FOLDS, cache=cache_folder()
)
with open_dataset(data) as photos:
    tuned = tune(photos, options)
choice = tuned.choice
print("chosen:", choice.winner.name)
for name, value in (
    ("as it comes", choice.default),
    ("chosen", choice.best),
    ("expect on new ones", choice.expected),
):
    loss = getattr(value.log_loss, "value", value.log_loss)
    print(f"{name:20} accuracy {value.accuracy.value:.3f}   log loss {loss:.3f}")

# %% [markdown]
# The winner's own score is too good: it won partly by luck, by fitting these photos best. The last line says
# what to expect of new photos. It comes from choosing again and again on redrawn photos and measuring on
# those left out. The more you try, the larger the gap: a long search is no substitute for a test set.

# %%
finished = [trial for trial in tuned.trials if trial.state == "complete"]
figure, axis = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
axis.scatter(
    [trial.values["shrinkage"] for trial in finished],
    [trial.objective for trial in finished],
    color=BLUE,
    label="trials",
)
axis.axhline(choice.default.log_loss, color=ORANGE, linestyle="--", label="recipe as it comes")
axis.set_xlabel("shrinkage")
axis.set_ylabel("log loss, out of fold (less is better)")
axis.legend(frameon=False)
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# The best judge of all is a test split that none of this has seen: `fieldguide evaluate
# choosing_and_tuning/tuned.onnx TEST_PHOTOS`.
