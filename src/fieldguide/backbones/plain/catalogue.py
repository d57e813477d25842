"""The networks that are built without torch: a table of stages each, and who publishes weights for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fieldguide.backbones.plain import layouts
from fieldguide.backbones.plain.inverted_residual import InvertedResiduals, MobileBlock, scaled
from fieldguide.backbones.plain.layers import WeightLayout
from fieldguide.backbones.plain.residual import ResidualNetwork
from fieldguide.backbones.plain.tapped import Network
from fieldguide.backbones.plain.vgg import Vgg

Three = tuple[float, float, float]


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of red, green and blue, on the scale 0 to 1."""

    mean: Three
    std: Three


HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""From -1 to 1, as TensorFlow's networks are trained."""
CAFFE = Normalisation((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255))
"""Less a mean, but on the scale 0 to 255, as Caffe's were."""


@dataclass(frozen=True)
class Published:
    """A network as one publisher trained it."""

    layout: WeightLayout
    network: Network
    normalisation: Normalisation | None = None
    """None where each file has its own, which the caller knows."""


_EFFICIENTNET = (
    (MobileBlock(16, kind="separable"),),
    (MobileBlock(24, stride=2, repeats=2),),
    (MobileBlock(40, stride=2, kernel=5, repeats=2),),
    (MobileBlock(80, stride=2, repeats=3),),
    (MobileBlock(112, kernel=5, repeats=3),),
    (MobileBlock(192, stride=2, kernel=5, repeats=4),),
    (MobileBlock(320),),
)
_EFFICIENTNET_SQUEEZED = tuple(tuple(replace(b, squeeze=0.25) for b in stage) for stage in _EFFICIENTNET)


def _lite(width: float, depth: float) -> InvertedResiduals:
    stages = scaled(_EFFICIENTNET, width, depth, keep_ends=True)
    return InvertedResiduals(stages, stem=32, head=1280, epsilon=1e-3, padding="same")


_EFFICIENTNET_B0 = InvertedResiduals(_EFFICIENTNET_SQUEEZED, stem=32, head=1280, activation="silu")

_MOBILENET_V1 = InvertedResiduals(
    (
        (MobileBlock(64, kind="separable"),),
        (MobileBlock(128, stride=2, repeats=2, kind="separable"),),
        (MobileBlock(256, stride=2, repeats=2, kind="separable"),),
        (MobileBlock(512, stride=2, repeats=6, kind="separable"),),
        (MobileBlock(1024, stride=2, repeats=2, kind="separable"),),
    ),
    stem=32,
    head=0,
    separable_activation=True,
)
_MOBILENET_V2 = InvertedResiduals(
    (
        (MobileBlock(16, kind="separable"),),
        (MobileBlock(24, stride=2, repeats=2),),
        (MobileBlock(32, stride=2, repeats=3),),
        (MobileBlock(64, stride=2, repeats=4),),
        (MobileBlock(96, repeats=3),),
        (MobileBlock(160, stride=2, repeats=3),),
        (MobileBlock(320),),
    ),
    stem=32,
    head=1280,
)
_MOBILENET_V3_LARGE = InvertedResiduals(
    (
        (MobileBlock(16, kind="separable", activation="relu"),),
        (
            MobileBlock(24, stride=2, expansion=4, activation="relu"),
            MobileBlock(24, expansion=3, activation="relu"),
        ),
        (MobileBlock(40, stride=2, kernel=5, expansion=3, repeats=3, squeeze=0.25, activation="relu"),),
        (
            MobileBlock(80, stride=2),
            MobileBlock(80, expansion=2.5),
            MobileBlock(80, expansion=2.3, repeats=2),
        ),
        (MobileBlock(112, repeats=2, squeeze=0.25),),
        (MobileBlock(160, stride=2, kernel=5, repeats=3, squeeze=0.25),),
        (MobileBlock(960, kernel=1, kind="plain"),),
    ),
    stem=16,
    head=1280,
    activation="hard_swish",
    gate=("relu", "hard_sigmoid"),
    squeeze_expanded=True,
    head_after_pooling=True,
)
_RESIDUAL = {
    "resnet18": ResidualNetwork((2, 2, 2, 2), bottleneck=False),
    "resnet34": ResidualNetwork((3, 4, 6, 3), bottleneck=False),
    "resnet50": ResidualNetwork((3, 4, 6, 3)),
    "resnet101": ResidualNetwork((3, 4, 23, 3)),
    "resnet152": ResidualNetwork((3, 8, 36, 3)),
    "resnext50_32x4d": ResidualNetwork((3, 4, 6, 3), groups=32, group_width=4),
    "wide_resnet50_2": ResidualNetwork((3, 4, 6, 3), group_width=128),
}
_VGG = {
    "vgg11": ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    "vgg13": ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    "vgg16": ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    "vgg19": ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}


def _efficientnet(network: InvertedResiduals) -> tuple[Published, ...]:
    return (
        Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network),
        Published(WeightLayout("EfficientNet-PyTorch", dict(layouts.efficientnet_pytorch(network))), network),
    )


def _mobilenet_v1(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    keras = replace(network, epsilon=1e-3, padding="end", stem_padding="same")
    for layout in layouts.keras_layouts(layouts.keras_mobilenet(keras)):
        yield Published(layout, keras, HALF)


def _mobilenet_v2(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    yield Published(WeightLayout("torchvision", dict(layouts.torchvision_mobilenet_v2(network))), network)
    keras = replace(network, epsilon=1e-3, padding="same")
    for layout in layouts.keras_layouts(layouts.keras_mobilenet_v2(keras)):
        yield Published(layout, keras, HALF)


def _residual(network: ResidualNetwork) -> Iterator[Published]:
    yield Published(WeightLayout("timm and torchvision", dict(layouts.torch_residual(network))), network)
    if network.bottleneck and network.groups == 1 and network.group_width == 64:
        keras = replace(network, epsilon=1.001e-5, stride_first=True, bias=True)
        for layout in layouts.keras_layouts(layouts.keras_residual(keras), bgr=True):
            yield Published(layout, keras, CAFFE)


def _vgg(network: Vgg) -> Iterator[Published]:
    tops = {
        "timm": ("pre_logits.fc1", "pre_logits.fc2", "head.fc"),
        "torchvision": ("classifier.0", "classifier.3", "classifier.6"),
    }
    for publisher, top in tops.items():
        yield Published(WeightLayout(publisher, dict(layouts.torch_vgg(network, top))), network)
    if not network.batch_norm:
        for layout in layouts.keras_layouts(layouts.keras_vgg(network), bgr=True):
            yield Published(layout, network, CAFFE)


ARCHITECTURES: dict[str, tuple[Published, ...]] = {
    "tf_efficientnet_lite0": _efficientnet(_lite(1.0, 1.0)),
    "tf_efficientnet_lite1": _efficientnet(_lite(1.0, 1.1)),
    "tf_efficientnet_lite2": _efficientnet(_lite(1.1, 1.2)),
    "efficientnet_b0": _efficientnet(_EFFICIENTNET_B0),
    "tf_efficientnet_b0": _efficientnet(replace(_EFFICIENTNET_B0, epsilon=1e-3, padding="same")),
    "mobilenetv1_100": tuple(_mobilenet_v1(_MOBILENET_V1)),
    "mobilenetv2_100": tuple(_mobilenet_v2(_MOBILENET_V2)),
    "mobilenetv3_large_100": (
        Published(
            WeightLayout("timm", dict(layouts.timm_inverted(_MOBILENET_V3_LARGE))), _MOBILENET_V3_LARGE
        ),
    ),
    **{name: tuple(_residual(network)) for name, network in _RESIDUAL.items()},
    **{name: tuple(_vgg(Vgg(stages))) for name, stages in _VGG.items()},
    **{f"{name}_bn": tuple(_vgg(Vgg(stages, batch_norm=True))) for name, stages in _VGG.items()},
}
"""By the names that timm has for them; for each who publishes weights, timm first."""
