"""Readable, unique names for the classes that a backbone was itself trained on."""

from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING

from fieldguide.errors import BackboneError
from fieldguide.installation import command_for, program_command

if TYPE_CHECKING:
    from timm.data.imagenet_info import ImageNetInfo

IMAGENET_1K = 1000
"""Classes whose names lie in a file of this package, as timm and WordNet have them."""


def class_names(name: str, count: int) -> tuple[str, ...]:
    """Name the `count` classes of an ImageNet network, in the order of its columns.

    A class is called by the first of its words (`tench`); where two share it, by all of its words, and where
    those are the same too (the bird and the machine called crane) by its definition as well.

    Raises
    ------
    BackboneError
        If the network has no classes of its own, or none that ImageNet's lists name.

    Examples
    --------
    >>> class_names("resnet18", 1000)[:3]
    ('tench', 'goldfish', 'great white shark')
    """
    if count == IMAGENET_1K:
        listed = files("fieldguide.backbones").joinpath("imagenet_1k_classes.txt")
        return tuple(listed.read_text(encoding="utf-8").splitlines())
    try:
        from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
    except ImportError as error:
        raise BackboneError(
            f"{name}: timm names classes other than those of ImageNet-1k, and is not installed; run: "
            f"{command_for('torch')}"
        ) from error
    subset = infer_imagenet_subset({"num_classes": count})
    if subset is None:
        raise BackboneError(
            f"{name}: has no ImageNet classes of its own; use it as a backbone: "
            f"{program_command('train --backbone')}"
        )
    return unique_names(ImageNetInfo(subset), count)


def unique_names(info: "ImageNetInfo", count: int) -> tuple[str, ...]:
    """Take for each class the shortest wording that no other class shares."""
    wordings: tuple[Callable[[int], str], ...] = (
        lambda i: info.index_to_description(i).partition(",")[0],
        lambda i: info.index_to_description(i),
        lambda i: _with_definition(info.index_to_description(i, detailed=True)),
        lambda i: f"{info.index_to_description(i)} ({info.index_to_label_name(i)})",
    )
    names = [wordings[0](i) for i in range(count)]
    for wording in wordings[1:]:
        uses = Counter(names)
        names = [name if uses[name] == 1 else wording(i) for i, name in enumerate(names)]
    return tuple(names)


def _with_definition(detailed: str) -> str:
    words, _, definition = detailed.partition(": ")
    return f"{words} ({definition.partition(';')[0]})"
