from fieldguide.api.runs import run_with
from fieldguide.files import cache_folder
from fieldguide.progress import silent


def test_features_are_kept_where_the_commands_keep_them():
    assert run_with(silent).cache == cache_folder() / "features"
