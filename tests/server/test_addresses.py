"""The parts of an address that vary."""

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.routing import compile_path

from fieldguide.server.addresses import Deadline, Name, Version


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/v1/models/colours:predict", "colours"),
        ("/v1/models/a.b-c_d:predict", "a.b-c_d"),
        ("/v1/models/a:b:predict", None),
        ("/v1/models/a/b:predict", None),
        ("/v1/models/:predict", None),
    ],
)
def test_a_name_ends_where_a_verb_begins(address, name):
    pattern, _, _ = compile_path("/v1/models/{name:model}:predict")
    found = pattern.match(address)
    assert (found["name"] if found else None) == name


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (Name, ["a", "b-1.x"], ["a b", "ü", ""]),
        (Version, ["0", "f" * 64], ["F", "f" * 65, "../x"]),
        (Deadline, [1, 3_600_000, None], [0, 3_600_001, "soon"]),
    ],
    ids=["name", "version", "deadline"],
)
def test_each_part_has_its_form(kind, right, wrong):
    adapter = TypeAdapter(kind)
    assert [adapter.validate_python(value) for value in right] == right
    for value in wrong:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
