# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Edges, texture and colour
#
# Before networks learned what to look for, people wrote it down: where edges run, how a surface is
# patterned, which colours there are. Such *classical features* are still good where objects are told apart
# by just these: signs, symbols, leaves, fabrics, minerals. Nothing is pretrained, little is hidden, and
# every number can be looked at. That is what this notebook does.
#
# Put the path of your own photos, in one folder for each class, into `PHOTOS`. Without a path, it uses small
# squares cut from the two photos that scikit-learn carries.

# %%
PHOTOS = None  # for example "/home/me/photos"

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images
from sklearn.ensemble import RandomForestClassifier

import fieldguide

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
WORK = Path("classical_features")
WORK.mkdir(exist_ok=True)

# %% [markdown]
# ## 1. Photos
#
# Squares of 36 pixels from six regions, none overlapping another: temple, trees, sky and lake from one
# photo, petals and leaves from the other. Mind what this can show: squares of one photo resemble each other
# more than two photos do, so the accuracies below are higher than they would be on new photos. They serve to
# look at the features.

# %%
REGIONS = {  # which photo; left, top, right, bottom in pixels
    "temple": (0, (90, 110, 330, 340)),
    "trees": (0, (400, 300, 640, 427)),
    "sky": (0, (330, 0, 630, 200)),
    "lake": (0, (345, 205, 560, 300)),
    "petals": (1, (190, 110, 425, 340)),
    "leaves": (1, (0, 60, 150, 427)),
}


def write_squares(folder, side=36, at_most=24):
    photos = load_sample_images().images
    for name, (number, (left, top, right, bottom)) in REGIONS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        corners = [(y, x) for y in range(top, bottom - side, side) for x in range(left, right - side, side)]
        for y, x in corners[:at_most]:
            square = Image.fromarray(photos[number][y : y + side, x : x + side])
            square.save(folder / name / f"{y:03}-{x:03}.png")
    return folder


photos = fieldguide.open_dataset(PHOTOS or write_squares(WORK / "squares"))
photos

# %% [markdown]
# ## 2. One photo, 2,936 numbers
#
# Each photo is shrunk to 64 × 64 pixels. From these come four kinds of numbers. `ImageFeatures` gives them
# to whatever model of scikit-learn you like. They are computed by a small ONNX network without weights, which
# becomes part of the model file: a classical model is one file like any other.
#
# A quarter of the photos is set apart for later. `split` leaves out what cannot be read.

# %%
parts = fieldguide.split(photos, test=0.25).dataset
paths, labels, classes = parts.paths, np.array(parts.labels), parts.classes
features = fieldguide.ImageFeatures("classical").fit(paths)
vectors = features.transform(paths)
kinds = features.parts_
for name, part in kinds.items():
    print(f"{name:14} {part.stop - part.start:5} numbers a photo")

# The middle photo of each class is the example from now on.
shown_classes = classes[:6]
examples = [np.flatnonzero(labels == name)[(labels == name).sum() // 2] for name in shown_classes]

# %% [markdown]
# ## 3. Edges: histograms of oriented gradients
#
# The photo is cut into cells of 8 × 8 pixels. In each cell we ask in which of nine directions brightness
# changes, and how strongly. A stroke below stands for an edge in its direction: the thicker, the stronger.
# You see outlines and stripes, but no colour and no light or shadow: contrast is evened out, so a photo in
# the shade gives nearly the same numbers as one in the sun.


# %%
def draw_edges(axis, vector):
    # 7 × 7 blocks of 2 × 2 cells with 9 directions; the first cell of each block is enough to draw.
    strengths = vector[kinds["edges:8"]].reshape(7, 7, 4, 9)[:, :, 0]
    for row, column, direction in np.ndindex(strengths.shape):
        angle = np.deg2rad(20 * direction + 10)  # of the change; the edge runs across it
        across, down = -3.6 * np.sin(angle), 3.6 * np.cos(angle)
        x, y = 8 * column + 4, 8 * row + 4
        strength = strengths[row, column, direction] / 0.4
        axis.plot(
            [x - across, x + across],
            [y - down, y + down],
            color="black",
            linewidth=2.2 * strength,
            alpha=min(1, strength),
        )
    axis.set_xlim(0, 56)
    axis.set_ylim(56, 0)
    axis.set_aspect("equal")


figure, axes = plt.subplots(
    2, len(examples), figsize=(1.9 * len(examples), 4), squeeze=False, layout="constrained"
)
for (top, bottom), name, place in zip(axes.T, shown_classes, examples, strict=True):
    top.imshow(Image.open(paths[place]).convert("RGB").resize((64, 64)).crop((0, 0, 56, 56)))
    draw_edges(bottom, vectors[place])
    top.set_title(name, fontsize=10)
    for axis in (top, bottom):
        axis.set_xticks([])
        axis.set_yticks([])
plt.show()

# %% [markdown]
# ## 4. Texture: local binary patterns
#
# Each pixel is compared with 8 neighbours on a circle around it: brighter or not? That gives a pattern.
# Patterns with at most one bright arc are called *uniform* and numbered by the length of the arc: 0 is a
# bright spot, 8 a dark spot or an even surface, about 4 a straight edge, 3 and 5 a corner. All others are
# counted together. The histogram tells rough from smooth, whatever the light.

# %%
colours = [BLUE, ORANGE, GREEN, "#cc79a7", "#e69f00", "#56b4e9"]
marks = ["o", "s", "^", "D", "v", "P"]
names = [*map(str, range(9)), "other"]
patterns = vectors[:, kinds["texture:8@2"]].reshape(len(vectors), 16, 10).mean(axis=1)  # over 4 × 4 cells
figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
for name, colour, mark in zip(shown_classes, colours, marks, strict=False):
    axis.plot(names, patterns[labels == name].mean(axis=0), marker=mark, color=colour, label=name)
axis.set_xlabel("pattern: neighbours that are at least as bright as the pixel")
axis.set_ylabel("share of pixels")
axis.legend(frameon=False)
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 5. Colour: histograms
#
# Red, green and blue are cut into four steps each: 64 colours. For each quarter of the photo we count how
# much of each there is. Below are the commonest colours of each class, as wide as their share.

# %%
shares = vectors[:, kinds["colours:2"]].reshape(len(vectors), 4, 64).mean(axis=1)  # over the quarters
palette = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1) / 4 + 0.125
figure, axis = plt.subplots(figsize=(7, 0.5 * len(shown_classes) + 0.8), layout="constrained")
for row, name in enumerate(shown_classes):
    mean, left = shares[labels == name].mean(axis=0), 0.0
    for number in np.argsort(-mean)[:10]:
        axis.barh(row, mean[number], left=left, color=palette[number], edgecolor="white", linewidth=0.5)
        left += mean[number]
axis.set_yticks(range(len(shown_classes)), shown_classes)
axis.invert_yaxis()
axis.set_xlim(0, 1)
axis.set_xlabel("share of pixels, ten commonest colours")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 6. Two classifiers
#
# A **support vector machine** looks for the border between classes that keeps the widest distance to the
# nearest photos. Its kernel and its cost are chosen by cross-validation. A **random forest** asks many
# trees, each grown with other random questions ("is feature 1,203 above 0.07?"), and takes the mean of their
# answers. It has nothing to tune.
#
# Both give calibrated probabilities, prediction sets and `unknown`, as every recipe does. The accuracy is
# out-of-fold: each photo was answered by a model that had not seen it.

# %%
results = {}
for recipe in ("svm", "random-forest"):
    results[recipe] = fieldguide.train(photos, recipe=recipe, preset="fast", out=WORK / f"{recipe}.onnx")
    accuracy = results[recipe].validation.accuracy
    print(f"{recipe:14} accuracy {accuracy.value:.3f}   95 % range {accuracy.low:.3f} to {accuracy.high:.3f}")

# %% [markdown]
# What the forest chose by itself, and which classes it takes for which:

# %%
results["random-forest"]

# %% [markdown]
# ## 7. What the forest finds important
#
# We grow a forest of scikit-learn's on the features of the photos to learn from. For those set apart we
# shuffle one kind of feature among the photos, so that it says nothing any more, and see how much accuracy
# falls. If it does not fall, the forest can do without that kind, perhaps because another kind says the same.
# This is *permutation importance* (Breiman 2001). It asks the forest as it is used, on photos that it has not
# seen.

# %%
held = np.array(parts.splits) == "test"
forest = RandomForestClassifier(100, random_state=0).fit(vectors[~held], labels[~held])
random = np.random.default_rng(0)
whole, falls = forest.score(vectors[held], labels[held]), {}
for name, part in kinds.items():
    falls[name] = []
    for _ in range(10):
        shuffled = vectors[held].copy()
        shuffled[:, part] = shuffled[random.permutation(len(shuffled)), part]
        falls[name].append(whole - forest.score(shuffled, labels[held]))
drops = {name: float(np.mean(values)) for name, values in falls.items()}
print(f"accuracy on {held.sum()} photos set apart, nothing shuffled: {whole:.3f}")

# %%
figure, axis = plt.subplots(figsize=(7, 2.9), layout="constrained")
for row, (name, values) in enumerate(falls.items()):
    axis.barh(row, drops[name], color=BLUE, alpha=0.85)
    axis.plot(values, [row] * len(values), "|", color="black", markersize=9)
axis.set_yticks(range(len(falls)), falls)
axis.invert_yaxis()
axis.axvline(0, color="black", linewidth=0.8)
axis.set_xlabel("accuracy lost when this kind is shuffled (strokes: ten shuffles)")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Would another set of photos give the same picture? Not at all. Leave the colours out of your photos, or
# take signs instead of surfaces, and the bars change. They describe this forest on these photos, not the
# world.
