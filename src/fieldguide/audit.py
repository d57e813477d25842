"""The audit before training: what is wrong with the data, as findings.

images ──look──▶ facts, digests, look-alikes ──┐
images ──extract──▶ features ──held_out──▶ answers of models that had not seen the image ──┤
                                                                             checks ◀──────┘ ──▶ findings
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.checks import CHECKS
from fieldguide.checks.common import Check, Evidence, Finding, Found, Item, NotApplicable
from fieldguide.corrections import Correction
from fieldguide.dataset import Dataset
from fieldguide.duplicates import likeness
from fieldguide.errors import Refusal
from fieldguide.features import Features
from fieldguide.held_out import HeldOut, deep_features, held_out
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Setting
from fieldguide.second_look import confirmed
from fieldguide.sight import Sight, look
from fieldguide.splits import duplicate_groups
from fieldguide.twins import twins


@dataclass(frozen=True)
class Audit:
    """What the checks said of a data set."""

    images: int
    """Images in DATA, those that cannot be read included."""
    classes: int
    findings: tuple[Finding, ...]
    """In the order of their codes."""
    not_applicable: tuple[tuple[str, str], ...]
    """Code and reason of each check that had nothing to look at."""
    notes: tuple[str, ...]
    """Sentences about the data."""
    evidence: Evidence = dataclasses.field(repr=False)

    @property
    def issues(self) -> tuple[Finding, ...]:
        """Findings that say that something is wrong."""
        return tuple(finding for finding in self.findings if finding.severity == "issue")

    @property
    def fixes(self) -> tuple[Correction, ...]:
        """The corrections that the findings suggest, one an image and label; `drop` goes before others."""
        best: dict[tuple[str, str], Correction] = {}
        for finding in self.findings:
            for item in finding.items:
                for fix in item.fixes:
                    key = (fix.path, fix.label)
                    if key not in best or (fix.action == "drop" and best[key].action != "drop"):
                        best[key] = dataclasses.replace(fix, code=finding.code)
        return tuple(best.values())

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``check --json``; `reasons` says why a check is not applicable."""
        return {
            "images": self.images,
            "classes": self.classes,
            "findings": [finding.as_dict() for finding in self.findings],
            "not_applicable": [code for code, _ in self.not_applicable],
            "reasons": dict(self.not_applicable),
            "notes": list(self.notes),
        }


def audit(
    dataset: Dataset,
    setting: Setting | None = None,
    *,
    corrections: Sequence[Correction] = (),
) -> Audit:
    """Run every check over a data set; all of its splits are looked at.

    Parameters
    ----------
    dataset
        Labelled images, corrections applied.
    setting
        Backbone, weights, size (an option), seed, cache and progress, as for the recipe linear-probe; so the
        features that the audit computes serve training, too.
    corrections
        Those that were applied. Where one says ``keep``, the finding that it names is not raised again for
        that image.

    Raises
    ------
    BackboneError
        If the backbone's weights cannot be had.
    """
    evidence = gather(dataset, setting or Setting())
    accepted = {(line.code, line.path) for line in corrections if line.action == "keep"}
    findings, not_applicable = [], []
    for check in CHECKS:
        result = check.check(evidence)
        if isinstance(result, NotApplicable):
            not_applicable.append((check.CODE, result.reason))
        elif result is not None:
            finding = _finding(check, result, accepted)
            findings += [finding] if finding is not None else []
    return Audit(
        images=len(dataset),
        classes=len(dataset.classes),
        findings=tuple(findings),
        not_applicable=tuple(not_applicable),
        notes=dataset.notes,
        evidence=evidence,
    )


def gather(dataset: Dataset, setting: Setting) -> Evidence:
    """Look at every image, compute features, and answer each image by models that had not seen it."""
    seen = look(dataset.paths, cache=setting.cache, progress=setting.progress)
    seen, vectors = _with_features(dataset, seen, setting)
    kept = dataset.take(seen.rows)
    found = likeness(seen.signatures)
    pairs = confirmed(kept.paths, seen.signatures, found).pairs
    groups = partial(duplicate_groups, len(kept), seen.digests, seen.signatures)
    # Held out together, as in training, is also what only looks alike.
    together = groups(kept.groups, found.pairs)
    answers = None if vectors is None else _answers(kept, together, vectors, setting)
    refused = tuple(
        Refusal(dataset.display(refusal.path), refusal.code, refusal.message) for refusal in seen.refused
    )
    return Evidence(
        dataset=kept,
        classes=dataset.classes,
        refused=(*dataset.refused, *refused),
        sight=seen,
        alike=groups(pairs=pairs),
        twins=twins(seen.signatures, pairs),
        held_out=answers,
    )


def _with_features(
    dataset: Dataset, seen: Sight, setting: Setting
) -> tuple[Sight, NDArray[np.float32] | None]:
    """The features that errors show in; None where there are no two classes to tell apart.

    Features that are not needed are let go of here: of 10,000 images they take a quarter of a gigabyte.
    """
    kept = dataset.take(seen.rows)
    if len(kept.classes) < 2:
        return seen, None
    body = linear_probe.body(setting)
    features = setting.extract(kept.paths, body)
    if len(features.rows) < len(kept):  # a file has changed in between
        seen = _part(seen, features)
    return seen, deep_features(features.vectors, body.depths)


def _answers(
    kept: Dataset, groups: NDArray[np.int64], vectors: NDArray[np.float32], setting: Setting
) -> HeldOut | None:
    setting.progress("doubting labels", 0, 1)
    answers = held_out(vectors, kept.labels, groups, setting.seed)
    setting.progress("doubting labels", 1, 1)
    return answers


def _part(seen: Sight, features: Features) -> Sight:
    """What was seen in the images that have features."""
    rows = features.rows
    place = {int(row): new for new, row in enumerate(rows.tolist())}
    return dataclasses.replace(
        seen,
        rows=seen.rows[rows],
        digests=tuple(seen.digests[row] for row in rows.tolist()),
        signatures=seen.signatures[rows],
        facts=seen.facts[rows],
        mismatches=tuple((place[row], sentence) for row, sentence in seen.mismatches if row in place),
        refused=(*seen.refused, *features.refused),
    )


def _finding(check: Check, found: Found, accepted: set[tuple[str, str]]) -> Finding | None:
    """A check's result under its code, without what a person has accepted."""
    items = tuple(item for item in found.items if not _accepted(check.CODE, item, accepted))
    if not items:
        return None
    whole = len(items) == len(found.items)
    paths = len(dict.fromkeys(path for item in items for path in item.paths))
    message = (
        found.message if whole else f"{found.message} ({len(found.items) - len(items)} of them accepted)"
    )
    count = found.count if whole and found.count is not None else paths
    return Finding(check.CODE, check.TITLE, check.SEVERITY, count, message, items)


def _accepted(code: str, item: Item, accepted: set[tuple[str, str]]) -> bool:
    return bool(item.paths) and any((code, path) in accepted for path in item.paths)
