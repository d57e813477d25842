# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Transfer learning, step by step
#
# You have photos in folders, one folder for each class. You want a model that names new photos, and you want
# to know how far it can be trusted. A network that has seen a million other photos already knows edges,
# textures and shapes. We keep that network as it is and learn only the last step: from what it sees to your
# classes. This is called *transfer learning*. It needs few photos and about a minute.
#
# To use your own photos, put the path of their folder into `PHOTOS`:
#
# ```text
# photos/
#     oak/     IMG_1.jpg, IMG_2.jpg, …
#     beech/   IMG_7.jpg, …
# ```
#
# Without a path, the notebook uses handwritten digits that scikit-learn carries.

# %%
PHOTOS = None  # for example "/home/me/photos"

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

import fieldguide
from fieldguide.dataset import open_dataset
from fieldguide.errors import RefusedInput
from fieldguide.evaluate import evaluate
from fieldguide.files import cache_folder
from fieldguide.images import open_image
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#999999"
WORK = Path("transfer_learning")
WORK.mkdir(exist_ok=True)

# %% [markdown]
# ## 1. Photos
#
# Of each digit we take 24 to learn from and 12 others to test with. `train` never opens what lies in a
# folder called `test`: a test is worth something only if the model has not seen it.
#
# The digits lie in the order of the people who wrote them. So we take every fourth, and every third of these
# for the test: both parts then hold all hands. A test on *other* hands is a harder question. Try
# `bunch.images[mine]` without `[::4]`, and see accuracy fall. Ask the question that your model will meet.


# %%
def write_digits(folder, of_each=36):
    bunch = load_digits()
    for digit in bunch.target_names:
        mine = bunch.target == digit
        for number, grey in enumerate(bunch.images[mine][::4][:of_each]):
            target = folder / ("test" if number % 3 == 0 else "train") / str(digit) / f"{number:02}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.round(255 - grey * (255 / 16)).astype(np.uint8)).save(target)
    return folder


data = Path(PHOTOS) if PHOTOS else write_digits(WORK / "digits")

# %%
with open_dataset(data) as photos:
    paths, labels, splits = photos.paths, photos.labels, photos.splits
print(len(paths), "photos of", len(photos.classes), "classes:", ", ".join(photos.classes))
print(
    "set apart:",
    sorted(set(splits)) if splits else "nothing, so the model will be judged by cross-validation",
)

# %% [markdown]
# ## 2. Look at them
#
# Always look before you train. Wrong labels, a black border on all photos of one class, a ruler that only
# one class has: a model learns such things gladly, and no number will tell you. You see them at a glance.


# %%
def show(axis, path):
    """Draw a photo, or say why it cannot be read: one broken file must not stop the rest."""
    axis.set_axis_off()
    try:
        axis.imshow(open_image(path))
    except RefusedInput as refusal:
        axis.text(0.5, 0.5, refusal.code, ha="center", va="center", fontsize=7, transform=axis.transAxes)


def contact_sheet(columns=8, most_classes=12):
    classes = photos.classes[:most_classes]
    figure, axes = plt.subplots(
        len(classes),
        columns,
        figsize=(columns * 0.95, len(classes) * 0.95),
        squeeze=False,
        layout="constrained",
    )
    for row, name in zip(axes, classes, strict=True):
        own = [path for path, label in zip(paths, labels, strict=True) if label == name]
        shown = own[:: max(1, len(own) // columns)][:columns]
        for axis in row:
            axis.set_axis_off()
        for axis, path in zip(row, shown, strict=False):
            show(axis, path)
        row[0].set_title(name, loc="left", fontsize=9)
    return figure


contact_sheet()
plt.show()

# %% [markdown]
# ## 3. Train
#
# `linear-probe` is the default recipe. Each photo passes through the pretrained network once, and a linear
# classifier learns from what the network saw. `fast` looks at 160 × 160 pixels; for your real work leave it
# out, `balanced` looks closer. The features are kept in the cache, so a second run over the same photos
# takes a second.

# %%
model_file = WORK / "model.onnx"
setting = Setting(preset="fast", cache=cache_folder() / "features")
result = train(TrainOptions(data, model_file, setting=setting))
for choice in result.choices:
    print("-", choice)

# %% [markdown]
# Nothing is chosen silently: each automatic choice comes with its reason. They also stand in the model file.
#
# ## 4. Honest numbers
#
# The number that counts is measured on photos that the model has not learned from. If there is a test split,
# we take it. If not, we take the *out-of-fold* answers: each photo was answered by a model that had not seen
# it, nor a near-duplicate of it.
#
# Few photos give a vague number. The *95 % interval* says how vague: it is the range of accuracies that
# agree with what was seen. Report the interval, not the number alone.

# %%
model = fieldguide.load(model_file)
if splits and "test" in splits:
    with open_dataset(data) as photos:
        measured, measured_on = evaluate(model, photos.select("test")), "the test photos"
else:
    measured, measured_on = result.validation, result.measured_on

print(f"measured on {measured.n} images: {measured_on}")
for name in ("accuracy", "balanced_accuracy", "macro_f1"):
    value = getattr(measured, name)
    print(
        f"{name.replace('_', ' '):18} {value.value:.3f}   95 % interval {value.low:.3f} to {value.high:.3f}"
    )
print(
    f"calibration error  {measured.ece:.3f}   how far stated probabilities are from what happens; 0 is best"
)
print(
    f"coverage           {measured.coverage:.3f}   share of photos whose prediction set holds the right class"
)

# %% [markdown]
# One number hides which classes are hard. The *recall* of a class is the share of its photos that were
# recognised. Its interval is wide where a class has few photos: do not make much of a small difference.

# %%
from fieldguide.intervals import share

hits, counts = np.diag(measured.confusion), measured.confusion.sum(axis=1)
recalls = [share(int(hit), int(count)) if count else None for hit, count in zip(hits, counts, strict=True)]
figure, axis = plt.subplots(figsize=(7, 0.32 * len(recalls) + 1), layout="constrained")
for row, recall in enumerate(recalls):
    if recall is not None:
        axis.plot([recall.low, recall.high], [row, row], color=GREY, linewidth=2)
        axis.plot(recall.value, row, "o", color=BLUE)
axis.axvline(measured.accuracy.value, color=ORANGE, linestyle="--", label="accuracy over all")
axis.set_yticks(range(len(recalls)), measured.classes)
axis.set_ylim(len(recalls) - 0.5, -0.5)
axis.set_xlabel("recall, with its 95 % interval")
axis.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 5. What is taken for what
#
# The *confusion matrix* counts: rows are the truth, columns the answers. Right answers lie on the diagonal.
# A full diagonal would drown the mistakes, so only mistakes are coloured.


# %%
def confusion_picture(confusion, classes):
    mistakes = confusion.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    side = 0.45 * len(classes) + 1.6
    figure, axis = plt.subplots(figsize=(side, side), layout="constrained")
    axis.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(2, np.nanmax(mistakes)))
    for row, column in np.argwhere(confusion):
        weight = "bold" if row == column else "normal"
        axis.text(column, row, confusion[row, column], ha="center", va="center", weight=weight, fontsize=9)
    axis.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 2 else 0)
    axis.set_yticks(range(len(classes)), classes)
    axis.set_xlabel("answer")
    axis.set_ylabel("truth")
    return figure


confusion_picture(measured.confusion, measured.classes)
plt.show()
for truth, answer, count in measured.confused()[:5]:
    print(f"{count} × {truth} taken for {answer}")

# %% [markdown]
# ## 6. Name new photos
#
# An answer has four parts.
#
# - `label` and `probability`: the most probable class. The probability is calibrated: of 100 answers with
#   0.9, about 90 are right.
# - `set`: the classes that are likely enough to hold the right one in 95 of 100 cases. One name means "sure",
#   several mean "one of these, have a look". None means that no class is likely enough: have a look at these
#   too.
# - `typicality`: how familiar the photo looks, from 0 to 1.
# - `unknown`: the photo looks like none of the classes. Without this, a photo of a house would be named a
#   `3`.
#
# We ask about the photos that the model is least sure of, since they say most, and about two photos of other
# things that scikit-learn carries.

# %%
bunch = load_sample_images()
for name, pixels in zip(bunch.filenames, bunch.images, strict=True):
    Image.fromarray(pixels).save(WORK / Path(name).name)
foreign = [str(WORK / Path(name).name) for name in bunch.filenames]
new = [path for path, split in zip(paths, splits or ["new"] * len(paths), strict=True) if split != "train"]
known = [answer for answer in model.predict(new) if answer.error is None]
unsure = sorted(known, key=lambda answer: answer.probability)[:4]
answers = [*unsure, *model.predict(foreign)]


# %%
def told(answer):
    if answer.error is not None:
        return f"refused:\n{answer.error.code}"
    if answer.unknown:
        return f"unknown\ntypicality {answer.typicality:.3f}"
    members = ", ".join(answer.set) or "none"
    return f"{answer.label}: {answer.probability:.2f}\nset: {members}\ntypicality {answer.typicality:.2f}"


figure, axes = plt.subplots(1, len(answers), figsize=(2 * len(answers), 2.9), layout="constrained")
for axis, answer in zip(axes, answers, strict=True):
    show(axis, answer.path)
    axis.set_title(told(answer), fontsize=9, color=ORANGE if answer.unknown else "black")
plt.show()

# %% [markdown]
# How well are other things told apart? Compare the typicality of your photos with that of photos of
# something else. The dashed line is the threshold: about 1 % of your own kind fall below it, as false
# alarms.

# %%
own = [answer.typicality for answer in known]
other = [answer.typicality for answer in answers[len(unsure) :]]
threshold = model.card["thresholds"]["unknown"]
figure, axis = plt.subplots(figsize=(7, 2.6), layout="constrained")
axis.hist(own, bins=np.linspace(0, 1, 41), color=BLUE, alpha=0.7, label="photos of the classes")
axis.plot(other, [-0.6] * len(other), "^", color=ORANGE, markersize=9, clip_on=False, label="other things")
axis.axvline(threshold, color="black", linestyle="--", linewidth=1, label=f"unknown below {threshold}")
axis.set_xlabel("typicality")
axis.set_ylabel("photos")
axis.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 7. The file works without fieldguide
#
# The model file is plain ONNX. Preprocessing, class names and thresholds are in it. Anyone with ONNX
# Runtime, numpy and Pillow gets the same answer, in ten years too.

# %%
import json

import onnxruntime

session = onnxruntime.InferenceSession(str(model_file), providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["fieldguide"])
pixels = np.asarray(Image.open(unsure[-1].path).convert("RGB"))[None]
probabilities, typicality = session.run(["probabilities", "typicality"], {"image": pixels})
best = int(probabilities[0].argmax())
print("ONNX Runtime:", card["classes"][best], round(float(probabilities[0, best]), 4))
print("fieldguide:  ", unsure[-1].label, round(unsure[-1].probability, 4))
largest_difference = float(np.abs(probabilities[0] - unsure[-1].probabilities).max())
print(f"largest difference between the two: {largest_difference:.1e}")

# %% [markdown]
# ## 8. In scikit-learn's words
#
# `ImageClassifier` does the same on a list of paths and a list of labels. So scikit-learn's own tools work
# with it.

# %%
learned = [row for row in range(len(paths)) if not splits or splits[row] == "train"]
classifier = fieldguide.ImageClassifier(preset="fast")
classifier.fit([paths[row] for row in learned], [labels[row] for row in learned])
answered = classifier.predict([answer.path for answer in unsure]).tolist()
print("the least sure ones once more:", answered, "and above:", [answer.label for answer in unsure])

# %% [markdown]
# Next: `choosing_and_tuning.py` asks which way to train is best for your photos, and whether more photos
# would help.
