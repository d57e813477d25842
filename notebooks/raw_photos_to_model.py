# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From raw photos to a model you can defend
#
# Someone will ask: how do you know? This notebook goes from photos as they come, with copies, wrong labels
# and broken files among them, to a model and the answers to that question. Each step answers one objection:
#
# | objection | step |
# | --- | --- |
# | "your data are dirty" | check and correct them |
# | "you tested on what you trained on" | split, with near-duplicates and groups on one side |
# | "you took the first method that came" | compare, cross-validated, with tests |
# | "that number is luck" | evaluate once, with ranges, on photos set apart |
# | "it looks at the background" | explain |
# | "it will name anything you show it" | leave classes out, and see whether they are called unknown |
#
# Put the path of your own photos into `PHOTOS`. Without a path, the notebook uses squares cut from the two
# photos that scikit-learn carries, and spoils some of them on purpose.

# %%
PHOTOS = None  # for example "/home/me/photos"

# %%
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
from IPython.display import display
from PIL import Image
from sklearn.datasets import load_sample_images

import fieldguide

WORK = Path("raw_photos_to_model")
WORK.mkdir(exist_ok=True)

# %%
REGIONS = {  # which photo; left, top, right, bottom in pixels
    "temple": (0, (90, 110, 330, 340)),
    "trees": (0, (400, 300, 640, 427)),
    "lake": (0, (345, 205, 560, 300)),
    "petals": (1, (190, 110, 425, 340)),
    "leaves": (1, (0, 60, 150, 427)),
}


def write_squares(folder, side=32, at_most=40):
    pictures = load_sample_images().images
    shutil.rmtree(folder, ignore_errors=True)
    for name, (number, (left, top, right, bottom)) in REGIONS.items():
        (folder / name).mkdir(parents=True)
        corners = [(y, x) for y in range(top, bottom - side, side) for x in range(left, right - side, side)]
        for y, x in corners[:at_most]:
            square = Image.fromarray(pictures[number][y : y + side, x : x + side])
            square.save(folder / name / f"{y:03}-{x:03}.png")
    return spoil(folder)


def spoil(folder):
    """What happens to real photos: copies, labels that were mixed up, a file that broke off."""
    first, second, third = sorted((folder / "temple").glob("*.png"))[:3]
    shutil.copy(first, folder / "temple" / "copy of it.png")
    shutil.copy(second, folder / "leaves" / "also here.png")
    shutil.move(third, folder / "petals" / third.name)
    (folder / "lake" / "broken off.png").write_bytes(first.read_bytes()[:600])
    return folder


folder = Path(PHOTOS) if PHOTOS else write_squares(WORK / "squares")

# %% [markdown]
# ## All of it in one cell
#
# From a folder to a model that is trained, measured on photos that it has not seen, and explained. The rest
# of the notebook does the same slowly, and asks questions on the way.

# %%
parts = fieldguide.split(folder, test=0.25).dataset
result = fieldguide.train(parts, preset="fast", out=WORK / "quick.onnx")
display(fieldguide.evaluate(result, parts))
display(fieldguide.explain(result, parts.select("test").paths[0]))

# %% [markdown]
# ## 1. What is there
#
# Look first. Files that cannot be read are counted and named, and never stop the rest.

# %%
photos = fieldguide.open_dataset(folder)
photos

# %% [markdown]
# ## 2. What is wrong with it
#
# `check` looks for copies, labels that do not fit their photo, files that cannot be read, classes that are
# too small, and more. Every finding names its photos. It is a suspicion, not a verdict: a photo may be
# unusual and right.

# %%
found = fieldguide.check(photos)
found

# %% [markdown]
# Suggested corrections go into a table for you to look through. Strike out the lines with which you do not
# agree: it is a plain CSV file. Nothing on disk is changed; `train` applies the table to what it reads.

# %%
corrections = WORK / "corrections.csv"
found.save_fixes(corrections, force=True)
print(corrections.read_text(encoding="utf-8"))

# %% [markdown]
# Photos of your own you would look at, one by one, before they count as corrected. And mind two things. No
# check finds everything: we also moved one temple among the petals, and if it is not listed above, it was
# not found. And the corrections are for learning only. `evaluate` takes none, for a test whose labels a model
# has corrected agrees with models; a wrong label among the test photos counts as a mistake.

# %% [markdown]
# ## 3. Set a test apart
#
# Copies and near-duplicates stay on one side; a test photo whose twin was learned from tests nothing. Where
# photos come in groups (a patient, a camera, a day), say so with a column `group`: whole groups then go to
# one side. Squares of one photo resemble each other more than two photos do, so our numbers will be too
# high for other temples. No split can mend that. Only other photos can.

# %%
parts = fieldguide.split(photos, test=0.25).dataset
parts

# %% [markdown]
# ## 4. Choose a method, on the training photos alone
#
# Cross-validation on the training photos; the test stays closed. Recommended is the cheapest one that no
# test tells from the best.

# %%
comparison = fieldguide.compare(parts, recipes=["linear-probe", "svm"], presets=["fast"], folds=3)
comparison

# %% [markdown]
# ## 5. Train, with the corrections

# %%
recipe = next(row.candidate.recipe for row in comparison.rows if row.candidate.name == comparison.recommended)
result = fieldguide.train(
    parts, recipe=recipe, preset="fast", corrections=corrections, out=WORK / "model.onnx"
)
result

# %% [markdown]
# ## 6. Measure it once
#
# On the test photos, opened now for the first time. `foreign` are photos of other things, here whole photos:
# are they told apart? `report` writes all of it as one page that you can send to whoever asked.

# %%
if not PHOTOS:
    foreign = WORK / "foreign"
    foreign.mkdir(exist_ok=True)
    for number, pixels in enumerate(load_sample_images().images):
        for quarter, left in enumerate(range(0, 640, 160)):
            piece = Image.fromarray(pixels).crop((left, 0, left + 160, 427)).rotate(90, expand=True)
            piece.save(foreign / f"{number}{quarter}.png")
measured = fieldguide.evaluate(
    result, parts, foreign=None if PHOTOS else foreign, report=WORK / "report.html"
)
measured

# %% [markdown]
# Three sentences for whoever asks. The range belongs into the first.

# %%
accuracy = measured.accuracy
print(f"Of photos like these, it names {accuracy.low:.0%} to {accuracy.high:.0%} correctly (95 % range).")
print(f"Its sets of labels hold the right one for {measured.coverage:.0%} of the test photos.")
print(f"It refuses {measured.unknown_rate:.0%} of the test photos as unknown.")

# %% [markdown]
# Are stated probabilities true? The points should lie on the diagonal. Few photos make wide bars.

# %%
measured.plot("reliability")
plt.show()

# %% [markdown]
# ## 7. Why it answers as it does
#
# The test photo of which it is least sure, and what each place of it says: orange speaks for the answer, blue
# against it. `train` looks up the photos it learned from that are most like it.

# %%
answers = fieldguide.predict(result, list(parts.select("test").paths))
least_sure = min(
    (answer for answer in answers if answer.error is None), key=lambda answer: answer.probability
)
least_sure

# %%
explanation = fieldguide.explain(result, least_sure.path, train=parts)
explanation

# %% [markdown]
# ## 8. What it does with what it never saw
#
# Each class is left out once. Would the photos of a class that the model never saw be called unknown? That is
# the hardest kind of stranger: taken in the same way, by the same camera. Where many are missed, say so, and
# let a person look at answers with a low probability.

# %%
unseen = fieldguide.novelty(photos, preset="fast")
unseen

# %% [markdown]
# ## 9. What to hand over
#
# One file, with its card: classes, thresholds, what was measured, on how many photos, made of what. It runs
# anywhere ONNX runs. Beside it `report.html`, and this notebook: who runs it again gets the same file, byte
# by byte.

# %%
result.model

# %% [markdown]
# What you cannot claim, however good the numbers are: that it works for another camera, another season or
# another place than your photos show. The test answers for photos *like these*. For others, take others, and
# run `evaluate` again.
