"""What the tests of this folder share."""

import pytest


@pytest.fixture(autouse=True)
def shared_cache(home, monkeypatch):
    """A cache of the module's own, which a test may damage."""
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(home / "cache"))
