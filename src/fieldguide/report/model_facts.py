"""What the model is for, what it was trained on, and how: the card that lies in the model file."""

from typing import Any

from fieldguide.report.blocks import Block, Facts, Section, Text
from fieldguide.report.material import CommonMaterial, listed, percent, plural
from fieldguide.tasks.task import Task


def section(material: CommonMaterial) -> Section:
    """The card in words."""
    lead = "From the card inside the model file; fieldguide info shows all of it."
    blocks: list[Block] = [Text(_purpose(material)), Facts(tuple(_facts(material)))]
    choices = material.card.get("choices")
    if isinstance(choices, list) and choices:
        blocks.append(Text("What was chosen in training, and why:"))
        blocks.append(
            Facts(tuple((f"choice {n}", str(choice)) for n, choice in enumerate(choices, 1)), long=True)
        )
    return Section("model", "Model card", lead, blocks)


def _purpose(material: CommonMaterial) -> str:
    names = listed(material.classes)
    if Task.of_card(material.card) is Task.MULTIPLE:
        return (
            f"It knows {plural(len(material.classes), 'tag')}: {names}. Each photo gets any number of these, "
            "none included, each with a probability of its own; a photo that looks like none learned from "
            "should be called unknown. It was made for photos of the kind it was trained on, and nothing is "
            "known of others."
        )
    return (
        f"It tells apart {plural(len(material.classes), 'class', 'classes')}: {names}. Each photo gets "
        "one of these "
        "names, with a probability; a photo of anything else should be called unknown. It was made for "
        "photos of the "
        "kind it was trained on, and nothing is known of others."
    )


def _facts(material: CommonMaterial) -> list[tuple[str, str]]:
    card, rows = material.card, []
    rows.append(
        ("recipe", " ".join(str(part) for part in (card["recipe"], card.get("preset") or "") if part))
    )
    backbone = card.get("backbone")
    if isinstance(backbone, dict):
        rows.append(("backbone", f"{backbone['name']}, licence {backbone['licence']}"))
    rows += _training(card)
    size = card["preprocessing"]["size"]
    rows.append(("sees", f"{size} × {size} pixels, {_shape(card['preprocessing']['mode'])}"))
    limits = card["thresholds"]
    rows.append(("unknown", f"below a typicality of {limits['unknown']:g}"))
    if Task.of_card(card) is Task.MULTIPLE:
        rows += _of_tags(limits)
    elif limits.get("set") is not None:
        rows.append(("prediction set", _set_promise(limits)))
    rows.append(("file", f"SHA-256 {material.digest}"))
    return rows


def _set_promise(limits: dict[str, Any]) -> str:
    """From which probability on classes belong to a set, and how often it holds the truth."""
    share, by_class = percent(limits["coverage"], 0), limits.get("set_by_class")
    if by_class is None:
        return f"every class of at least {limits['set']:.3f}; holds the truth for {share}"
    low, high = min(by_class), max(by_class)
    return f"every class of at least {low:.3f} to {high:.3f}, by class; holds the truth for {share} of each"


def _of_tags(limits: dict[str, Any]) -> list[tuple[str, str]]:
    """From which probabilities on tags are given, and what the set holds."""
    low, high = min(limits["tags"]), max(limits["tags"])
    rows = [("tags given", f"from probabilities of {low:.2f} to {high:.2f} on, by tag")]
    least = limits.get("set")
    if least is not None:
        among = (
            "just the tags given"
            if least >= 1
            else f"the tags given and those of at least {least:.2g}"
            if least > 0
            else "every tag"
        )
        held = f"{percent(limits['coverage'], 0)} of a photo's true tags on average"
        rows.append(("set", f"{among}; holds {held}"))
    return rows


def _training(card: dict[str, Any]) -> list[tuple[str, str]]:
    rows, data, metrics = [], card["data"], card["metrics"]
    if isinstance(data.get("images"), int):
        rows.append(("trained on", f"{plural(data['images'], 'photo')}"))
    if data.get("fingerprint"):
        rows.append(("data fingerprint", str(data["fingerprint"])))
    for key, name in (("accuracy", "accuracy then"), ("map", "mean average precision then")):
        figure = metrics.get(key)
        if isinstance(figure, dict) and "value" in figure:
            where = metrics.get("measured_on", "held-out photos")
            rows.append((name, f"{percent(figure['value'])}, measured on {where} photos"))
    if card.get("seed") is not None:
        rows.append(("seed", str(card["seed"])))
    return rows


def _shape(mode: str) -> str:
    return "the whole photo made square" if mode == "squash" else "the square in the middle"
