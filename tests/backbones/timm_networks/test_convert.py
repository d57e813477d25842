"""The step that needs torch, in a process of its own."""

import re
import shutil
import subprocess
import sys

import pytest

from exports_made import MEANS, SIZE
from fieldguide.backbones.timm_networks import convert
from fieldguide.errors import BackboneError


def test_the_process_that_asks_for_an_export_does_not_keep_torch(tiny, weights):
    code = (
        "import sys; from fieldguide.backbones.timm_networks.convert import Conversion, converted; "
        "from fieldguide.backbones.taps import Taps; "
        f"_, facts = converted(Conversion('test_efficientnet', {SIZE}, False, sys.argv[1], {MEANS})); "
        "assert not {'torch', 'timm'} & set(sys.modules); print(facts['digest'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(weights)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == tiny.digest


def test_what_goes_wrong_in_the_other_process_is_said_here(tiny, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    asked = convert.Conversion("test_efficientnet", SIZE, False, str(broken), MEANS)
    with pytest.raises(BackboneError) as here:
        convert.convert(asked)
    with pytest.raises(BackboneError, match=re.escape(str(here.value))):
        convert._converted_apart(asked)


def test_a_process_that_dies_is_named_with_its_last_words(tiny, weights, monkeypatch):
    asked = convert.Conversion("test_efficientnet", SIZE, False, str(weights), MEANS)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(BackboneError, match="ended with code 1: it said nothing"):
        convert._converted_apart(asked)
