import io
import json

from fieldguide.workspace.progress_file import ProgressFile, Stage, read_progress


def test_a_story_is_read_back(tmp_path):
    place = tmp_path / "progress.jsonl"
    with place.open("wb") as file:
        tell = ProgressFile(file)
        tell("scan", 3, None)
        tell("features", 0, 10)
        tell("features", 10, 10)
        tell.report({"epoch": 1, "train_loss": 0.5})
    story = read_progress(place)
    assert [(stage.name, stage.done, stage.total) for stage in story.stages] == [
        ("scan", 3, None),
        ("features", 10, 10),
    ]
    assert story.history == ({"epoch": 1, "train_loss": 0.5},)


def test_it_writes_seldom_but_the_end_of_a_stage_always():
    file = io.BytesIO()
    tell = ProgressFile(file)
    for done in range(1001):
        tell("features", done, 1000)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert len(lines) < 50
    assert (lines[0]["done"], lines[-1]["done"]) == (0, 1000)


def test_without_a_file_nothing_is_written():
    tell = ProgressFile(None)
    tell("features", 1, 2)
    tell.report({"epoch": 1})


def line(stage, done, total, time):
    return json.dumps({"stage": stage, "done": done, "total": total, "time": time}) + "\n"


def test_the_time_left_follows_the_pace(tmp_path):
    place = tmp_path / "progress.jsonl"
    place.write_text(line("features", 0, 100, 1000.0) + line("features", 25, 100, 1010.0))
    assert read_progress(place).stages == (Stage("features", 25, 100, 30.0),)


def test_a_stage_that_comes_again_is_timed_anew(tmp_path):
    place = tmp_path / "progress.jsonl"
    place.write_text(line("fold", 9, 10, 1000.0) + line("fold", 0, 10, 2000.0) + line("fold", 5, 10, 2010.0))
    assert read_progress(place).stages == (Stage("fold", 5, 10, 10.0),)


def test_a_line_cut_in_the_middle_and_a_missing_file_tell_nothing(tmp_path):
    place = tmp_path / "progress.jsonl"
    assert read_progress(place).stages == ()
    place.write_text(line("scan", 1, 2, 1.0) + '{"stage": "sc')
    assert [stage.done for stage in read_progress(place).stages] == [1]
