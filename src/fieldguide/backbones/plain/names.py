"""Which networks are built without torch, by name; a module of its own, so that asking loads nothing."""

NAMES = frozenset(
    (
        "tf_efficientnet_lite0",
        "tf_efficientnet_lite1",
        "tf_efficientnet_lite2",
        "efficientnet_b0",
        "tf_efficientnet_b0",
        "inception_v3",
        "mobilenetv1_100",
        "mobilenetv2_100",
        "mobilenetv3_large_100",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnext50_32x4d",
        "wide_resnet50_2",
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg19",
        "vgg11_bn",
        "vgg13_bn",
        "vgg16_bn",
        "vgg19_bn",
    )
)
"""The keys of :data:`fieldguide.backbones.plain.catalogue.ARCHITECTURES`, as timm calls them."""


def architecture_of(timm_name: str) -> str | None:
    """The architecture of one of timm's pretrained networks, such as ``resnet18`` of ``resnet18.a1_in1k``.

    Returns
    -------
    str or None
        None where the network is not built without torch.

    Examples
    --------
    >>> architecture_of("resnet18.a1_in1k")
    'resnet18'
    >>> architecture_of("vit_small_patch16_224.augreg_in21k_ft_in1k") is None
    True
    """
    architecture = timm_name.partition(".")[0]
    return architecture if architecture in NAMES else None


OTHER_NAMES = {"mobilenet": "mobilenet_v1"}
"""What other libraries call a network of the catalogue, as :func:`letters` writes it, where more differs than
the spelling."""


def letters(name: str) -> str:
    """A name without what libraries spell differently.

    Examples
    --------
    >>> letters("MobileNetV2") == letters("mobilenet_v2") == letters("mobilenet-v2")
    True
    """
    return "".join(character for character in name.lower() if character.isalnum())


def spelled_as(name: str) -> str | None:
    """How an architecture is spelled here that another library spells otherwise; None for other names.

    Examples
    --------
    >>> spelled_as("ResNet101"), spelled_as("VGG19"), spelled_as("resnet18.a1_in1k")
    ('resnet101', 'vgg19', None)
    """
    plain = letters(name)
    return next((known for known in sorted(NAMES) if letters(known) == plain), None)
