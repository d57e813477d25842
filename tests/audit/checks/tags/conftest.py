import pytest

from tag_evidence import TagBench


@pytest.fixture
def bench():
    return TagBench()
