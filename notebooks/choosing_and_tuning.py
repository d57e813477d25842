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

import fieldguide

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, GREY = "#0072b2", "#999999"
WORK = Path("choosing_and_tuning")
WORK.mkdir(exist_ok=True)

# %% [markdown]
# A quarter of the photos is set apart and not touched until the end. Whatever is chosen below is chosen on
# the rest.


# %%
def write_digits(folder, classes=6, of_each=28):
    bunch = load_digits()
    for digit in range(classes):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        for number, grey in enumerate(bunch.images[bunch.target == digit][::6][:of_each]):
            pixels = np.round(255 - grey * (255 / 16)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / str(digit) / f"{number:02}.png")
    return folder


photos = fieldguide.split(PHOTOS or write_digits(WORK / "digits"), test=0.25).dataset
photos

# %% [markdown]
# ## 1. Several ways, side by side
#
# The photos are dealt into three folds. Each candidate learns from two and answers the third, so every photo
# is answered once, by a model that has not seen it. All candidates get the same folds: then a difference
# between them is not a difference between folds. Near-duplicates stay together, or a copy of a test photo
# would be learned from.
#
# Accuracy is not all. A model for a phone must be small, one for a camera trap fast. So cost stands beside
# it.

# %%
comparison = fieldguide.compare(
    photos, recipes=["linear-probe", "svm", "random-forest"], presets=["fast"], folds=3, curve=True
)
comparison

# %% [markdown]
# ## 2. Which differences are real
#
# Do not compare the ranges above by eye. The candidates answered the *same* photos and are right on mostly
# the same ones. What tells two of them apart are the photos that only one of them got right. If both were
# equally good, such photos would fall to each side like tossed coins; McNemar's test asks how odd the tosses
# are. The more pairs you test, the sooner one looks odd by chance, so the p-values are corrected for their
# number (Holm).

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
axis.set_xlabel("points of accuracy, with 95 % range\n(blue dot: real; grey diamond: may be chance)")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 3. Would more photos help?
#
# With `curve=True`, the recommended candidate also learned from a tenth, a fifth, … of the photos. Held-out
# photos stay the same. If the curve still climbs at its end, more photos of this kind will help. If it is
# flat, take other photos (harder ones, other places) or another way to train. Where the points allow it, a
# power law is drawn out to twice the photos; where they do not, you are told why.

# %%
curve = comparison.learning_curve
print(curve.sentence)
comparison.plot("curve")
plt.show()

# %% [markdown]
# ## 4. Other settings
#
# `tune` tries settings of one recipe. The recipe as it comes is measured first; what does not beat it is not
# taken. Here we keep to one network, and search its size and how far the classifier's covariance is
# *shrunk*: much shrinking means "trust few photos little". The features are shared, so a trial costs next to
# nothing once its size has been seen. Give it more trials when you have the time.
#
# We minimise log loss, not the number of mistakes: it also sees whether a right answer was sure or lucky, so
# fewer photos suffice to tell two settings apart.

# %%
tuned = fieldguide.tune(photos, backbone="efficientnet_lite0", trials=6, folds=3, out=WORK / "tuned.onnx")
tuned

# %% [markdown]
# The winner's own score is too good: it won partly by luck, by fitting these photos best. *Expect on new
# photos* says what remains of it. That comes from choosing again and again on redrawn photos and measuring
# on those left out. The more you try, the larger the gap: a long search is no substitute for a test set.

# %%
tuned.plot("trials")
plt.show()

# %% [markdown]
# ## 5. The last word
#
# The best judge of all are photos that none of this has seen. `against` compares models on the same ones:
# what was tuned, and the recipe as it comes.

# %%
plain = fieldguide.train(photos, preset="fast", out=WORK / "as_it_comes.onnx")
judged = fieldguide.evaluate(tuned, photos, against=[plain])
judged

# %% [markdown]
# Were you to go back now and choose by *this* number, it would stop being a test. If you must, set other
# photos apart.
