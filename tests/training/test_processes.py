"""What a process that is alone is told, and what means that another one cannot be reached."""

import pytest

from fieldguide.training.processes import ALONE, Processes, in_use, of_connections, used


def test_a_process_that_is_alone_is_told_what_it_says():
    assert ALONE.alone and ALONE.leads
    assert ALONE.mean(0.1) == 0.1
    assert ALONE.told(b"x") == b"x" and ALONE.told_json({"a": 1}) == {"a": 1}
    assert ALONE.agreed(True) and not ALONE.agreed(False)


def test_processes_are_used_within_a_block_only():
    own = Processes()
    with used(own):
        assert in_use() is own
    assert in_use() is ALONE


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1", True),
        ("NCCL communicator was aborted", True),
        ("DefaultCPUAllocator: can't allocate memory", False),
    ],
)
def test_errors_of_connections_are_told_from_others(said, meant):
    assert of_connections(RuntimeError(said)) is meant
