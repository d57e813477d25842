"""Evidence of an audit made by hand, sound until a test breaks it."""

from pathlib import Path

import numpy as np

from fieldguide.audit.checks import CHECKS
from fieldguide.audit.checks.common import Evidence
from fieldguide.audit.out_of_fold import HeldOut
from fieldguide.data.dataset import Dataset
from fieldguide.data.duplicate_groups import duplicate_index
from fieldguide.data.duplicates import SIGNATURE_BYTES, similar_pairs
from fieldguide.data.image_facts import FACTS, ImageFacts
from fieldguide.data.splits import duplicate_groups

BY_CODE = {check.CODE: check for check in CHECKS}


USUAL = {"width": 400, "height": 300, "brightness": 0.5, "contrast": 50, "sharpness": 0.2, "colour": 0.2}


N = 60


def signature_of(seed):
    """A signature like a photo's: the lower a frequency, the stronger."""
    random = np.random.default_rng(seed)
    square = random.normal(0, 3000, (16, 16)) / (1 + np.add.outer(np.arange(16), np.arange(16)))
    square[0, 0] = 16000
    parts = np.concatenate([square.ravel(), np.zeros(128)])
    return np.frombuffer(parts.astype("<i2").tobytes(), dtype=np.uint8)


class Bench:
    """Evidence of sixty sound images in three classes, to be broken."""

    def __init__(self):
        self.labels = [("ant", "bee", "cow")[row % 3] for row in range(N)]
        self.splits, self.groups, self.refused, self.mismatches = None, None, (), ()
        self.digests = [f"{row:064x}" for row in range(N)]
        self.signatures = [signature_of(row) for row in range(N)]
        self.facts = np.tile(np.array([USUAL[name] for name in FACTS], np.float32), (N, 1))
        self.classes = None
        self.held_out = "sure"

    def set_fact(self, row, **facts):
        for name, value in facts.items():
            self.facts[row, FACTS.index(name)] = value

    def vary(self):
        """Let every fact be another by up to three percent, as in real photos."""
        chance = np.random.default_rng(0)
        self.facts *= chance.uniform(0.97, 1.03, self.facts.shape).astype(np.float32)

    def split(self):
        """Every fifth image of each class is in test."""
        self.splits = ["test" if row // 3 % 5 == 4 else "train" for row in range(N)]
        return self

    def copy(self, row, of):
        self.digests[row], self.signatures[row] = self.digests[of], self.signatures[of]

    def resemble(self, row, of):
        """Nearly the same photo, as another file."""
        values = self.signatures[of].view("<i2").copy()
        values[255] += 4
        self.signatures[row] = values.view(np.uint8)

    def evidence(self):
        signatures = np.stack(self.signatures)
        assert signatures.shape == (N, SIGNATURE_BYTES)
        pairs = similar_pairs(signatures).pairs
        paths = tuple(f"/data/{label}/{row:02}.jpg" for row, label in enumerate(self.labels))
        seen = ImageFacts(np.arange(N), tuple(self.digests), signatures, self.facts, self.mismatches, ())
        dataset = Dataset(
            Path("/data"),
            paths,
            tuple(self.labels),
            None if self.splits is None else tuple(self.splits),
            None if self.groups is None else tuple(self.groups),
        )
        return Evidence(
            dataset=dataset,
            classes=self.classes or dataset.classes,
            refused=self.refused,
            image_facts=seen,
            alike=duplicate_groups(N, self.digests, signatures, pairs=pairs),
            duplicates=duplicate_index(signatures, pairs),
            held_out=self.answers(dataset.classes) if self.held_out == "sure" else self.held_out,
        )

    def answers(self, classes):
        numbers = np.searchsorted(classes, self.labels)
        probabilities = np.full((N, len(classes)), 0.1 / max(len(classes) - 1, 1), np.float32)
        probabilities[np.arange(N), numbers] = 0.9
        distances = np.exp(np.linspace(0, 0.5, N))
        return HeldOut(np.arange(N), tuple(classes), numbers.astype(np.int64), probabilities, distances)

    def check(self, code):
        return BY_CODE[code].check(self.evidence())


def rows_of(found):
    """Rows of :class:`Bench` that a finding names."""
    return {int(Path(path).stem) for item in found.items for path in item.paths}


def actions_of(found):
    """Row, action and corrected label of each of a finding's corrections."""
    return {
        (int(Path(fix.path).stem), fix.action, fix.corrected) for item in found.items for fix in item.fixes
    }
