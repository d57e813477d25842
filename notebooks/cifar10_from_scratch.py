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
from fieldguide.errors import OptionError

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


pictures = fieldguide.open_dataset(CIFAR10 or write_stand_in(WORK / "stand_in"))
classes = pictures.classes

# %% [markdown]
# A look at a few of each class. At 32 × 32 pixels even people make mistakes: on CIFAR-10 about 6 in 100.

# %%
pictures

# %% [markdown]
# ## 2. A network, layer by layer
#
# Layers are listed in the order in which a picture meets them. `conv N` is a convolution with N channels,
# `residual N` two of them beside a short cut, `pool` halves height and width, `dense N` connects all with
# all, `dropout P` forgets a share at random. The layer of class scores is added at the end.
#
# We build one up step by step. `architecture` shows, without training, what each layer gives, how many
# weights it learns, and how many multiply-adds a picture costs in it.
#
# **One convolution.** It sees patches of 3 × 3 pixels: edges and colours, no shapes. Nearly all multiply-adds
# are spent on the full 32 × 32 places.

# %%
first = fieldguide.architecture("conv 16", size=32, classes=len(classes))
first

# %% [markdown]
# **Two, and a pool between.** The pool takes the largest value of each 2 × 2 places. The second convolution
# thus sees parts twice as large, and costs a quarter of what it would cost before the pool.

# %%
second = fieldguide.architecture("conv 16, pool, conv 32, pool", size=32, classes=len(classes))
second

# %% [markdown]
# **Deeper, with a short cut.** More layers see more, but what the first ones should learn gets lost on the
# way back through many. A short cut lets it pass (He et al., 2016): `residual`. A `dense` layer at the end
# mixes what was seen; `dropout` keeps it from relying on single features.

# %%
words = "conv 16, pool, residual 32, pool, conv 64, dense 64, dropout 0.1"
third = fieldguide.architecture(words, size=32, classes=len(classes))
third

# %% [markdown]
# **The field's own.** Any network that timm or torchvision can build goes by its name: `resnet18` is eight
# such blocks, wider and wider, with three hundred times as many weights. It was made for 224 pixels: here its
# last maps have a single place. With thousands of pictures and some patience it pays to train it from
# scratch. `fieldguide architecture --list` in a terminal names the others.

# %%
by_name = fieldguide.architecture("resnet18", size=32, classes=len(classes))
by_name

# %% [markdown]
# A list that cannot be built is refused, with a reason.

# %%
try:
    fieldguide.architecture("conv 16, soup 3")
except OptionError as error:
    print("refused:", error)

# %% [markdown]
# ## 3. Train the third step
#
# The network sees each picture many times. Each time it is shifted a little and, where that is safe,
# mirrored. So it cannot learn pictures by heart and has to learn the class. A mirrored ship is a ship; a
# mirrored `3` is not a `3`. fieldguide decides, and says so. `preview` writes a picture of such variants.
#
# An *epoch* is one pass over all pictures. The learning rate rises quickly, then falls to zero: large steps
# first, to get near; small steps later, to settle. A part of the pictures is held out and only watched.
#
# With the real pictures, leave `epochs` to the recipe. The stop button ends the training, not the work: the
# best so far is kept and measured.

# %%
own = {"epochs": 14, "batch_size": 256} if CIFAR10 else {"epochs": 20, "batch_size": 16}
in_words = fieldguide.train(
    pictures,
    recipe="cnn",
    preset="fast",
    architecture=words,
    preview=WORK / "variants.png",
    out=WORK / "words.onnx",
    **own,
)
in_words

# %%
Image.open(WORK / "variants.png")

# %% [markdown]
# ## 4. A network tuned for such pictures
#
# The recipe's own network, which it takes where none is named, follows Keller Jordan's airbench, a speed
# record on CIFAR-10. Each part has a reason:
#
# - **A whitening layer** looks at patches of 2 × 2 pixels. Neighbouring pixels are nearly equal, so most of
#   what they say is said twice. Whitening takes that out. It is computed from the pictures, not learned.
# - **Three blocks of convolutions.** Each halves height and width, so that later layers see larger parts.
# - **The largest value of each last map** says whether something was seen, wherever it was.

# %%
model_file = WORK / "cnn.onnx"
settings = {} if CIFAR10 else {"epochs": 8, "batch_size": 32}
result = fieldguide.train(pictures, recipe="cnn", preset="fast", out=model_file, **settings)
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


history = result.as_dict()["history"]
figure = draw_history(history)
plt.show()

# %% [markdown]
# ## 6. Test
#
# The test pictures were never opened until now. What is measured is the written file, not the network in
# memory.

# %%
measured = fieldguide.evaluate(model_file, pictures)
measured

# %% [markdown]
# ## 7. A network of your own, in torch
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


two_views = TwoViews(24)
fieldguide.architecture(two_views, size=32, classes=len(classes))

# %%
in_torch = fieldguide.train(
    pictures, recipe="cnn", preset="fast", architecture=two_views, out=WORK / "torch.onnx", **own
)

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
