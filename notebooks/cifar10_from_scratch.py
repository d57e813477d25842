# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # CIFAR-10 from scratch, step by step
#
# CIFAR-10 is 60,000 colour pictures of 32 × 32 pixels in ten classes, from airplane to truck. Here a network
# learns them *from scratch*: nothing pretrained, all it knows comes from these pictures. That is the right
# way where pictures are unlike photos, or where no other network may be used. It needs hundreds of pictures
# a class.
#
# Get the pictures once, in a terminal, and put the path into `CIFAR10`:
#
# ```text
# fieldguide dataset cifar10 --out cifar10
# ```
#
# Without a path, the notebook makes a small stand-in: handwritten digits in random colours, 32 × 32 pixels.
# It shows every step in a minute. Its numbers say nothing about CIFAR-10.

# %%
CIFAR10 = None  # for example "cifar10"

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import MaxNLocator
from PIL import Image
from sklearn.datasets import load_digits

import fieldguide
from fieldguide.augment import Augmentation
from fieldguide.augment_preview import preview
from fieldguide.cnn_network import Convolutional, widths_for
from fieldguide.dataset import open_dataset
from fieldguide.evaluate import evaluate
from fieldguide.images import open_image
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train

# Okabe and Ito's colours: people with any kind of colour vision can tell them apart.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#999999"
WORK = Path("cifar10_from_scratch")
WORK.mkdir(exist_ok=True)

# %% [markdown]
# ## 1. Pictures
#
# Ink and paper get random colours, so that colour says nothing about the class. The network has to learn
# shapes.


# %%
def write_stand_in(folder, of_each=50):
    bunch, random = load_digits(), np.random.default_rng(0)
    for digit in bunch.target_names:
        mine = bunch.target == digit
        for number, grey in enumerate(bunch.images[mine][::3][:of_each]):
            target = folder / ("test" if number % 5 == 0 else "train") / str(digit) / f"{number:05}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            ink, paper = random.integers(0, 110, 3), random.integers(145, 256, 3)
            coloured = paper + (grey[..., None] / 16) * (ink - paper)
            picture = Image.fromarray(np.round(coloured).astype(np.uint8))
            picture.resize((32, 32), Image.Resampling.BICUBIC).save(target)
    return folder


data = Path(CIFAR10) if CIFAR10 else write_stand_in(WORK / "stand_in")

# %%
with open_dataset(data) as pictures:
    for split in ("train", "test"):
        part = pictures.select(split)
        print(f"{split}: {len(part)} pictures of {len(part.classes)} classes")
    classes = pictures.classes
    learned_from = pictures.select("train")

# %% [markdown]
# A look at a few of each class. At 32 × 32 pixels even people make mistakes: on CIFAR-10 about 6 in 100.

# %%
figure, axes = plt.subplots(len(classes), 10, figsize=(8, 0.8 * len(classes)), layout="constrained")
for row, name in zip(axes, classes, strict=True):
    own = [path for path, label in zip(learned_from.paths, learned_from.labels, strict=True) if label == name]
    for axis, path in zip(row, own, strict=False):
        axis.imshow(open_image(path))
    for axis in row:
        axis.set_axis_off()
    row[0].set_title(name, loc="left", fontsize=9)
plt.show()

# %% [markdown]
# ## 2. Variants
#
# The network sees each picture many times. Each time we shift it a little and, where that is safe, mirror
# it. So it cannot learn pictures by heart and has to learn the class. A mirrored ship is a ship; a mirrored
# `3` is not a `3`. fieldguide decides by the names of the classes, and says so.

# %%
batch = torch.from_numpy(
    np.stack(
        [np.asarray(open_image(path)) for path in learned_from.paths[:: max(1, len(learned_from) // 8)][:8]]
    )
)
augmentation = Augmentation.named("light", flip=not all(name.isdigit() for name in classes))
figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
axis.imshow(preview(batch.permute(0, 3, 1, 2), augmentation))
axis.set_axis_off()
plt.show()

# %% [markdown]
# ## 3. The network
#
# It follows Keller Jordan's airbench, a speed record on CIFAR-10. Each part has a reason:
#
# - **A whitening layer** looks at patches of 2 × 2 pixels. Neighbouring pixels are nearly equal, so most of
#   what they say is said twice. Whitening takes that out. It is computed from the pictures, not learned.
# - **Three blocks of convolutions.** Each halves height and width, so that later layers see larger parts.
# - **The largest value of each last map** says whether something was seen, wherever it was.

# %%
network = Convolutional(widths_for(32))
weights = sum(weight.numel() for weight in network.parameters())
print(f"{weights:,} weights; channels of the blocks: {widths_for(32)}")
with torch.no_grad():
    maps = torch.zeros(1, 3, 32, 32)
    for name, layer in [
        ("whitening", network.whiten),
        *((f"block {n}", b) for n, b in enumerate(network.blocks, 1)),
    ]:
        maps = layer(maps)
        print(f"{name:10} gives {maps.shape[1]:4} maps of {maps.shape[2]} × {maps.shape[3]}")

# %% [markdown]
# ## 4. Train
#
# An *epoch* is one pass over all pictures. The learning rate rises quickly, then falls to zero: large steps
# first, to get near; small steps later, to settle. A part of the pictures is held out and only watched.
# `report` is called after each epoch.
#
# With the real pictures, leave `epochs` to the recipe.


# %%
def after_epoch(row):
    reached = f"held out {row['validation_accuracy']:.3f}"
    print(f"epoch {row['epoch']:2.0f}   loss {row['train_loss']:.3f}   {reached}")


model_file = WORK / "cnn.onnx"
options = {} if CIFAR10 else {"epochs": 8, "batch_size": 32}
setting = Setting(preset="fast", options=options, report=after_epoch)
result = train(TrainOptions(data, model_file, "cnn", setting))

# %%
for choice in result.choices:
    print("-", choice)

# %% [markdown]
# ## 5. The history
#
# Read it like this. Both losses fall: it is learning. Only the loss on what it learned from falls: it learns
# by heart; more variants or more pictures help. Neither falls: the rate is too high, or too low, or the
# labels are wrong.


# %%
def draw_history(history):
    figure, (losses, accuracy, rate) = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for name, label, style in (("train_loss", "learned from", "o-"), ("validation_loss", "held out", "s--")):
        colour = BLUE if name == "train_loss" else ORANGE
        losses.plot(epochs, [row[name] for row in history], style, color=colour, markersize=4, label=label)
    losses.set_ylabel("loss")
    losses.legend(frameon=False)
    accuracy.plot(epochs, [row["validation_accuracy"] for row in history], "s--", color=ORANGE, markersize=4)
    accuracy.set_ylabel("accuracy, held out")
    accuracy.set_ylim(0, 1.02)
    rate.plot(epochs, [row["learning_rate"] for row in history], "o-", color=GREEN, markersize=4)
    rate.set_ylabel("learning rate")
    for axis in (losses, accuracy, rate):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.spines[["top", "right"]].set_visible(False)
    return figure


history = result.fitted.history
draw_history(history)
plt.show()

# %% [markdown]
# ## 6. Test
#
# The test pictures were never opened until now. What is measured is the written file, not the network in
# memory.

# %%
with open_dataset(data) as pictures:
    test = pictures.select("test")
    measured = evaluate(fieldguide.load(model_file), test)
accuracy = measured.accuracy
print(f"accuracy on {measured.n} test pictures: {accuracy.value:.3f}", end="   ")
print(f"95 % interval {accuracy.low:.3f} to {accuracy.high:.3f}")

# %%
shares = measured.confusion / np.maximum(measured.confusion.sum(axis=1, keepdims=True), 1)
figure, axis = plt.subplots(figsize=(5.6, 5), layout="constrained")
picture = axis.imshow(shares, cmap="cividis", vmin=0, vmax=1)
axis.set_xticks(range(len(classes)), measured.classes, rotation=90)
axis.set_yticks(range(len(classes)), measured.classes)
axis.set_xlabel("answer")
axis.set_ylabel("truth")
figure.colorbar(picture, label="share of the class", shrink=0.8)
plt.show()

# %% [markdown]
# ## 7. A network of your own, in words
#
# Layers are listed in the order in which a picture meets them. `conv N` is a convolution with N channels,
# `residual N` two of them beside a short cut, `pool` halves height and width, `dense N` connects all with
# all, `dropout P` forgets a share at random. The layer of class scores is added. Wrong lists are refused
# with a reason.

# %%
from fieldguide.errors import OptionError

words = "conv 16, pool, residual 32, pool, conv 64, dense 64, dropout 0.1"
own = {"architecture": words, "epochs": 14 if CIFAR10 else 20, "batch_size": 256 if CIFAR10 else 16}
in_words = train(TrainOptions(data, WORK / "words.onnx", "cnn", Setting(options=own, report=after_epoch)))

try:
    train(TrainOptions(data, WORK / "no.onnx", "cnn", Setting(options={"architecture": "conv 16, soup 3"})))
except OptionError as error:
    print("refused:", error)

# %% [markdown]
# ## 8. A network of your own, in torch
#
# Any `torch.nn.Module` will do that turns pictures `(batch, 3, size, size)` into features `(batch, n)` or
# maps `(batch, n, height, width)`. It gets normalised pictures. The rest is as before: schedule,
# calibration, one file.


# %%
class TwoViews(torch.nn.Module):
    """Fine and coarse patterns side by side."""

    def __init__(self, channels):
        super().__init__()
        self.fine = torch.nn.Conv2d(3, channels, 3, padding=1, stride=2)
        self.coarse = torch.nn.Conv2d(3, channels, 7, padding=3, stride=2)
        self.join = torch.nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, stride=2)
        self.norm = torch.nn.BatchNorm2d(2 * channels)

    def forward(self, pictures):
        views = torch.cat([self.fine(pictures), self.coarse(pictures)], dim=1)
        return torch.relu(self.norm(self.join(torch.relu(views))))


own = {"architecture": TwoViews(24), "epochs": 14 if CIFAR10 else 20, "batch_size": 256 if CIFAR10 else 16}
in_torch = train(TrainOptions(data, WORK / "torch.onnx", "cnn", Setting(options=own, report=after_epoch)))

# %% [markdown]
# Three networks, measured on the same pictures that were held out from learning. The bars are 95 %
# intervals. Where they overlap widely, these pictures cannot tell the networks apart.

# %%
runs = {"cnn": result, "own, in words": in_words, "own, in torch": in_torch}
figure, axis = plt.subplots(figsize=(6.5, 2.2), layout="constrained")
for row, run in enumerate(runs.values()):
    reached = run.validation.accuracy
    axis.plot([reached.low, reached.high], [row, row], color=GREY, linewidth=3)
    axis.plot(reached.value, row, "o", color=BLUE)
axis.set_yticks(range(len(runs)), runs)
axis.set_ylim(len(runs) - 0.5, -0.5)
axis.set_xlim(0, 1)
axis.set_xlabel("accuracy on pictures held out")
axis.spines[["top", "right"]].set_visible(False)
plt.show()
