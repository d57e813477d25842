"""What the routes of one server share."""

from types import SimpleNamespace

import pytest

from fieldguide.errors import ModelFileError
from fieldguide.server.app import make_context
from fieldguide.server.context import context_of
from fieldguide.server.settings import Settings


@pytest.fixture
def context(colours):
    context = make_context({"colours": colours}, Settings(queue=33))
    yield context
    context.admission.close()
    context.registry.close()


def test_a_request_finds_the_context_of_its_own_server(context):
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(context=context)))
    assert context_of(request) is context
    assert not context.stopping


def test_its_parts_share_the_same_limits_and_counters(context):
    assert [place.name for place in context.registry.places()] == ["colours"]
    page = context.metrics.page().decode()
    assert "fieldguide_queue_limit_images 33.0" in page
    assert 'fieldguide_model_info{model="colours"' in page


def test_a_model_that_cannot_be_used_makes_none(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.onnx"):
        make_context({"m": tmp_path / "none.onnx"}, Settings())
