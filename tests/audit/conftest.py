"""What the tests of this folder share."""

import pytest

from audit_evidence import Bench


@pytest.fixture
def bench():
    return Bench()
