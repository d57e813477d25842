import pytest

import fieldguide
from fieldguide.api import architectures
from fieldguide.errors import OptionError


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(architectures, "has_torch", lambda: False)
    with pytest.raises(OptionError, match="need torch, and that is not installed; run: "):
        fieldguide.architecture("conv 8")
