"""What the tests of this folder share."""

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test sees what another one fetched."""
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def given(tmp_path):
    """A folder for original files."""
    return tmp_path / "given"
