"""The card of a model file: one JSON object that says what the model is; read as data from a stranger."""

import json
import math
from collections.abc import Mapping
from typing import Any

from fieldguide.onnx_wire import Unacceptable
from fieldguide.preprocess import FILTERS, Preprocessing

SPEC = 1
"""The version of docs/artifact.md that this package writes, and the newest that it reads."""

MAX_CARD_BYTES = 16_000_000
MAX_DEPTH = 12
MAX_CLASSES = 100_000
MAX_NAME = 1_000
"""Characters of a class name."""
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
    _check_classes(card.get("classes"))
    preprocessing_of(card)
    _check_thresholds(card.get("thresholds"))
    _check_kinds(card)
    return card


def written(card: Mapping[str, Any]) -> str:
    """A card as text for the file: the same for the same card.

    Names with bytes that are no UTF-8 would not be text to protobuf; in a card with such names all that is
    not ASCII is escaped, which says the same.
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
    return Preprocessing(size, mode, name, mean, std)


def may_be_class(name: Any) -> bool:
    """Whether a card may hold a class of this name."""
    return isinstance(name, str) and 1 <= len(name) <= MAX_NAME and _is_text(name)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        card = json.loads(text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unacceptable(f"its card is no JSON that can be read ({error})") from error
    if not isinstance(card, dict):
        raise Unacceptable("its card is no JSON object")
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
    if spec > SPEC:
        raise Unacceptable(
            f"it was written by a newer fieldguide (spec {spec}, this one reads up to {SPEC}); "
            "run: pip install --upgrade fieldguide"
        )


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


def _check_kinds(card: dict[str, Any]) -> None:
    _need(isinstance(card.get("recipe"), str), "recipe", "text", card.get("recipe"))
    backbone = card.get("backbone")
    if backbone is not None:
        _need(isinstance(backbone, dict), "backbone", "an object or null", backbone)
        for key in ("name", "licence"):
            _need(isinstance(backbone.get(key), str), f"backbone.{key}", "text", backbone.get(key))
    for key in ("metrics", "data", "created"):
        _need(isinstance(card.get(key), dict), key, "an object", card.get(key))


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
