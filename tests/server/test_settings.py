"""What can be set of the server."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.server.settings import Settings


@pytest.mark.parametrize(
    "wrong", [{"queue": 0}, {"deadline": 0.0}, {"token": "short"}, {"token": "a" * 20 + " b"}, {"images": 99}]
)
def test_settings_that_are_not_allowed(wrong):
    with pytest.raises(OptionError, match=f"{next(iter(wrong))}: must be"):
        Settings(**wrong)


@pytest.mark.parametrize("token", ["x" * 16, "!" * 40])
def test_a_token_of_sixteen_visible_characters_will_do(token):
    assert Settings(token=token).token == token


def test_a_token_is_never_in_the_error_about_it():
    with pytest.raises(OptionError, match="got 7; make one with: openssl rand -hex 32") as caught:
        Settings(token="s3cret!")
    assert "s3cret!" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"queue": 2.5}, {"batch": True}, {"deadline": float("inf")}, {"images": 41}]
)
def test_numbers_are_whole_above_nothing_and_fit_each_other(wrong):
    with pytest.raises(OptionError, match=f"{next(iter(wrong))}: must be"):
        Settings(**wrong)
