"""The networks that are built without torch: a table of stages each, and who publishes weights for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.plain import layouts
from fieldguide.backbones.plain.inception import UNUSED, InceptionV3
from fieldguide.backbones.plain.inverted_residual import InvertedResiduals, MobileBlock, scaled
from fieldguide.backbones.plain.keras_file import COUNTED
from fieldguide.backbones.plain.layers import State, WeightLayout
from fieldguide.backbones.plain.residual import ResidualNetwork
from fieldguide.backbones.plain.tapped import Network
from fieldguide.backbones.plain.vgg import Vgg
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing

Three = tuple[float, float, float]
Interpolation = Literal["bicubic", "bilinear"]


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of red, green and blue, on the scale 0 to 1."""

    mean: Three
    std: Three


HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""From -1 to 1, as TensorFlow's networks are trained."""
CAFFE = Normalisation((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255))
"""Less a mean, but on the scale 0 to 255, as Caffe's were."""


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Of the photos of ImageNet."""


@dataclass(frozen=True)
class Published:
    """A network as one publisher trained it."""

    layout: WeightLayout
    network: Network
    normalisation: Normalisation | None = None
    """None where each file has its own, which the caller knows."""
    stated: bool = False
    """Whether the file itself has its normalisation, in a layer."""
    interpolation: Interpolation | None = None
    """How photos were resized; None where the publisher does not say or the caller knows."""

    def prepared(self, preprocessing: Preprocessing, state: State, path: Path) -> Preprocessing:
        """How photos become this network's input: as given, but for what its publisher does otherwise.

        Raises
        ------
        BackboneError
            If the file should state its normalisation, and does not.
        """
        own = stated_normalisation(state, path) if self.stated else self.normalisation
        if own is not None:
            preprocessing = replace(preprocessing, mean=own.mean, std=own.std)
        return replace(preprocessing, interpolation=self.interpolation or preprocessing.interpolation)


def stated_normalisation(state: State, path: Path) -> Normalisation:
    """Read what Keras's EfficientNet does to pixels on the scale 0 to 1, from its layer ``normalization``.

    That layer divides by the root of its variance. The published weights, though, have standard deviations
    in place of variances, and the network divides by their root again
    (https://github.com/tensorflow/tensorflow/issues/49930).

    Raises
    ------
    BackboneError
        If there is no such layer, or no such numbers.
    """
    found = {name.rpartition(".")[2]: values for name, values in state.items() if name.startswith(_STATED)}
    mean, variance = (found.get(word, np.zeros(0)).ravel().astype(float) for word in ("mean", "variance"))
    if mean.shape != (3,) or variance.shape != (3,) or not (np.isfinite(mean).all() and variance.min() > 0):
        raise BackboneError(
            f"{path}: holds no layer 'normalization' with mean and variance of red, green and blue, as "
            "Keras's EfficientNet has; save the weights of the whole network"
        )
    published = np.allclose(variance, IMAGENET.std, atol=1e-6)
    std = variance if published else np.sqrt(variance)
    return Normalisation(_three(mean), _three(std))


def _three(values: NDArray[np.float64]) -> Three:
    red, green, blue = (round(float(value), 7) for value in values)
    return red, green, blue


_STATED = ("normalization.", f"{COUNTED}normalization.")


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


def _lite_published(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    names = dict(layouts.efficientnet_pytorch(network))
    yield Published(WeightLayout("EfficientNet-PyTorch", names), network)


def _efficientnet(network: InvertedResiduals) -> Iterator[Published]:
    yield from _lite_published(network)
    if network.padding == "symmetric":
        names = dict(layouts.torchvision_efficientnet(network))
        yield Published(WeightLayout("torchvision", names), network, IMAGENET)
    keras = replace(network, epsilon=1e-3, padding="same")
    for layout in layouts.keras_layouts(layouts.keras_efficientnet(keras)):
        yield Published(replace(layout, unused=_STATED), keras, stated=True)


def _mobilenet_v1(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    keras = replace(network, epsilon=1e-3, padding="end", stem_padding="same")
    for layout in layouts.keras_layouts(layouts.keras_mobilenet(keras)):
        yield Published(layout, keras, HALF)


def _mobilenet_v2(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    names = dict(layouts.torchvision_mobilenet_v2(network))
    yield Published(WeightLayout("torchvision", names), network, IMAGENET, interpolation="bilinear")
    keras = replace(network, epsilon=1e-3, padding="same")
    for layout in layouts.keras_layouts(layouts.keras_mobilenet_v2(keras)):
        yield Published(layout, keras, HALF)


def _mobilenet_v3(network: InvertedResiduals) -> Iterator[Published]:
    yield Published(WeightLayout("timm", dict(layouts.timm_inverted(network))), network)
    torch = replace(network, epsilon=1e-3)
    names = dict(layouts.torchvision_mobilenet_v3(torch))
    yield Published(WeightLayout("torchvision", names), torch, IMAGENET, interpolation="bilinear")
    keras = replace(network, epsilon=1e-3, padding="same")
    for layout in layouts.keras_layouts(layouts.keras_mobilenet_v3(keras)):
        yield Published(layout, keras, HALF)


def _inception(network: InceptionV3) -> Iterator[Published]:
    names = dict(layouts.torch_inception(network))
    yield Published(WeightLayout("timm and torchvision", names, unused=UNUSED), network)
    keras = replace(network, margin_counts=False)
    for layout in layouts.keras_inception(keras):
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
    "tf_efficientnet_lite0": tuple(_lite_published(_lite(1.0, 1.0))),
    "tf_efficientnet_lite1": tuple(_lite_published(_lite(1.0, 1.1))),
    "tf_efficientnet_lite2": tuple(_lite_published(_lite(1.1, 1.2))),
    "efficientnet_b0": tuple(_efficientnet(_EFFICIENTNET_B0)),
    "tf_efficientnet_b0": tuple(_efficientnet(replace(_EFFICIENTNET_B0, epsilon=1e-3, padding="same"))),
    "inception_v3": tuple(_inception(InceptionV3())),
    "mobilenetv1_100": tuple(_mobilenet_v1(_MOBILENET_V1)),
    "mobilenetv2_100": tuple(_mobilenet_v2(_MOBILENET_V2)),
    "mobilenetv3_large_100": tuple(_mobilenet_v3(_MOBILENET_V3_LARGE)),
    **{name: tuple(_residual(network)) for name, network in _RESIDUAL.items()},
    **{name: tuple(_vgg(Vgg(stages))) for name, stages in _VGG.items()},
    **{f"{name}_bn": tuple(_vgg(Vgg(stages, batch_norm=True))) for name, stages in _VGG.items()},
}
"""By the names that timm has for them; for each who publishes weights, timm first."""
