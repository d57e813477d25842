"""Tags of too few photos."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, named

CODE = "FG024"
TITLE = "Tags of few photos"
SEVERITY = "tip"
FEWEST = 10
"""Separate photos with a tag, or without it, below which there are called few."""


def check(evidence: Evidence) -> Result:
    """Count what training would see of each tag, look-alikes and groups once."""
    having: dict[str, set[object]] = {name: set() for name in evidence.classes}
    everything: set[object] = set()
    groups, tags = evidence.dataset.groups, evidence.dataset.tags or ()
    for row in evidence.learned_from:
        separate = (groups[row] if groups else "") or int(evidence.alike[row])
        everything.add(separate)
        for name in ((found := tags[row]) and found.present) or ():
            having[name].add(separate)
    few = {name: len(photos) for name, photos in having.items() if len(photos) < FEWEST}
    bare = {name: len(everything - photos) for name, photos in having.items()}
    nearly_all = sorted(name for name, count in bare.items() if count < FEWEST)
    items = (
        *(
            Item((), f"{name!r}: on {count_of(few[name], 'separate photo')}")
            for name in sorted(few, key=few.__getitem__)
        ),
        *(Item((), f"{name!r}: on all but {count_of(bare[name], 'separate photo')}") for name in nearly_all),
    )
    if not items:
        return None
    names = list(dict.fromkeys([*sorted(few, key=few.__getitem__), *nearly_all]))
    return Found(
        f"{named(names)} on, or on all but, fewer than {FEWEST} separate photos: too few to learn the "
        "difference, or to measure it",
        items,
        count=len(names),
    )
