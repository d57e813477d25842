"""Functions of Python, options of the command line and words of the contract are the same, said thrice."""

import argparse
import inspect
import typing

import pytest

import fieldguide
from fieldguide.commands import COMMANDS

CONTRACT = (
    "architecture",
    "open_dataset",
    "check",
    "train",
    "evaluate",
    "compare",
    "tune",
    "novelty",
    "split",
    "convert",
    "explain",
    "predict",
    "merge",
    "next_to_label",
    "export",
    "pretrained",
    "undo",
    "zero_shot",
)
"""A function for each command that has one, and `open_dataset`."""
AT_ONCE = ("architecture",)
"""Functions that take no time, so there is no progress to show."""
PARAMETERS = {"next_to_label": "next", "zero_shot": "zero-shot"}
"""Functions whose command has another name: `next` is one of Python's own, and no name has a dash."""
NO_FUNCTION = {
    "demo": "a tour of the command line",
    "serve": "a process of its own",
    "app": "a process of its own",
    "info": "fieldguide.load(path).card",
    "backbones": "a list to look up",
    "dataset": "a download",
}
"""Commands without a function, with the reason."""
ONLY_COMMANDS = {
    "json": "as_dict() is the same",
    "yes": "asks a person who sits before a terminal; in Python doubts are in the result",
    "allow_refused": "an exit code; refused images are in the result",
    "no_splits": "splits=False",
    "help": "help(fieldguide.train)",
    ("architecture", "list"): "names to look up",
    ("train", "find_rate"): "fieldguide.find_rate(data)",
    ("check", "explain"): "shows the page of a code and leaves",
    ("check", "fix"): "Findings.save_fixes(path)",
    ("check", "force"): "Findings.save_fixes(path, force=True)",
}
"""Options that the command line alone has, with the reason."""
OPTIONAL_OUT = {
    "train": "the model is held",
    "tune": "the model is held",
    "explain": "the map is in the result",
}
OPTIONAL_OUT["split"] = "the data set with its splits is in the result"
"""Functions whose `out` may be left out although the command needs it, with the reason."""
SAME = {
    ("train", "set"): (None, []),
    ("evaluate", "against"): ((), []),
    ("train", "resume"): (False, None),
    ("train", "download"): (False, None),
    ("train", "restart"): (False, None),
    ("zero_shot", "prompt"): ((), []),
    ("zero_shot", "photos"): ((), []),
}
"""Defaults that mean the same: Python's, the command line's."""


def commands():
    return {command.NAME: command for command in COMMANDS}


def options_of(name):
    """The parser's actions by the name of their keyword; positional ones are left out."""
    parser = argparse.ArgumentParser()
    commands()[name].arguments(parser)
    found = {}
    for action in parser._actions:
        flags = [flag for flag in action.option_strings if flag.startswith("--")]
        if flags:
            found[flags[0].removeprefix("--").replace("-", "_")] = action
    return found


def positional_of(name):
    parser = argparse.ArgumentParser()
    commands()[name].arguments(parser)
    return [action.dest for action in parser._actions if not action.option_strings]


def pairs():
    return [(name, PARAMETERS.get(name, name)) for name in CONTRACT if name != "open_dataset"]


def keywords_of(name):
    parameters = inspect.signature(getattr(fieldguide, name)).parameters.values()
    return {one.name: one for one in parameters if one.kind is one.KEYWORD_ONLY}


def only_a_command(command, option):
    return option in ONLY_COMMANDS or (command, option) in ONLY_COMMANDS


def test_every_command_has_its_function_or_a_reason():
    named = {command for _, command in pairs()}
    assert set(commands()) == named | set(NO_FUNCTION)


def test_the_functions_of_the_contract_are_at_the_top():
    assert set(CONTRACT) <= set(dir(fieldguide))
    assert all(callable(getattr(fieldguide, name)) for name in CONTRACT)


@pytest.mark.parametrize(("function", "command"), pairs())
def test_a_function_takes_what_its_command_takes(function, command):
    parameters = inspect.signature(getattr(fieldguide, function)).parameters.values()
    given = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert given == positional_of(command)
    wanted = {name for name in options_of(command) if not only_a_command(command, name)}
    assert set(keywords_of(function)) - {"progress"} == wanted - {"progress"}
    assert ("progress" in keywords_of(function)) == (function not in AT_ONCE)


@pytest.mark.parametrize(("function", "command"), pairs())
def test_defaults_are_the_same(function, command):
    options = options_of(command)
    for name, keyword in keywords_of(function).items():
        if name == "progress":
            continue
        action = options[name]
        if name == "out" and function in OPTIONAL_OUT:
            assert keyword.default is None
        elif action.required:
            assert keyword.default is inspect.Parameter.empty, name
        elif (function, name) in SAME:
            assert (keyword.default, action.default) == SAME[function, name]
        else:
            assert keyword.default == action.default, name


@pytest.mark.parametrize(("function", "command"), pairs())
def test_choices_are_literal_types(function, command):
    hints = typing.get_type_hints(getattr(fieldguide, function))
    for name, action in options_of(command).items():
        if action.choices is None or only_a_command(command, name):
            continue
        kinds = [hints[name], *typing.get_args(hints[name])]
        literal = next(kind for kind in kinds if typing.get_origin(kind) is typing.Literal)
        assert set(typing.get_args(literal)) == set(action.choices), name


@pytest.mark.parametrize("name", [*CONTRACT, "load", "find_rate"])
def test_every_option_is_described_and_has_an_example(name):
    described = inspect.getdoc(getattr(fieldguide, name))
    for option in inspect.signature(getattr(fieldguide, name)).parameters:
        assert option in described, option
    assert "Raises" in described
    assert ">>> " in described or name == "load"
