"""What the tests of this folder share."""

import pytest

from tag_report_made import tag_material


@pytest.fixture(scope="session")
def tagged(tmp_path_factory):
    """A measurement of 120 photos with four tags, to be read only."""
    return tag_material(tmp_path_factory.mktemp("tags") / "photos")
