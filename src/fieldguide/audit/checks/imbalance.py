"""Classes of very different size."""

from collections import Counter

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, named

CODE = "FG008"
TITLE = "Unequal classes"
SEVERITY = "tip"
RATIO = 10
"""A class with fewer than one image in ten of the largest class's is named."""


def check(evidence: Evidence) -> Result:
    """Compare the classes that training would see with the largest."""
    counts = Counter(evidence.dataset.labels[row] for row in evidence.learned_from)
    if len(counts) < 2:
        return None
    (largest, most), *_ = counts.most_common()
    small = sorted((name for name in counts if counts[name] * RATIO < most), key=lambda name: counts[name])
    if not small:
        return None
    return Found(
        f"{named(small)} with fewer than a tenth of the {most} images of {largest!r}: rare classes are "
        "missed more often, and accuracy alone does not show it",
        tuple(Item((), f"{name!r}: {count_of(counts[name], 'image')}") for name in small),
        count=len(small),
    )
