"""All that ``fieldguide explain`` says of a photo: its class, the one next to it, and the images like it."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image

from fieldguide.explanation.explainer import Explanation, Photo
from fieldguide.explanation.nearest_images import EmbeddingModel, Neighbour, nearest
from fieldguide.explanation.overlay import picture
from fieldguide.files import cache_folder
from fieldguide.images.decoding import open_image
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

NEIGHBOURS = 6
"""Training images shown."""


class ExplainingModel(EmbeddingModel, Protocol):
    """What is needed of a model."""

    def explain(self, image: Photo, label: str | None = None) -> Explanation:
        """One class of one photo; None takes the most probable one."""
        ...


@dataclass(frozen=True, kw_only=True, repr=False)
class PhotoExplanation(Explanation):
    """The explanation of one class of a photo, with the class next to it and images that are like it."""

    second: Explanation | None
    """Of the class that comes next to it; None where the model has only one."""
    nearest: tuple[Neighbour, ...] | None
    """Training images that the photo is most like; None where none were named."""
    photo: Image.Image = field(repr=False, compare=False)
    """The photo, upright."""
    pictures: tuple[Image.Image, ...] = field(default=(), repr=False, compare=False)
    """The nearest images themselves."""

    def as_dict(self) -> dict[str, Any]:
        """What ``explain --json`` writes."""
        answer = {**super().as_dict(), "second": None if self.second is None else self.second.as_dict()}
        if self.nearest is not None:
            answer["nearest"] = [one.as_dict() for one in self.nearest]
        return answer

    def picture(self) -> Image.Image:
        """The photo and its maps with how to read them, as ``explain --out`` draws it."""
        both = [self] if self.second is None else [self, self.second]
        return picture(self.photo, both, list(zip(self.nearest or (), self.pictures, strict=True)))


def explain_photo(
    model: ExplainingModel,
    image: Photo,
    label: str | None = None,
    *,
    train: "Dataset | None" = None,
    progress: Progress = silent,
) -> PhotoExplanation:
    """Explain a photo's answer, or one class of it.

    Parameters
    ----------
    model
        A loaded model file.
    image
        A path, the bytes of an image file, a Pillow image, or pixels of shape (height, width, 3), uint8.
    label
        The class; None takes the most probable one.
    train
        Where training images are looked for that the photo is like.
    progress
        Callback for progress.

    Raises
    ------
    RefusedInput
        If the photo cannot be read.
    OptionError
        If the model has no such class.
    """
    first = model.explain(image, label)
    second = None if first.rival == first.label else model.explain(image, first.rival)
    near: tuple[Neighbour, ...] | None = None
    if train is not None:
        part = train.select("train") if "train" in (train.splits or ()) else train
        near = nearest(model, image, part, count=NEIGHBOURS, cache=cache_folder(), progress=progress)
    return PhotoExplanation(
        **{one.name: getattr(first, one.name) for one in fields(Explanation)},
        second=second,
        nearest=near,
        photo=open_image(image),
        pictures=tuple(open_image(one.path) for one in near or ()),
    )
