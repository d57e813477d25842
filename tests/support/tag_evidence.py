"""Evidence of an audit of tags made by hand, sound until a test breaks it."""

import dataclasses

import numpy as np

from audit_evidence import Bench, N
from fieldguide.audit.checks import CHECKS_OF_TAGS
from fieldguide.audit.tag_answers import TagAnswers
from fieldguide.tasks.tags import Tags, indicators, names_of

OF_TAGS = {check.CODE: check for check in CHECKS_OF_TAGS}


class TagBench(Bench):
    """Sixty sound photos with three tags that do not depend on each other."""

    def __init__(self):
        super().__init__()
        self.tags = [
            [name for bit, name in enumerate(("ant", "bee", "cow")) if row % 8 >> bit & 1] for row in range(N)
        ]
        self.not_known = [[] for _ in range(N)]
        self.chances = {}

    def evidence(self):
        self.labels = ["ant"] * N
        evidence = super().evidence()
        tags = tuple(map(Tags.of, self.tags, self.not_known))
        dataset = dataclasses.replace(evidence.dataset, labels=("",) * N, tags=tags)
        return dataclasses.replace(
            evidence,
            dataset=dataset,
            classes=names_of(tags),
            held_out=None,
            tag_answers=self.tag_answers(tags),
        )

    def tag_answers(self, tags):
        names = names_of(tags)
        matrix = indicators(tags, names)
        probabilities = np.where(matrix == 1, 0.95, 0.05).astype(np.float32)
        for (row, name), chance in self.chances.items():
            probabilities[row, names.index(name)] = chance
        return TagAnswers(np.arange(N), names, matrix, probabilities, np.exp(np.linspace(0, 0.5, N)))

    def check(self, code):
        return OF_TAGS[code].check(self.evidence())
