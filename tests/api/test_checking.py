"""`check`: the command's JSON, and its tables of corrections."""

import shutil

import fieldguide
from fieldguide.cli import main


def test_the_same_call_gives_the_same_json(photos, command):
    _, answer = command("check", photos)
    assert fieldguide.check(photos).as_dict() == answer
    assert fieldguide.check(fieldguide.open_dataset(photos)).as_dict() == answer
    assert answer["data"] == "photos"


def test_suggested_corrections_are_the_commands(photos, tmp_path, capsys):
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    shutil.copy(data / "red" / "001.png", data / "red" / "copy.png")
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    found = fieldguide.check(data, report=tmp_path / "page.html")
    saved = found.save_fixes(ours)
    main(["check", str(data), "--fix", str(theirs)])
    assert ours.read_bytes() == theirs.read_bytes() and saved.added == len(found.fixes) > 0
    assert found.save_fixes(ours) == type(saved)(saved.added, 0)
    assert found.save_fixes(ours, force=True).backup.is_file()
    again = fieldguide.check(data, corrections=ours)
    assert "FG002" not in {finding.code for finding in again.findings}
    assert "copy.png" in (tmp_path / "page.html").read_text()
