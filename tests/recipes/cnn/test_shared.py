"""The task of `cnn` as other processes make it; that it learns alike is tested with networks/worker.py."""

import pytest
from torch import nn

from fieldguide.errors import OptionError
from fieldguide.recipes.cnn import shared
from fieldguide.recipes.common import Options


def test_a_module_cannot_be_sent_to_other_processes():
    settings = {"architecture": nn.Flatten()}
    shared.check(Options(settings=settings))
    with pytest.raises(OptionError, match="'resnet18' or a list of layers; got a module; give a text"):
        shared.check(Options(settings={**settings, "devices": 2}))
    shared.check(Options(settings={"architecture": "resnet18", "devices": 2}))
