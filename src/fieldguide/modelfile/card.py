"""The card of a model file: one JSON object that says what the model is; read as data from a stranger."""

import json
import math
from collections.abc import Mapping
from typing import Any

from fieldguide.images.preprocessing import FILTERS, SHRINKS, Preprocessing
from fieldguide.modelfile.wire_format import Unacceptable
from fieldguide.tasks.task import Task

SPEC = 2
"""The version of docs/artifact.md that a file of single labels follows."""
SPEC_OF_TAGS = 3
"""The version that a file of tags follows, and the newest that this package reads."""

MAX_CARD_BYTES = 16_000_000
MAX_DEPTH = 12
MAX_CLASSES = 100_000
MAX_NAME = 1_000
"""Characters of a class name."""
MAX_CHOICES, MAX_SENTENCE, MAX_EPOCHS = 1_000, 10_000, 100_000
"""Sentences about what was chosen, characters of each, rows of the history of training."""
MAX_SIZE = 2_048
"""Side of a network's input, in pixels."""

MODES = ("squash", "crop")


def read_card(text: memoryview | bytes) -> dict[str, Any]:
    """Parse and check a card.

    Raises
    ------
    Unacceptable
        If it is no card, naming the field; if a newer fieldguide wrote it, saying to upgrade.
    """
    if len(text) > MAX_CARD_BYTES:
        raise Unacceptable(f"its card has {len(text):,} bytes, allowed are {MAX_CARD_BYTES:,}")
    card = _parsed(bytes(text))
    _check_spec(card.get("spec"))
    _check_task(card)
    _check_classes(card.get("classes"))
    preprocessing_of(card)
    _check_thresholds(card.get("thresholds"))
    _check_tag_thresholds(card)
    _check_set_by_class(card)
    _check_kinds(card)
    return card


def written(card: Mapping[str, Any]) -> str:
    """A card as text for the file: the same for the same card.

    Names with bytes that are no UTF-8 would not be text to protobuf; in a card with such names all that is
    not ASCII is escaped, which says the same.

    Examples
    --------
    >>> written({"spec": 1, "classes": ["cat", "dog"]})
    '{"classes": ["cat", "dog"], "spec": 1}'
    """
    plain = json.dumps(card, ensure_ascii=False, sort_keys=True, allow_nan=False)
    try:
        plain.encode()
    except UnicodeEncodeError:
        return json.dumps(card, sort_keys=True, allow_nan=False)
    return plain


def preprocessing_of(card: dict[str, Any]) -> Preprocessing:
    """The preprocessing that a card states.

    Raises
    ------
    Unacceptable
        If one of its values is not allowed.

    Examples
    --------
    >>> from fieldguide.images.preprocessing import Preprocessing
    >>> stated = Preprocessing(size=224).as_dict()
    >>> preprocessing_of({"preprocessing": stated}) == Preprocessing(size=224)
    True
    >>> preprocessing_of({"preprocessing": stated | {"size": 0}})
    Traceback (most recent call last):
        ...
    fieldguide.modelfile.wire_format.Unacceptable: card field preprocessing.size must be a ...
    """
    given: Any = card.get("preprocessing")
    _need(isinstance(given, dict), "preprocessing", "an object", given)
    size, mode, name = given.get("size"), given.get("mode"), given.get("interpolation")
    whole = type(size) is int and 1 <= size <= MAX_SIZE
    _need(whole, "preprocessing.size", f"a whole number from 1 to {MAX_SIZE}", size)
    _need(mode in MODES, "preprocessing.mode", f"one of {', '.join(MODES)}", mode)
    _need(name in tuple(FILTERS), "preprocessing.interpolation", f"one of {', '.join(FILTERS)}", name)
    mean, std = (_colour(given.get(key), f"preprocessing.{key}") for key in ("mean", "std"))
    _need(min(std) > 0, "preprocessing.std", "above 0", std)
    shrink, scaled = given.get("shrink", "none"), given.get("scaled_decoding", False)  # absent in version 1
    _need(shrink in SHRINKS, "preprocessing.shrink", f"one of {', '.join(SHRINKS)}", shrink)
    _need(isinstance(scaled, bool), "preprocessing.scaled_decoding", "true or false", scaled)
    return Preprocessing(size, mode, name, mean, std, shrink, scaled)


def may_be_class(name: Any) -> bool:
    """Whether a card may hold a class of this name.

    Examples
    --------
    >>> may_be_class("Äpfel"), may_be_class(""), may_be_class(7)
    (True, False, False)
    """
    return isinstance(name, str) and 1 <= len(name) <= MAX_NAME and _is_text(name)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        card = json.loads(text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unacceptable(f"its card is not readable JSON ({error})") from error
    if not isinstance(card, dict):
        raise Unacceptable("its card is not a JSON object")
    if _deeper_than(card, MAX_DEPTH):
        raise Unacceptable(f"its card is nested more than {MAX_DEPTH} deep")
    return card


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice")
    return names


def _deeper_than(value: Any, limit: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_deeper_than(item, limit - 1) for item in inner)


def _check_spec(spec: Any) -> None:
    _need(type(spec) is int and spec >= 1, "spec", "a whole number from 1", spec)
    if spec > SPEC_OF_TAGS:
        raise Unacceptable(
            f"it was written by a newer fieldguide (spec {spec}, this one reads up to {SPEC_OF_TAGS}); "
            "run: pip install --upgrade fieldguide"
        )


def _check_task(card: dict[str, Any]) -> None:
    task = card.get("task", Task.SINGLE)
    _need(task in tuple(Task), "task", f"one of {', '.join(Task)}", task)
    if task == Task.MULTIPLE:
        right = card["spec"] == SPEC_OF_TAGS
        _need(right, "spec", f"{SPEC_OF_TAGS} where task is {Task.MULTIPLE}", card["spec"])


def _check_classes(classes: Any) -> None:
    right = isinstance(classes, list) and 2 <= len(classes) <= MAX_CLASSES
    got = len(classes) if isinstance(classes, list) else classes
    _need(right, "classes", f"a list of 2 to {MAX_CLASSES:,} names", got)
    for name in classes:
        _need(may_be_class(name), "classes", f"text of 1 to {MAX_NAME:,} characters each", name)
    _need(len(set(classes)) == len(classes), "classes", "different from one another", "the same name twice")


def _is_text(name: str) -> bool:
    """Whether a name is Unicode, or bytes of a folder name as Python keeps them, without a NUL."""
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def _check_thresholds(thresholds: Any) -> None:
    _need(isinstance(thresholds, dict), "thresholds", "an object", thresholds)
    unknown = thresholds.get("unknown")
    _need(_is_share(unknown), "thresholds.unknown", "a number from 0 to 1", unknown)
    for key in ("set", "coverage"):
        value = thresholds.get(key)
        _need(value is None or _is_share(value), f"thresholds.{key}", "a number from 0 to 1, or null", value)


def _check_set_by_class(card: dict[str, Any]) -> None:
    """A threshold a class for prediction sets, beside the one for all, or none; never for tags."""
    found = card["thresholds"].get("set_by_class")
    if found is None:
        return
    allowed = card["thresholds"].get("set") is not None and Task.of_card(card) is Task.SINGLE
    _need(allowed, "thresholds.set_by_class", "absent without `thresholds.set`, and for tags", found)
    _need_shares(found, "thresholds.set_by_class", len(card["classes"]))


def _need_shares(found: Any, name: str, count: int) -> None:
    right = isinstance(found, list) and len(found) == count and all(map(_is_share, found))
    _need(right, name, f"a list of {count} numbers from 0 to 1", found)


def _check_tag_thresholds(card: dict[str, Any]) -> None:
    """A threshold a tag, in a model of tags and only there."""
    found = card["thresholds"].get("tags")
    if Task.of_card(card) is Task.SINGLE:
        _need(found is None, "thresholds.tags", "absent in a model of single labels", found)
        return
    _need_shares(found, "thresholds.tags", len(card["classes"]))


def _check_kinds(card: dict[str, Any]) -> None:
    _need(isinstance(card.get("recipe"), str), "recipe", "text", card.get("recipe"))
    backbone = card.get("backbone")
    if backbone is not None:
        _need(isinstance(backbone, dict), "backbone", "an object or null", backbone)
        for key in ("name", "licence"):
            _need(isinstance(backbone.get(key), str), f"backbone.{key}", "text", backbone.get(key))
    for key in ("metrics", "data", "created"):
        _need(isinstance(card.get(key), dict), key, "an object", card.get(key))
    for name, version in card["created"].items():
        _need(_is_short(version), f"created.{name[:40]}", f"text of up to {MAX_NAME:,} characters", version)
    for key, kind in (("preset", str), ("seed", int)):
        allowed = "text or null" if kind is str else "a whole number or null"
        _need(type(card.get(key)) in (kind, type(None)), key, allowed, card.get(key))
    _check_metrics(card["metrics"])
    _check_data(card["data"], card["classes"])
    _check_choices(card.get("choices", []))
    _check_history(card.get("history", []))


def _check_metrics(metrics: dict[str, Any]) -> None:
    """Numbers, sentences, and shares with their intervals: what pages and reports compute with."""
    for name, value in metrics.items():
        place = f"metrics.{name[:40]}"
        if isinstance(value, dict) and {"value", "low", "high"} & value.keys():
            for key in ("value", "low", "high"):
                right = value.get(key) is None or _is_share(value[key])
                _need(right, f"{place}.{key}", "a number from 0 to 1, or null", value.get(key))
        else:
            right = value is None or isinstance(value, bool) or _is_number(value) or _is_short(value)
            _need(right or isinstance(value, dict | list), place, "a finite number, text or null", value)
        _need(_is_finite(value), place, "of finite numbers", value)
    accuracy = metrics.get("accuracy")
    right = accuracy is None or (isinstance(accuracy, dict) and {"value", "low", "high"} <= accuracy.keys())
    _need(right, "metrics.accuracy", "an object of value, low and high, or null", accuracy)


def _check_data(data: dict[str, Any], classes: list[str]) -> None:
    for key in ("images", "refused"):
        _need(_is_count(data.get(key, 0)), f"data.{key}", "a whole number, 0 or more", data.get(key))
    for key in ("fingerprint", "note"):
        right = _is_short(data.get(key, ""))
        _need(right, f"data.{key}", f"text of up to {MAX_NAME:,} characters", data.get(key))
    counts = data.get("per_class")
    if counts is not None:
        right = isinstance(counts, dict) and counts.keys() <= set(classes)
        _need(right, "data.per_class", "an object of the classes", counts)
        for count in counts.values():
            _need(_is_count(count), "data.per_class", "of whole numbers, 0 or more", count)
    _need(_is_finite(data), "data", "of finite numbers", "one that is not")


def _check_choices(choices: Any) -> None:
    right = isinstance(choices, list) and len(choices) <= MAX_CHOICES
    _need(right, "choices", f"a list of up to {MAX_CHOICES} sentences", choices)
    for choice in choices:
        right = isinstance(choice, str) and len(choice) <= MAX_SENTENCE
        _need(right, "choices", f"of text of up to {MAX_SENTENCE:,} characters", choice)


def _check_history(history: Any) -> None:
    right = isinstance(history, list) and len(history) <= MAX_EPOCHS
    _need(right, "history", f"a list of up to {MAX_EPOCHS:,} epochs", history)
    for epoch in history:
        _need(isinstance(epoch, dict) and len(epoch) <= 100, "history", "a list of small objects", epoch)
        for name, value in epoch.items():
            right = value is None or _is_number(value)
            _need(right, f"history.{name[:40]}", "a finite number, or null", value)


def _is_finite(value: Any) -> bool:
    """Whether every number in a value is one: JSON spells infinity 1e999, and Python reads it."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _colour(value: Any, name: str) -> tuple[float, float, float]:
    right = isinstance(value, list) and len(value) == 3 and all(_is_number(item) for item in value)
    _need(right, name, "three numbers", value)
    red, green, blue = (float(item) for item in value)
    return red, green, blue


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e30 and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _need(right: bool, name: str, allowed: str, got: Any) -> None:
    if not right:
        text = repr(got)
        raise Unacceptable(f"card field {name} must be {allowed}, got {text[:60]}{'…' * (len(text) > 60)}")
