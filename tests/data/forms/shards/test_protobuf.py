"""Messages on the wire: what is cut off or lies about its length is an error and nothing else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.data.forms.shards.protobuf import WireError, example, fields
from form_samples_published import tf_example

WHOLE = tf_example(image__encoded=b"\xff\xd8" + bytes(300), image__class__label=3, image__class__text=b"cat")


def test_an_example():
    values = {"image/encoded": b"\xff\xd8" + bytes(300), "image/class/label": 3, "image/class/text": b"cat"}
    assert example(WHOLE) == values


@pytest.mark.parametrize("content", [b"\x08", b"\x12\x05ab", b"\x0b", b"\x80" * 11, b"\x09\x01"])
def test_what_is_none(content):
    with pytest.raises(WireError):
        list(fields(content))


@given(st.binary(max_size=60), st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)))
def test_any_bytes_are_a_message_or_an_error(noise, start, end):
    for content in (noise, WHOLE[:start], WHOLE[:start] + noise + WHOLE[end:]):
        with contextlib.suppress(WireError):
            example(content)
