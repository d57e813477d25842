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

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, ORANGE = "#0072b2", "#d55e00"
WORK = Path("transfer_learning")
WORK.mkdir(exist_ok=True)

# %% [markdown]
# ## 1. Photos
#
# Of each digit we take 24 to learn from and 12 others to test with. `train` never opens what lies in a
# folder called `test`: a test is worth something only if the model has not seen it. Where there is no such
# folder, `split` sets a fifth of the photos apart; near-duplicates stay on one side.
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


photos = fieldguide.open_dataset(PHOTOS or write_digits(WORK / "digits"))
if "test" not in (photos.splits or ()):
    photos = fieldguide.split(photos, test=0.2).dataset
photos

# %% [markdown]
# ## 2. Look at them
#
# Always look before you train. Wrong labels, a black border on all photos of one class, a ruler that only
# one class has: a model learns such things gladly, and no number will tell you. You see them at a glance.
# `check` looks for what eyes miss: copies, photos on both sides of a split, labels that do not fit.

# %%
fieldguide.check(photos)

# %% [markdown]
# ## 3. Train
#
# `linear-probe` is the default recipe. Each photo passes through the pretrained network once, and a linear
# classifier learns from what the network saw. `fast` looks at 144 × 144 pixels; for your real work leave it
# out, `balanced` looks closer. The features are kept in the cache, so a second run over the same photos
# takes a second.
#
# Nothing is chosen silently: each automatic choice comes with its reason. They also stand in the model file.

# %%
model_file = WORK / "model.onnx"
result = fieldguide.train(photos, preset="fast", out=model_file)
for choice in result.choices:
    print("-", choice)

# %% [markdown]
# ## 4. Honest numbers
#
# The number that counts is measured on photos that the model has not learned from: here on the test photos.
# (`result` itself shows *out-of-fold* answers: each photo was answered by a model that had not seen it, nor
# a near-duplicate of it. Useful where there are too few photos to set any apart.)
#
# Few photos give a vague number. The *95 % range* says how vague: it is the range of accuracies that agree
# with what was seen. Report the range, not the number alone.
#
# The *confusion matrix* counts: rows are the truth, columns the answers. The *reliability diagram* asks
# whether stated probabilities come true: of 100 answers given with 0.9, about 90 should be right.

# %%
measured = fieldguide.evaluate(result, photos)
measured

# %% [markdown]
# One number hides which classes are hard. The *recall* of a class is the share of its photos that were
# recognised. Its range is wide where a class has few photos: do not make much of a small difference.

# %%
axes = measured.plot("recall")
axes.axvline(measured.accuracy.value, color=ORANGE, linestyle="--")
axes.set_title("dashed: accuracy over all", fontsize=9)
plt.show()

# %% [markdown]
# ## 5. Name new photos
#
# An answer has four parts.
#
# - `label` and `probability`: the most probable class, with a calibrated probability.
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
others = [WORK / Path(name).name for name in bunch.filenames]
for path, pixels in zip(others, bunch.images, strict=True):
    Image.fromarray(pixels).save(path)

known = [
    answer for answer in fieldguide.predict(result, list(photos.select("test").paths)) if answer.error is None
]
unsure = sorted((answer for answer in known if answer.error is None), key=lambda answer: answer.probability)[
    :4
]
answers = fieldguide.predict(result, [*(answer.path for answer in unsure), *others])
answers

# %% [markdown]
# One answer by itself shows its other candidates.

# %%
answers[0]

# %% [markdown]
# How is `unknown` decided? By typicality: refusing what lies below the threshold refuses about one photo in
# a hundred of the known classes, and most of what is something else.

# %%
model = result.model
threshold = model.card["thresholds"]["unknown"]
own = [answer.typicality for answer in known if answer.error is None]
other = [answer.typicality for answer in answers[len(unsure) :]]
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
# ## 6. Why this answer
#
# `explain` shows what each place of a photo adds to the score of a class: orange speaks for it, blue against
# it. A model that looks at the background instead of the thing is wrong even where its answers are right.

# %%
fieldguide.explain(result, unsure[0].path)

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
# with it: cross-validation, searches, pipelines.

# %%
learned = photos.select("train")
classifier = fieldguide.ImageClassifier(preset="fast").fit(learned.paths, learned.labels)
answered = classifier.predict([answer.path for answer in unsure]).tolist()
print("the least sure ones once more:", answered, "and above:", [answer.label for answer in unsure])

# %% [markdown]
# Next: `raw_photos_to_model.py` begins with photos as they come, with all that is wrong with them, and
# `choosing_and_tuning.py` asks which way to train is best for yours.
