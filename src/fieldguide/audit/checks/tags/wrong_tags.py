"""Tags that are probably wrong."""

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of
from fieldguide.audit.tag_answers import doubtful_tags
from fieldguide.tasks.tags import PRESENT

CODE = "FG027"
TITLE = "Likely wrong tags"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Look for tags that were given, and that models which had not seen the photo hold unlikely."""
    answers = evidence.tag_answers
    if answers is None:
        return NotApplicable("there are no two tags on separate photos to hold out")
    items = []
    for doubt in doubtful_tags(answers, PRESENT):
        row, name = int(answers.rows[doubt.place]), answers.classes[doubt.tag]
        note = f"{name!r} was given and is unlikely ({doubt.probability:.2f})"
        items.append(Item((evidence.path(row),), note, (evidence.tag_removed(row, name, note),)))
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'tag')} probably wrong: models that had not seen the photo give each a "
        "chance of one in ten or less",
        tuple(items),
    )
