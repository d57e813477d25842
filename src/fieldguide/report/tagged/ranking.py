"""ROC and precision-recall of tags: how well each is told from its absence, whatever the threshold."""

from fieldguide.report.blocks import Section
from fieldguide.report.separation import Ranked, ranking_of
from fieldguide.report.tagged.material import TagReportData


def section(material: TagReportData) -> Section | None:
    """Both curves by tag with their mean, and the areas under them."""
    lead = (
        "Photos with a tag against those without it, over every threshold. The further a curve bends into "
        "its corner, the better the tag is told; the broken line is the weakest tag."
    )
    return ranking_of(Ranked(material.curves, material.classes, "tag", "tags"), lead)
