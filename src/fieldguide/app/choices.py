"""Ways to train, in the words of the page; asking the recipes would load the training libraries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """A recipe as the page offers it."""

    words: str
    """For whom it is, in a sentence."""
    by_steps: bool
    """Whether it learns in passes, with a history, and can be resumed."""
    pretrained: bool
    """Whether it starts from a pretrained network."""


WAYS = {
    "linear-probe": Way(
        "A pretrained network as it is, and a classifier on top. Seconds to minutes; right for nearly "
        "everything.",
        by_steps=False,
        pretrained=True,
    ),
    "finetune": Way(
        "The pretrained network is adapted to your photos, and kept only if that is better. Minutes to "
        "hours; for photos unlike everyday ones.",
        by_steps=True,
        pretrained=True,
    ),
    "cnn": Way(
        "A small network from scratch. For pictures that are no photos; needs hundreds a class.",
        by_steps=True,
        pretrained=False,
    ),
    "svm": Way(
        "Edges, texture and colour, without any pretrained network. For signs, symbols and parts.",
        by_steps=False,
        pretrained=False,
    ),
    "random-forest": Way(
        "The same edges, texture and colour with a forest of decision trees. A second opinion.",
        by_steps=False,
        pretrained=False,
    ),
}
"""By the names of recipes."""

PRESETS = {
    "fast": "Fast: a first look, or an old machine.",
    "balanced": "Balanced: the right choice for nearly everything.",
    "best": "Best: the last points of accuracy, for about three times the time.",
}
"""By the names of presets."""

AUGMENT = {
    "none": "not at all",
    "light": "lightly, for small images and short runs",
    "medium": "medium, for photos and pretrained networks",
    "strong": "strongly, for long runs on many photos",
}
"""How much photos are varied while a network learns, by the names of ``--augment``."""
