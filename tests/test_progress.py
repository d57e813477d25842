"""The default callback of long work."""

from fieldguide.images.read_ahead import read_ahead
from fieldguide.progress import silent


def test_the_default_says_nothing(capsys):
    silent("images", 1, None)
    with read_ahead(len, ["a", "bb"]) as stream:
        assert [result for _, result in stream] == [1, 2]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")
