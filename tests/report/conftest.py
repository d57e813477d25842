"""What the tests of this folder share."""

import pytest

from report_made import material


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A measurement of 120 photos in six classes, to be read only."""
    return material(tmp_path_factory.mktemp("report") / "photos")
