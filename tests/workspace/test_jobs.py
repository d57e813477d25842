import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fieldguide.errors import OptionError
from fieldguide.workspace import jobs
from fieldguide.workspace.jobs import DONE, FAILED, RUNNING, STOPPED, STOPPING, Job, all_jobs, shown, start

# What a command of fieldguide does, without the seconds that loading torch takes.
PROGRAM = """
import json, pathlib, signal, sys, time
arguments = sys.argv[1:]
value = lambda name: arguments[arguments.index(name) + 1]
tell = open(value("--progress"), "a")
def line(**facts):
    tell.write(json.dumps(facts) + "\\n"); tell.flush()
word = arguments[0]
line(stage=word, done=1, total=2, time=time.time())
print("said something", flush=True)
if word == "fail":
    print("fieldguide train: no such folder", file=sys.stderr)
    sys.exit(2)
if word == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupted = False
try:
    while word in ("forever", "stubborn", "gentle") and "--resume" not in arguments:
        time.sleep(0.02)
except KeyboardInterrupt:
    if word == "forever":
        sys.exit(130)
    interrupted = True
pathlib.Path(value("--json")).write_text(json.dumps({"word": word, "interrupted": interrupted}))
"""


PATIENCE = 120.0
"""Seconds that a busy machine may take."""


@pytest.fixture(autouse=True)
def program(tmp_path, monkeypatch):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    monkeypatch.setattr(jobs, "PROGRAM", (sys.executable, str(script)))


@pytest.fixture
def begin(tmp_path):
    begun = []

    def start_it(*arguments):
        begun.append(start(tmp_path / "jobs", arguments))
        return begun[-1]

    yield start_it
    for job in begun:
        job.stop(at_once=True)


def wait(job, *states):
    until = time.monotonic() + PATIENCE
    while job.state not in states:
        assert time.monotonic() < until, (job.state, job.log)
        time.sleep(0.02)
    return job


def wait_for_story(job):
    until = time.monotonic() + PATIENCE
    while not job.story.stages:
        assert time.monotonic() < until, job.log
        time.sleep(0.02)


def test_a_job_tells_how_it_goes_and_what_came_out(begin):
    job = wait(begin("quick", "--out", "model.onnx"), DONE)
    assert job.result == {"word": "quick", "interrupted": False}
    assert [stage.name for stage in job.story.stages] == ["quick"]
    assert job.last_words == "said something"
    assert job.option("--out") == "model.onnx"
    assert job.option("--recipe") is None
    assert 0 <= job.seconds < PATIENCE


def test_a_job_that_fails_says_why(begin):
    job = wait(begin("fail"), FAILED)
    assert job.last_words == "fieldguide train: no such folder"
    assert job.result is None


def test_a_running_job_is_found_by_whoever_looks_later(begin, tmp_path):
    job = begin("forever")
    wait_for_story(job)
    code = (
        "import pathlib, sys; from fieldguide.workspace.jobs import all_jobs; "
        "print(all_jobs(pathlib.Path(sys.argv[1]))[0].state)"
    )
    asked = [sys.executable, "-c", code, str(tmp_path / "jobs")]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "running\n"
    job.stop()
    wait(job, STOPPED)
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "stopped\n"


def test_stop_is_ctrl_c(begin):
    job = begin("gentle")
    wait_for_story(job)
    assert job.state == RUNNING
    job.stop()
    wait(job, STOPPED)
    assert job.result == {"word": "gentle", "interrupted": True}


def test_stop_is_heard_where_the_app_was_started_in_the_background(begin):
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for `fieldguide app &` in a script
    try:
        job = begin("gentle")
    finally:
        signal.signal(signal.SIGINT, usual)
    wait_for_story(job)
    job.stop()
    wait(job, STOPPED)


def test_a_stubborn_job_is_stopping_until_it_is_killed(begin):
    job = begin("stubborn")
    wait_for_story(job)
    job.stop()
    time.sleep(0.1)
    assert job.state == STOPPING
    job.stop(at_once=True)
    wait(job, STOPPED)


def test_a_job_that_was_killed_from_outside_has_failed(begin):
    job = begin("forever")
    wait_for_story(job)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    wait(job, FAILED)


def test_a_job_outlives_the_process_that_started_it(tmp_path):
    code = (
        "import pathlib, sys; from fieldguide.workspace import jobs; jobs.PROGRAM = tuple(sys.argv[1:3]); "
        "print(jobs.start(pathlib.Path(sys.argv[3]), ['forever']).folder)"
    )
    starter = [sys.executable, "-c", code, *jobs.PROGRAM, str(tmp_path / "jobs")]
    done = subprocess.run(starter, capture_output=True, text=True, check=True)
    job = Job(type(tmp_path)(done.stdout.strip()))
    try:
        wait_for_story(job)
        assert job.state == RUNNING
    finally:
        job.stop()
        wait(job, STOPPED)


def test_a_stopped_job_is_gone_on_with_in_its_folder(begin):
    job = begin("forever")
    wait_for_story(job)
    with pytest.raises(OptionError, match="is running; stop it first"):
        job.start_again()
    job.stop()
    wait(job, STOPPED)
    job.start_again(["--resume"])
    wait(job, DONE)
    assert job.arguments == ("forever", "--resume")
    job.start_again(["--resume"])
    assert job.arguments == ("forever", "--resume")
    wait(job, DONE)


def test_jobs_are_listed_the_newest_first(begin, tmp_path):
    assert all_jobs(tmp_path / "nowhere") == ()
    begun = [wait(begin("quick"), DONE) for _ in range(2)]
    assert {job.folder for job in all_jobs(tmp_path / "jobs")} == {job.folder for job in begun}
    (tmp_path / "jobs" / "zzz").mkdir()
    assert len(all_jobs(tmp_path / "jobs")) == 2


def test_a_result_that_was_cut_is_no_result(begin):
    job = wait(begin("quick"), DONE)
    (job.folder / "result.json").write_text(json.dumps(job.result)[:5])
    assert job.state == FAILED


def test_the_command_is_shown_as_one_types_it():
    assert (
        shown(["train", "my photos", "--out", "a;b.onnx"]) == "fieldguide train 'my photos' --out 'a;b.onnx'"
    )


def test_a_real_command_takes_what_jobs_add(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "PROGRAM", (sys.executable, "-m", "fieldguide"))
    job = begin("train", str(tmp_path / "nowhere"), "--out", str(tmp_path / "model.onnx"))
    wait(job, FAILED)
    assert "no such file or folder" in job.last_words
