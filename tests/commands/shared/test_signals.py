"""How a process ends: signals while Python is asked and while it is not, streams that are closed or full."""

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import signal, sys, time
from types import SimpleNamespace
from fieldguide import cli
# A shell's background jobs are started with SIGINT ignored, and so may be whoever runs these tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

def slow(options):
    print("started", flush=True)
    time.sleep(60)

def computing(options):
    import numpy as np
    table = np.random.default_rng(0).random((5000, 5000))
    print("started", flush=True)
    np.linalg.svd(table)

def cleaning(options):
    try:
        print("started", flush=True)
        time.sleep(60)
    finally:
        print("cleaning", flush=True)
        time.sleep(60)

def finishing(options):
    try:
        print("started", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("finishing", flush=True)
        time.sleep(60)

def threads(options):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 60)
        print("started", flush=True)
        time.sleep(60)

def leaving(options):
    import threading
    threading.Thread(target=time.sleep, args=(60,)).start()
    print("started", flush=True)
    return 0

def serving(options):
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("started", flush=True)
    time.sleep(2)
    print("served", flush=True)
    return 0

def talking(options):
    print("x" * 100_000, flush=True)
    print("said", file=sys.stderr)
    return 0

def quiet(options):
    print("a result")
    return 0

COMMANDS = (slow, computing, cleaning, finishing, threads, leaving, serving, talking, quiet)
cli.COMMANDS = tuple(
    SimpleNamespace(NAME=run.__name__, HELP="is tried", arguments=lambda parser: None, run=run)
    for run in COMMANDS
)
sys.exit(cli.main())
"""


def started(name, hangup=signal.SIG_DFL):
    """A process under way; a hang-up is as said, for these tests may themselves run under nohup."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
    )
    assert process.stdout.readline() == "started\n"
    return process


def ended(process, number):
    """Send a signal; how long the process took to end, its code, and what it said."""
    time.sleep(0.2)
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=50)
    return time.monotonic() - begun, process.returncode, out, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("name", ["slow", "computing", "cleaning", "threads"])
def test_an_order_to_end_is_followed_soon_whatever_is_done(name, number, code):
    seconds, got, _, err = ended(started(name), number)
    assert got == code
    assert seconds < 10  # a busy machine has its own pace; each would take a minute
    assert err.count("terminated; what was finished is kept") == 1
    assert "Traceback" not in err and "Exception" not in err


@pytest.mark.parametrize("name", ["slow", "cleaning", "finishing", "threads"])
def test_two_interrupts_end_everything_without_a_traceback(name):
    process = started(name)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    _, code, _, err = ended(process, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err and "Exception" not in err


def test_an_interrupt_while_python_ends_shows_no_traceback():
    _, code, _, err = ended(started("leaving"), signal.SIGINT)
    assert (code, err) == (130, "")


def test_a_server_that_ends_in_its_own_time_is_left_to_it():
    process = started("serving")
    _, code, out, err = ended(process, signal.SIGTERM)
    assert (code, out, err) == (0, "served\n", "")


def test_a_hangup_that_is_ignored_stays_ignored():
    process = started("serving", hangup=signal.SIG_IGN)
    assert ended(process, signal.SIGHUP)[1] == 0


def shell(line):
    environment = {**os.environ, "PROGRAM": PROGRAM}
    whole = f'run() {{ "{sys.executable}" -c "$PROGRAM" "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", whole], capture_output=True, text=True, check=False, env=environment, timeout=60
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("name", ["quiet", "talking"])
def test_closed_streams_are_no_mistake(name, closed):
    done = shell(f"run {name} {closed}; echo code $?")
    assert done.stdout.endswith("code 0\n")
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_a_file_that_is_opened_is_not_written_to_by_prints(tmp_path):
    code = (
        "import sys; from fieldguide.commands.shared.signals import open_standard_streams; "
        "open_standard_streams(); "
        f"file = open({str(tmp_path / 'file')!r}, 'w'); print('stray', flush=True); file.write('mine')"
    )
    subprocess.run(["bash", "-c", '"$0" -c "$1" >&-', sys.executable, code], check=True)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("pipe", ["| head -c 1", "2>&1 | head -c 1", "|& head -c 1"])
def test_a_reader_that_leaves_is_no_mistake(pipe):
    done = shell(f"run talking {pipe} >/dev/null; echo ${{PIPESTATUS[0]}} >&2")
    assert done.stderr.split() in (["141"], ["said", "141"])


def test_a_full_disk_is_told_in_one_line():
    done = shell("run quiet > /dev/full; echo code $? >&2")
    told, code = done.stderr.splitlines()
    assert told.startswith("fieldguide") and "No space left on device; check" in told
    assert code == "code 2"
