"""The catalogue agrees with torchvision."""

import inspect
import re

import pytest

from fieldguide.data.catalogue.entries import CATALOGUE, find
from fieldguide.errors import OptionError


def test_the_catalogue_names_what_torchvision_names():
    from torchvision import datasets

    got = {entry.name: {(o.urls, o.md5) for o in entry.originals} for entry in CATALOGUE}
    for name, loader in (("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST)):
        expected = {(tuple(m + file for m in loader.mirrors), md5) for file, md5 in loader.resources}
        assert got[name] == expected
    flowers = datasets.Flowers102
    files = flowers._file_dict.values()
    assert got["flowers102"] == {((flowers._download_url_prefix + file,), md5) for file, md5 in files}
    assert got["oxford-pets"] == {((url,), md5) for url, md5 in datasets.OxfordIIITPet._RESOURCES}
    assert got["food101"] == {((datasets.Food101._URL,), datasets.Food101._MD5)}
    ((((url,), md5)),) = got["eurosat"]
    assert f'"{url}"' in (source := inspect.getsource(datasets.EuroSAT.download)) and md5 in source


def test_cifar_comes_as_the_binary_version_from_where_torchvision_has_the_other():
    from torchvision import datasets

    for name, loader in (("cifar10", datasets.CIFAR10), ("cifar100", datasets.CIFAR100)):
        (original,) = find(name).originals
        assert original.urls == (loader.url.replace("python", "binary"),)
        assert re.fullmatch("[0-9a-f]{32}", original.md5) and original.md5 != loader.tgz_md5


def test_an_unknown_name_is_told_the_near_one():
    with pytest.raises(OptionError, match=r"cifar100.*got 'cifar-10'; did you mean 'cifar10'\?"):
        find("cifar-10")
