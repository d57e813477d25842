"""What training runs on."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from fieldguide.errors import OptionError
from fieldguide.training.devices import Place, loopback_only


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the C library of Linux is told")
@pytest.mark.parametrize("told", [True, False])
def test_large_blocks_that_are_freed_are_kept(told):
    program = """
import resource, torch
from fieldguide.training.devices import fabric_for, keep_freed_memory

def held():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

assert fabric_for("32-true").world_size == 1
if TOLD:
    keep_freed_memory()
before = held()
torch.zeros(50_000_000)
print(held() - before > 150_000_000)
"""
    command = [sys.executable, "-c", program.replace("TOLD", str(told))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(told)


LAUNCHED = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({}, Place(1, 4, 0, 1)),
        ({"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, Place(1, 4, 1, 2)),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"MASTER_ADDR": None}, None),
    ],
)
def test_what_torchrun_says_is_heard(changed, place, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name, value in {**LAUNCHED, "LOCAL_RANK": None, "LOCAL_WORLD_SIZE": None, **changed}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert Place.launched() == place


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"RANK": "first"}, "RANK: the variable of the environment must be a whole number, got 'first'"),
        ({"RANK": "4"}, "must fit together as torchrun sets them; got 4, 4, 0 and 1"),
        ({"LOCAL_WORLD_SIZE": "3"}, "must fit together as torchrun sets them; got 1, 4, 0 and 3"),
    ],
)
def test_variables_that_cannot_be_are_refused(changed, said, monkeypatch):
    for name, value in {**LAUNCHED, "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OptionError, match=said):
        Place.launched()


def test_the_loopback_is_named_for_a_while_only(monkeypatch):
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    with loopback_only():
        assert os.environ.get("GLOO_SOCKET_IFNAME") == ("lo" if sys.platform == "linux" else None)
    assert "GLOO_SOCKET_IFNAME" not in os.environ
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "eth7")
    with loopback_only():
        assert os.environ["GLOO_SOCKET_IFNAME"] == "eth7"
