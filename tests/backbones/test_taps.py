"""Which depths become features."""

from fieldguide.backbones.taps import Taps


def test_taps_are_plain_data():
    assert Taps(pooling=("mean", "max")).as_dict()["pooling"] == ("mean", "max")


def test_every_field_is_part_of_the_key():
    plain = Taps().as_dict()
    changed = [Taps(since=0.5), Taps(pooling=("max",)), Taps(final_pooling=("max",)), Taps(channels=9)]
    assert len({str(one.as_dict()) for one in changed} | {str(plain)}) == 5
    assert set(plain) == {"since", "pooling", "final_pooling", "channels"}
