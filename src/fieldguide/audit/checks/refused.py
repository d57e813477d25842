"""Files that cannot be read as images, and rows of a table that cannot be used."""

from collections import Counter

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of

CODE = "FG001"
TITLE = "Files that cannot be used"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """List what was refused, with its code."""
    refused = evidence.refused
    if not refused:
        return None
    codes = Counter(refusal.code for refusal in refused)
    reasons = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    cannot = f"{count_of(len(refused), 'file')} cannot be used ({reasons}); training leaves them out"
    items = [Item((refusal.path,), f"{refusal.code}: {refusal.message}") for refusal in refused]
    return Found(cannot, tuple(items))
