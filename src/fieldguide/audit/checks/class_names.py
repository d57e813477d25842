"""Class names that differ only by letter case or form."""

import re
import unicodedata
from collections import Counter

from fieldguide.audit.checks.common import Evidence, Found, Item, Result
from fieldguide.data.corrections import Correction

CODE = "FG019"
TITLE = "Class names that look alike"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Compare names without letter case, Unicode form, spaces, hyphens and underscores."""
    alike: dict[str, list[str]] = {}
    for name in evidence.classes:
        alike.setdefault(_key(name), []).append(name)
    duplicates = [names for names in alike.values() if len(names) > 1]
    if not duplicates:
        return None
    summary = "; ".join(" and ".join(map(ascii, names)) for names in duplicates[:3])
    return Found(
        f"{summary}{' and more' if len(duplicates) > 3 else ''} differ only by case or form: they are "
        "learned as different classes",
        tuple(_item(evidence, names) for names in duplicates),
        count=sum(map(len, duplicates)),
    )


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return re.sub(r"[\s_-]+", "", folded) or name


def _item(evidence: Evidence, names: list[str]) -> Item:
    labels = evidence.dataset.labels
    counts = Counter(label for label in labels if label in names)
    common = max(sorted(names), key=lambda name: counts[name])
    reason = f"differs from {common!r} only by case or form"
    fixes: tuple[Correction, ...] = tuple(
        evidence.correction(row, "relabel", reason, common)
        for row, label in enumerate(labels)
        if label in names and label != common
    )
    return Item((), " and ".join(map(ascii, names)), fixes)
