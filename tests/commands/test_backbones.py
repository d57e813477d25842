"""`fieldguide backbones`: the networks to choose from."""

import json
import re

import pytest

from command_line import run
from fieldguide import installation
from fieldguide.backbones import export, speed
from fieldguide.errors import BackboneError, ModelFileError, OutputError


def test_backbones_are_listed(capsys):
    code, out, _ = run(capsys, "backbones")
    assert code == 0
    assert re.search(r"^efficientnet_lite0 +\d+ +224 +apache-2.0 +yes", out, re.MULTILINE)
    code, out, _ = run(capsys, "backbones", "--json")
    row = json.loads(out)[0]
    assert row["name"] == "efficientnet_lite0"
    assert row["usable_offline"] is True


def test_those_at_hand_are_timed(capsys, monkeypatch):
    monkeypatch.setattr(installation, "missing", lambda extra: (extra,))  # as without torch
    code, out, err = run(capsys, "backbones", "--time", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0, err
    assert all(
        (row["milliseconds"] is not None) == (row["usable_offline"] and not row["needs_torch"])
        for row in rows.values()
    )
    assert rows["efficientnet_lite0"]["milliseconds"] > 0.5


def test_the_table_has_a_column_of_times(capsys, monkeypatch):
    monkeypatch.setattr(speed, "milliseconds_an_image", lambda backbone: 12.345)
    code, out, err = run(capsys, "backbones", "--time")
    assert code == 0
    assert re.search(r"^name +MB +pixels +ms +licence", out, re.MULTILINE)
    assert re.search(r"^efficientnet_lite0 +\d+ +224 +12.3 +apache-2.0 +yes", out, re.MULTILINE)
    assert "without decoding" in err


@pytest.mark.parametrize(
    ("found", "shown"), [(0.789, "0.79"), (12.345, "12.3"), (99.97, "100"), (999.7, "1000"), (2345.6, "2346")]
)
def test_times_are_plain_numbers(found, shown, capsys, monkeypatch):
    monkeypatch.setattr(speed, "milliseconds_an_image", lambda backbone: found)
    out = run(capsys, "backbones", "--time")[1]
    assert re.search(rf"^efficientnet_lite0 +\d+ +224 +{shown} +apache", out, re.MULTILINE)


@pytest.mark.parametrize("error", [BackboneError, ModelFileError, OutputError])
def test_a_network_that_cannot_be_read_does_not_stop_the_others(error, capsys, monkeypatch):
    monkeypatch.setattr(speed, "milliseconds_an_image", lambda backbone: 12.345)
    exported = export.export

    def damaged(name, **options):
        if name == "efficientnet_lite2":
            raise error("damaged")
        return exported(name, **options)

    monkeypatch.setattr(export, "export", damaged)
    code, out, err = run(capsys, "backbones", "--time", "--json")
    found = {row["name"]: row["milliseconds"] for row in json.loads(out)}
    assert (code, found["efficientnet_lite2"], found["efficientnet_lite0"]) == (0, None, 12.35)
    assert "efficientnet_lite2: not measured; damaged" in err
