"""The datasets of the field that fieldguide knows by name: where they come from, how large, on what terms.

A literal table that needs no library, so that listing it is immediate. Addresses and MD5 sums are those of
torchvision's loaders (held by a test), except for CIFAR: torchvision unpickles its Python version, so here
the binary version of the same pictures is named, with the sum published beside it.
"""

import difflib
from dataclasses import dataclass

from fieldguide.errors import OptionError


@dataclass(frozen=True)
class Original:
    """One file as its authors published it."""

    name: str
    md5: str
    """As published; a guard against damage, not against malice."""
    urls: tuple[str, ...]
    """Where it can be had; the first is tried first."""
    content_sha256: str = ""
    """Of what a ``.gz`` file holds, so that one that was packed again is known too; empty: not accepted."""


@dataclass(frozen=True)
class FieldDataset:
    """A dataset of the field."""

    name: str
    title: str
    images: int
    classes: int
    pixels: str
    """Width × height of an image."""
    splits: tuple[str, ...]
    """Folders of the first level, as the original is split; empty if it is not."""
    download_megabytes: int
    disk_megabytes: int
    """About what the written folder takes, in blocks of 4 KiB."""
    terms: str
    paper: str
    page: str
    base: str
    """Folder that torchvision's loader keeps the original files in; empty: none of its own."""
    unpacked: tuple[str, ...]
    """What is there, as paths below the loader's root, once everything is unpacked."""
    originals: tuple[Original, ...]


def find(name: str) -> FieldDataset:
    """The dataset of this name.

    Raises
    ------
    OptionError
        If there is none; names those that are close, or all.
    """
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    names = [entry.name for entry in CATALOGUE]
    near = difflib.get_close_matches(name.lower(), names, n=1)
    advice = f"did you mean {near[0]!r}?" if near else "choose one of these"
    raise OptionError(f"NAME must be one of {', '.join(names)}; got {name!r}; {advice}")


def _idx(mirrors: tuple[str, ...], sums: dict[str, tuple[str, str]]) -> tuple[Original, ...]:
    return tuple(
        Original(f"{name}.gz", md5, tuple(f"{mirror}{name}.gz" for mirror in mirrors), sha256)
        for name, (md5, sha256) in sums.items()
    )


_CIFAR_PAPER = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009"
_CIFAR_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_CIFAR_TERMS = "no licence stated; the authors ask to cite the report"
_VGG = "https://www.robots.ox.ac.uk/~vgg/data/"
_IDX_NAMES = tuple(
    f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)

CATALOGUE = (
    FieldDataset(
        name="cifar10",
        title="CIFAR-10, small photos of animals and vehicles",
        images=60_000,
        classes=10,
        pixels="32 × 32",
        splits=("train", "test"),
        download_megabytes=170,
        disk_megabytes=250,
        terms=_CIFAR_TERMS,
        paper=_CIFAR_PAPER,
        page=_CIFAR_PAGE,
        base="",
        unpacked=("cifar-10-batches-bin/batches.meta.txt", "cifar-10-batches-bin/test_batch.bin"),
        originals=(
            Original(
                "cifar-10-binary.tar.gz",
                "c32a1d4ab5d03f1284b67883e8d87530",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            ),
        ),
    ),
    FieldDataset(
        name="cifar100",
        title="CIFAR-100, small photos of things",
        images=60_000,
        classes=100,
        pixels="32 × 32",
        splits=("train", "test"),
        download_megabytes=169,
        disk_megabytes=250,
        terms=_CIFAR_TERMS,
        paper=_CIFAR_PAPER,
        page=_CIFAR_PAGE,
        base="",
        unpacked=("cifar-100-binary/fine_label_names.txt", "cifar-100-binary/test.bin"),
        originals=(
            Original(
                "cifar-100-binary.tar.gz",
                "03b5dce01913d631647c71ecec9e9cb8",
                ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            ),
        ),
    ),
    FieldDataset(
        name="fashion-mnist",
        title="Fashion-MNIST, clothes in grey",
        images=70_000,
        classes=10,
        pixels="28 × 28",
        splits=("train", "test"),
        download_megabytes=31,
        disk_megabytes=290,
        terms="MIT",
        paper="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        page="https://github.com/zalandoresearch/fashion-mnist",
        base="FashionMNIST/raw",
        unpacked=tuple(f"FashionMNIST/raw/{name}" for name in _IDX_NAMES),
        originals=_idx(
            ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
            {
                "train-images-idx3-ubyte": (
                    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                ),
                "train-labels-idx1-ubyte": (
                    "25c81989df183df01b3e8a0aad5dffbe",
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                ),
                "t10k-images-idx3-ubyte": (
                    "bef4ecab320f06d8554ea6380940ec79",
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                ),
                "t10k-labels-idx1-ubyte": (
                    "bb300cfdad3c16e7a12a480ee83cd310",
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                ),
            },
        ),
    ),
    FieldDataset(
        name="mnist",
        title="MNIST, handwritten digits in grey",
        images=70_000,
        classes=10,
        pixels="28 × 28",
        splits=("train", "test"),
        download_megabytes=12,
        disk_megabytes=290,
        terms="CC BY-SA 3.0 (as Keras states it)",
        paper="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document "
        "recognition, Proceedings of the IEEE, 1998",
        page="http://yann.lecun.com/exdb/mnist/",
        base="MNIST/raw",
        unpacked=tuple(f"MNIST/raw/{name}" for name in _IDX_NAMES),
        originals=_idx(
            ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
            {
                "train-images-idx3-ubyte": (
                    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                ),
                "train-labels-idx1-ubyte": (
                    "d53e105ee54ea40749a09fcbcd1e9432",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                ),
                "t10k-images-idx3-ubyte": (
                    "9fb629c4189551a2d022fa330f9573f3",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                ),
                "t10k-labels-idx1-ubyte": (
                    "ec29112dd5afa0611ce80d1b7f02629c",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
            },
        ),
    ),
    FieldDataset(
        name="flowers102",
        title="Oxford 102 Flowers",
        images=8_189,
        classes=102,
        pixels="about 500 to 1,000",
        splits=("train", "validation", "test"),
        download_megabytes=345,
        disk_megabytes=360,
        terms="no licence stated; photos gathered from the web for research",
        paper="M.-E. Nilsback, A. Zisserman, Automated flower classification over a large number of classes, "
        "ICVGIP, 2008",
        page=_VGG + "flowers/102/",
        base="flowers-102",
        unpacked=("flowers-102/jpg", "flowers-102/imagelabels.mat", "flowers-102/setid.mat"),
        originals=(
            Original(
                "102flowers.tgz",
                "52808999861908f626f3c1f4e79d11fa",
                (_VGG + "flowers/102/102flowers.tgz",),
            ),
            Original(
                "imagelabels.mat",
                "e0620be6f572b9609742df49c70aed4d",
                (_VGG + "flowers/102/imagelabels.mat",),
            ),
            Original("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", (_VGG + "flowers/102/setid.mat",)),
        ),
    ),
    FieldDataset(
        name="oxford-pets",
        title="Oxford-IIIT Pet, breeds of cats and dogs",
        images=7_349,
        classes=37,
        pixels="about 500",
        splits=("train", "test"),
        download_megabytes=811,
        disk_megabytes=810,
        terms="CC BY-SA 4.0",
        paper="O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar, Cats and Dogs, CVPR, 2012",
        page=_VGG + "pets/",
        base="oxford-iiit-pet",
        unpacked=("oxford-iiit-pet/images", "oxford-iiit-pet/annotations"),
        originals=(
            Original(
                "images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c", (_VGG + "pets/data/images.tar.gz",)
            ),
            Original(
                "annotations.tar.gz",
                "95a8c909bbe2e81eed6a22bccdf3f68f",
                (_VGG + "pets/data/annotations.tar.gz",),
            ),
        ),
    ),
    FieldDataset(
        name="food101",
        title="Food-101, dishes",
        images=101_000,
        classes=101,
        pixels="at most 512",
        splits=("train", "test"),
        download_megabytes=4_996,
        disk_megabytes=5_300,
        terms="scientific fair use; the photos belong to Foodspotting's users",
        paper="L. Bossard, M. Guillaumin, L. Van Gool, Food-101, ECCV, 2014",
        page="https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
        base="",
        unpacked=("food-101/meta", "food-101/images"),
        originals=(
            Original(
                "food-101.tar.gz",
                "85eeb15f3717b99a5da872d97d918f87",
                ("http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",),
            ),
        ),
    ),
    FieldDataset(
        name="eurosat",
        title="EuroSAT, land use from space (RGB)",
        images=27_000,
        classes=10,
        pixels="64 × 64",
        splits=(),
        download_megabytes=94,
        disk_megabytes=110,
        terms="MIT",
        paper="P. Helber, B. Bischke, A. Dengel, D. Borth, EuroSAT, IEEE JSTARS, 2019, arXiv:1709.00029",
        page="https://github.com/phelber/EuroSAT",
        base="eurosat",
        unpacked=("eurosat/2750",),
        originals=(
            Original(
                "EuroSAT.zip",
                "c8fa014336c82ac7804f0398fcb19387",
                (
                    (
                        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                        "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip"
                    ),
                ),
            ),
        ),
    ),
)
"""As `fieldguide dataset` lists them."""
