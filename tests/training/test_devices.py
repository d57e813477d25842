"""What training runs on."""

import platform
import subprocess
import sys

import pytest


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
