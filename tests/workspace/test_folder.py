import pytest

from fieldguide.errors import OutputError
from fieldguide.workspace.folder import MOST_RECENT, OWN, Workspace


def test_everything_of_its_own_lies_in_one_folder(tmp_path):
    space = Workspace(tmp_path)
    for folder in (space.corrections, space.collected, space.uploads, space.jobs, space.fixes):
        assert folder.is_dir()
        assert folder.parent == tmp_path / OWN
    assert [path.name for path in tmp_path.iterdir()] == [OWN]


def test_data_sets_used_lately_are_remembered_the_last_first(tmp_path):
    space = Workspace(tmp_path)
    assert space.recent() == ()
    places = [tmp_path / f"set {number}" for number in range(MOST_RECENT + 2)]
    for place in places:
        place.mkdir()
        space.remember(place)
    space.remember(places[-2])
    assert space.recent()[:2] == (places[-2], places[-1])
    assert len(Workspace(tmp_path).recent()) == MOST_RECENT


def test_a_data_set_that_is_gone_is_forgotten(tmp_path):
    space = Workspace(tmp_path)
    (tmp_path / "set").mkdir()
    space.remember(tmp_path / "set")
    (tmp_path / "set").rmdir()
    assert space.recent() == ()


def test_a_list_that_somebody_damaged_is_no_list(tmp_path):
    space = Workspace(tmp_path)
    (tmp_path / "set").mkdir()
    space.remember(tmp_path / "set")
    (tmp_path / OWN / "recent.json").write_text("{not json")
    assert space.recent() == ()


def test_a_file_where_its_folder_should_be_is_told_in_a_sentence(tmp_path):
    (tmp_path / OWN).write_bytes(b"")
    space = Workspace(tmp_path)
    for ask in (lambda: space.uploads, space.recent, lambda: space.remember(tmp_path)):
        with pytest.raises(OutputError, match=r"cannot be made \(.*\); .* start it on another folder"):
            ask()
