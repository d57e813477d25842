"""`fieldguide backbones`: the networks to choose from."""

import json
import re

from command_line import run


def test_backbones_are_listed(capsys):
    code, out, _ = run(capsys, "backbones")
    assert code == 0
    assert re.search(r"^efficientnet_lite0 +\d+ +224 +apache-2.0 +yes", out, re.MULTILINE)
    code, out, _ = run(capsys, "backbones", "--json")
    row = json.loads(out)[0]
    assert row["name"] == "efficientnet_lite0"
    assert row["usable_offline"] is True
