"""How timm's networks of the catalogue were trained, without asking timm."""

from fieldguide.images.preprocessing import Preprocessing

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_PLAIN = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

_NORMALISATIONS = {"ra4_": _HALF, "ap_": _HALF, "miil_": _PLAIN}
"""Beginning of a tag → mean and standard deviation; of all others ImageNet's, but for EfficientNet-Lite and
Inception."""
_BILINEAR = ("tv", "fb_", "miil_")
"""Beginnings of the tags of networks that were trained on images resized bilinearly, not bicubically; timm
says bicubically of Inception."""


def native_preprocessing(timm_name: str, size: int, head: bool) -> Preprocessing:
    """Return the preprocessing that a network was trained with, at `size` pixels.

    Features are taken of the whole image; a network's own classes of the centre square, as it was trained.

    Parameters
    ----------
    timm_name
        Architecture and tag, of an architecture of the catalogue.
    size
        Side of the input, in pixels.
    head
        Whether the network's own class scores are wanted.
    """
    architecture, _, tag = timm_name.partition(".")
    inception = architecture == "inception_v3"
    usual = _HALF if "_lite" in architecture or (inception and not tag.startswith("gluon_")) else _IMAGENET
    mean, std = next((values for start, values in _NORMALISATIONS.items() if tag.startswith(start)), usual)
    return Preprocessing(
        size,
        mode="crop" if head else "squash",
        interpolation="bilinear" if tag.startswith(_BILINEAR) and not inception else "bicubic",
        mean=mean,
        std=std,
    )
