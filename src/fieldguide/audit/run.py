"""The audit before training: what is wrong with the data, as findings.

images ──look──▶ facts, digests, look-alikes ──┐
images ──extract──▶ features ──held_out──▶ answers of models that had not seen the image ──┤
                                                                             checks ◀──────┘ ──▶ findings
"""

import dataclasses
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.checks import checks_for
from fieldguide.audit.checks.common import Check, Evidence, Finding, Found, Item, NotApplicable
from fieldguide.audit.out_of_fold import HeldOut, deep_features, held_out
from fieldguide.audit.tag_answers import TagAnswers, tag_answers
from fieldguide.backbones.extraction import Features
from fieldguide.data.corrections import Correction, add_corrections, write_corrections
from fieldguide.data.dataset import Dataset
from fieldguide.data.duplicate_groups import duplicate_index
from fieldguide.data.duplicate_verification import confirmed
from fieldguide.data.duplicates import similar_pairs
from fieldguide.data.image_facts import ImageFacts, facts_of
from fieldguide.data.plausibility.deep_grey import deep_grey_doubt
from fieldguide.data.splits import duplicate_groups
from fieldguide.errors import Refusal
from fieldguide.files import keep_backup
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.progress import Progress
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.tags import Tags


@dataclass(frozen=True, repr=False)
class Findings(DisplayMixin, PlotMixin, TableMixin):
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
    data: str | None = None
    """What the person calls the data; None where nobody said."""
    corrections: tuple[Correction, ...] = dataclasses.field(default=(), repr=False)
    """Corrections that were applied before."""

    @property
    def issues(self) -> tuple[Finding, ...]:
        """Findings that say that something is wrong."""
        return tuple(finding for finding in self.findings if finding.severity == "issue")

    @property
    def fixes(self) -> tuple[Correction, ...]:
        """The corrections that the findings suggest, one an image and label or tag; `drop` before others."""
        best: dict[tuple[str, str], Correction] = {}
        for finding in self.findings:
            for item in finding.items:
                for fix in item.fixes:
                    known = best.get(fix.about)
                    if known is None or (fix.action == "drop" and known.action != "drop"):
                        best[fix.about] = dataclasses.replace(fix, code=finding.code)
        return tuple(best.values())

    def save_fixes(self, path: str | os.PathLike[str], *, force: bool = False) -> "SavedFixes":
        """Write the suggested corrections as a table, to be looked through and given to ``train``.

        What was corrected before stays corrected: the table holds those corrections, too.

        Parameters
        ----------
        path
            A table that is there already keeps its lines, for a person may have edited them.
        force
            Write it anew all the same, the old one kept as a backup.

        Raises
        ------
        DataError
            If a file is there that is no table of corrections.
        OutputError
            If it cannot be written.
        """
        out, table = Path(path), (*self.corrections, *self.fixes)
        if out.is_file() and not force:
            return SavedFixes(*add_corrections(table, out))
        backup = keep_backup(out)
        write_corrections(table, out)
        return SavedFixes(0, len(table), backup)

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``check --json``; `reasons` says why a check is not applicable."""
        named = {} if self.data is None else {"data": self.data}
        return {
            **named,
            "images": self.images,
            "classes": self.classes,
            "findings": [finding.as_dict() for finding in self.findings],
            "not_applicable": [code for code, _ in self.not_applicable],
            "reasons": dict(self.not_applicable),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class SavedFixes:
    """What writing a table of corrections did."""

    kept: int
    """Lines that were there and stayed."""
    added: int
    """Lines written."""
    backup: Path | None = None
    """Where the table that was there before is kept."""


def audit(
    dataset: Dataset,
    options: Options | None = None,
    run: Run | None = None,
    *,
    corrections: Sequence[Correction] = (),
) -> Findings:
    """Run every check over a data set; all of its splits are looked at.

    Parameters
    ----------
    dataset
        Labelled images, corrections applied.
    options
        Backbone, weights, size (a setting) and seed, as for the recipe linear-probe; so the features that the
        audit computes serve training, too.
    run
        Cache and progress.
    corrections
        Those that were applied. Where one says ``keep``, the finding that it names is not raised again for
        that image.

    Raises
    ------
    BackboneError
        If the backbone's weights cannot be had.
    """
    evidence = gather(dataset, options or Options(), run or Run())
    kept = [line for line in corrections if line.action == "keep"]
    accepted: set[tuple[str, ...]] = {(line.code, line.path) for line in kept}
    accepted |= {(line.code, *line.about) for line in kept}
    findings, not_applicable = [], []
    for check in checks_for(dataset.task):
        result = check.check(evidence)
        if isinstance(result, NotApplicable):
            not_applicable.append((check.CODE, result.reason))
        elif result is not None:
            finding = _finding(check, result, accepted)
            findings += [finding] if finding is not None else []
    return Findings(
        images=len(dataset),
        classes=len(dataset.classes),
        findings=tuple(findings),
        not_applicable=tuple(not_applicable),
        notes=dataset.notes,
        evidence=evidence,
        data=dataset.name or None,
        corrections=tuple(corrections),
    )


def gather(dataset: Dataset, options: Options, run: Run) -> Evidence:
    """Look at every image, compute features, and answer each image by models that had not seen it."""
    deep = deep_grey_doubt(dataset.paths)
    dataset = dataclasses.replace(dataset, doubts=(*dataset.doubts, *([deep] if deep else ())))
    seen = facts_of(dataset.paths, cache=run.cache, progress=run.progress)
    seen, vectors = _with_features(dataset, seen, options, run)
    kept = dataset.take(seen.rows)
    found = similar_pairs(seen.signatures)
    pairs = confirmed(kept.paths, seen.signatures, found).pairs
    groups = partial(duplicate_groups, len(kept), seen.digests, seen.signatures)
    # Held out together, as in training, is also what only looks alike.
    together = groups(kept.groups, found.pairs)
    answers = None if vectors is None else _answers(kept, together, vectors, options.seed, run.progress)
    refused = tuple(
        Refusal(dataset.display(refusal.path), refusal.code, refusal.message) for refusal in seen.refused
    )
    return Evidence(
        dataset=kept,
        classes=dataset.classes,
        refused=(*dataset.refused, *refused),
        image_facts=seen,
        alike=groups(pairs=pairs),
        duplicates=duplicate_index(seen.signatures, pairs),
        held_out=None if isinstance(answers, TagAnswers) else answers,
        tag_answers=answers if isinstance(answers, TagAnswers) else None,
    )


def _with_features(
    dataset: Dataset, seen: ImageFacts, options: Options, run: Run
) -> tuple[ImageFacts, NDArray[np.float32] | None]:
    """The features that errors show in; None where there are no two classes to tell apart.

    Features that are not needed are let go of here: of 10,000 images they take a quarter of a gigabyte.
    """
    kept = dataset.take(seen.rows)
    if len(kept.classes) < 2:
        return seen, None
    body = linear_probe.body(options, run)
    features = run.extract(kept.paths, body)
    if len(features.rows) < len(kept):  # a file has changed in between
        seen = _part(seen, features)
    return seen, deep_features(features.vectors, body.depths)


def _answers(
    kept: Dataset,
    groups: NDArray[np.int64],
    vectors: NDArray[np.float32],
    seed: int,
    progress: Progress,
) -> HeldOut | TagAnswers | None:
    progress("doubting labels", 0, 1)
    answers: HeldOut | TagAnswers | None
    if kept.tags is None:
        answers = held_out(vectors, kept.labels, groups, seed)
    else:
        answers = tag_answers(vectors, [one or Tags() for one in kept.tags], groups, seed)
    progress("doubting labels", 1, 1)
    return answers


def _part(seen: ImageFacts, features: Features) -> ImageFacts:
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


def _finding(check: Check, found: Found, accepted: set[tuple[str, ...]]) -> Finding | None:
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


def _accepted(code: str, item: Item, accepted: set[tuple[str, ...]]) -> bool:
    """Whether a person has looked at one of the images, or at the very tag that the item is about."""
    tags = {fix.about for fix in item.fixes if fix.action in ("add", "remove")}
    if tags:
        return any((code, *about) in accepted for about in tags)
    return any((code, path) in accepted for path in item.paths)


def __getattr__(name: str) -> Any:
    """Keep the former name of :class:`Findings` for whoever imports it."""
    if name != "Audit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("Audit is called Findings now; import that", DeprecationWarning, stacklevel=2)
    return Findings
