"""Tags that photos probably lack."""

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of
from fieldguide.audit.tag_answers import doubtful_tags
from fieldguide.tasks.tags import ABSENT

CODE = "FG026"
TITLE = "Likely missing tags"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Look for tags that models which had not seen the photo hold likely, and that it was not given."""
    answers = evidence.tag_answers
    if answers is None:
        return NotApplicable("there are no two tags on separate photos to hold out")
    items = []
    for doubt in doubtful_tags(answers, ABSENT):
        row, name = int(answers.rows[doubt.place]), answers.classes[doubt.tag]
        note = f"{name!r} is likely ({doubt.probability:.2f}) and missing"
        items.append(Item((evidence.path(row),), note, (evidence.tag_added(row, name, note),)))
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'tag')} probably missing: models that had not seen the photo give each a "
        "chance of nine in ten or more",
        tuple(items),
    )
