"""Examples in docstrings are run, and say what comes out."""

import doctest
import importlib
import types

import pytest

import torch_free

FEWEST_EXAMPLES = 90
"""Docstrings with examples; a number that may only grow."""
COMPARED = doctest.ELLIPSIS
UNTRAINED_NETWORKS = "fieldguide.api.architectures"
"""Its example builds one, which takes torch."""
WRONG = '''
def double(number):
    """Twice as much.

    >>> double(2)
    5
    """
    return 2 * number
'''


def examples_of(module):
    """The docstrings of a module in which something is run."""
    return [
        test
        for test in doctest.DocTestFinder(exclude_empty=True).find(module)
        if any(not example.options.get(doctest.SKIP) for example in test.examples)
    ]


def with_examples():
    """Modules whose source has a prompt; only these are worth importing."""
    for name in torch_free.modules():
        path = torch_free.SOURCE.joinpath(*name.split(".")[1:])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if ">>> " in file.read_text(encoding="utf-8"):
            yield name


def failures(module):
    """What the examples of a module say that does not come true."""
    told = []
    runner = doctest.DocTestRunner(optionflags=COMPARED)
    for test in examples_of(module):
        runner.run(test, out=told.append)
    return "".join(told)


MODULES = tuple(with_examples())


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_comes_out(name):
    if name == UNTRAINED_NETWORKS:
        pytest.importorskip("torch")
    module = importlib.import_module(name)
    assert examples_of(module) != []
    assert failures(module) == ""


def test_there_are_examples():
    assert sum(len(examples_of(importlib.import_module(name))) for name in MODULES) >= FEWEST_EXAMPLES


def test_a_wrong_example_is_seen():
    module = types.ModuleType("wrong")
    exec(WRONG, vars(module))
    assert "Expected:\n    5\nGot:\n    4" in failures(module)
