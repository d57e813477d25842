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
    tags: bool
    """Whether it learns tags, too."""


WAYS = {
    "auto": Way(
        "Tries the others while minutes are left, and takes the best, or a pool of a few, in one file. The "
        "most accurate; 5, 15 or 60 minutes at most.",
        by_steps=False,
        pretrained=True,
        tags=True,
    ),
    "linear-probe": Way(
        "A pretrained network as it is, and a classifier on top. Seconds to minutes; right for nearly "
        "everything.",
        by_steps=False,
        pretrained=True,
        tags=True,
    ),
    "finetune": Way(
        "The pretrained network is adapted to your photos, and kept only if that is better. Minutes to "
        "hours; for photos unlike everyday ones.",
        by_steps=True,
        pretrained=True,
        tags=True,
    ),
    "cnn": Way(
        "A small network from scratch. For pictures that are not photos; needs hundreds per class.",
        by_steps=True,
        pretrained=False,
        tags=True,
    ),
    "svm": Way(
        "Edges, texture and colour, without any pretrained network. For signs, symbols and parts.",
        by_steps=False,
        pretrained=False,
        tags=True,
    ),
    "extra-trees": Way(
        "The same edges, texture and colour with extremely randomised trees, a kind of random forest. "
        "A second opinion.",
        by_steps=False,
        pretrained=False,
        tags=True,
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
