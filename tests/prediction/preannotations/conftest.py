"""Photos that a model knows, does not know, and cannot read."""

import pytest

from preannotations_made import photos_in


@pytest.fixture
def photos(tmp_path):
    return photos_in(tmp_path)
