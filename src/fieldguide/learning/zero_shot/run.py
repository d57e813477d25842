"""From class names to a model file: the texts' weights, and the promises that photos allow."""

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.encoders.export import columns_beside_texts, export_encoder
from fieldguide.backbones.encoders.text import embedded
from fieldguide.backbones.export import folder_with_texts
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features, extract
from fieldguide.data.dataset import Data, Dataset, open_dataset
from fieldguide.data.scan import shown_names
from fieldguide.errors import DataError, Refusal
from fieldguide.evaluation.result import Evaluation, Outcomes, measure
from fieldguide.files import atomic_write
from fieldguide.heads.linear_head import as_ranking
from fieldguide.heads.onnx_heads import with_promises
from fieldguide.heads.promises import Promises, promise
from fieldguide.heads.text_head import (
    SHARES,
    CosineClassifier,
    Pools,
    cosine_model,
    of_texts,
    pooled,
    without_promises,
)
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.learning.checks import check_writable
from fieldguide.learning.zero_shot.card import ZeroShotFacts, zero_shot_card
from fieldguide.learning.zero_shot.photos import (
    MOST_VIEWS,
    Reference,
    fit_reference,
    second_views,
    temperature_by_agreement,
)
from fieldguide.learning.zero_shot.prompts import ClassTexts, class_texts
from fieldguide.learning.zero_shot.result import ZeroShotOptions, ZeroShotResult
from fieldguide.modelfile.graph import (
    Ranking,
    join,
    model_file,
    pretrained_head_model,
    read_model,
    scored_head_model,
)
from fieldguide.prediction.inputs import find_inputs


def zero_shot(wanted: ZeroShotOptions) -> ZeroShotResult:
    """Write a model file of class names.

    Raises
    ------
    OptionError
        If names or prompts cannot be used.
    BackboneError
        If there is no encoder of images and texts, or it does not run.
    DataError
        If photos are given and cannot be used.
    OutputError
        If the model file cannot be written.
    """
    check_writable(wanted.out)
    names = class_texts(wanted.classes, wanted.prompts)
    with ExitStack() as stack:
        return _ZeroShotRun(wanted, names, stack).run()


@dataclass(frozen=True)
class _Learned:
    """Photos as they are used."""

    paths: tuple[str, ...]
    features: Features
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    numbers: NDArray[np.int64] | None = None
    """Class numbers, where there are labels."""
    groups: tuple[str, ...] | None = None


class _ZeroShotRun:
    """One run: everything that several of its steps need."""

    def __init__(self, wanted: ZeroShotOptions, names: ClassTexts, stack: ExitStack) -> None:
        self._wanted, self._names, self._stack = wanted, names, stack
        folder = folder_with_texts(wanted.backbone, wanted.progress)
        vectors = names.vectors(embedded(folder, names.flat(), wanted.progress))
        self._backbone = _named(export_encoder(folder), wanted.backbone)
        self._texts = of_texts(vectors, columns_beside_texts(self._backbone, vectors.shape[1]))

    def run(self) -> ZeroShotResult:
        photos = self._photos() if self._wanted.photos else None
        labelled = None if self._wanted.labelled is None else self._labelled(self._wanted.labelled)
        if photos is None and labelled is None:
            return self._written(self._alone(), None, (), ())
        unlabelled = photos or labelled
        assert unlabelled is not None, "one of the two is there"
        reference = self._reference(unlabelled)
        used = [one for one in (photos, labelled) if one is not None]
        refused = tuple(refusal for one in used for refusal in one.refused)
        notes = tuple(note for one in used for note in one.notes)
        if labelled is None:
            return self._written(self._by_agreement(unlabelled, reference), None, refused, notes)
        facts, measured = self._by_labels(labelled, reference, own=photos is None)
        return self._written(facts, measured, refused, notes)

    def _photos(self) -> _Learned:
        inputs = find_inputs(self._wanted.photos, stack=self._stack, progress=self._wanted.progress)
        paths = [item for item in inputs.items if isinstance(item, str)]
        files = inputs.files()
        paths += list(files.values())
        early = tuple(item for item in inputs.items if isinstance(item, Refusal))
        return self._looked_at(tuple(paths), early, tuple(inputs.notes), "--photos")

    def _looked_at(
        self, paths: tuple[str, ...], early: tuple[Refusal, ...], notes: tuple[str, ...], what: str
    ) -> _Learned:
        features = extract(paths, self._backbone, cache=self._wanted.cache, progress=self._wanted.progress)
        refused = (*early, *features.refused)
        if len(features.rows) < 2:
            reasons = "; ".join(f"{one.path!r}: {one.message}" for one in refused[:5])
            raise DataError(f"{what}: need two photos that can be read, got {len(features.rows)}; {reasons}")
        return _Learned(tuple(paths[row] for row in features.rows), features, refused, notes)

    def _labelled(self, data: Data) -> _Learned:
        opened = open_dataset(data, minimum_classes=1, progress=self._wanted.progress)
        dataset = _without_test(self._stack.enter_context(opened))
        known = {name: number for number, name in enumerate(self._names.classes)}
        other = self._names.background
        numbers = [known.get(label, other) for label in dataset.labels]
        rows = [row for row, number in enumerate(numbers) if number is not None]
        foreign = sorted({dataset.labels[row] for row in range(len(numbers)) if numbers[row] is None})
        if not rows:
            raise DataError(
                f"{dataset.called}: none of its labels ({', '.join(foreign[:5])}) is among the classes "
                f"({', '.join(self._names.classes[:5])}); names must be written the same"
            )
        left_out = f"{len(numbers) - len(rows)} photos left out, of no class here: {shown_names(foreign)}"
        part = dataset.take(rows)
        notes = (*dataset.notes, *((left_out,) if foreign else ()))
        found = self._looked_at(part.paths, dataset.refused, notes, str(dataset.root))
        own = np.array([numbers[row] for row in rows], dtype=np.int64)[found.features.rows]
        groups = None if part.groups is None else tuple(part.groups[row] for row in found.features.rows)
        shown = tuple(dataclasses.replace(one, path=dataset.display(one.path)) for one in found.refused)
        return dataclasses.replace(found, numbers=own, groups=groups, refused=shown)

    def _reference(self, learned: _Learned) -> Reference:
        believed = self._texts.scores(learned.features.vectors).argmax(1).astype(np.int64)
        numbers = believed if learned.numbers is None else learned.numbers
        return fit_reference(learned.features, numbers, self._backbone, self._wanted.seed, learned.groups)

    def _alone(self) -> ZeroShotFacts:
        width = self._backbone.features
        head = pretrained_head_model(len(self._names.classes), width)
        return ZeroShotFacts(without_promises(cosine_model(self._texts, width), head), self._how())

    def _by_agreement(self, learned: _Learned, reference: Reference) -> ZeroShotFacts:
        count = len(learned.paths)
        some = np.random.default_rng(self._wanted.seed).permutation(count)[:MOST_VIEWS]
        again = second_views([learned.paths[row] for row in some], self._backbone, self._wanted.progress)
        scores = self._texts.scores(learned.features.vectors[some])
        temperature, share = temperature_by_agreement(scores, self._texts.scores(again))
        said = (
            f"temperature {temperature:.3g}: no surer on average than {share:.0%}, the share of {len(some)} "
            "photos whose answer stayed when the middle of the photo, mirrored, was shown"
        )
        even = np.zeros(len(self._names.classes))
        model = self._promised(self._texts, reference, (temperature, even), None)
        return ZeroShotFacts(model, (*self._how(), said), unlabelled=count)

    def _by_labels(
        self, learned: _Learned, reference: Reference, *, own: bool
    ) -> tuple[ZeroShotFacts, Evaluation]:
        assert learned.numbers is not None, "these photos have labels"
        truth, pools = learned.numbers, self._pools(learned, reference, own=own)
        even = np.full(len(self._names.classes), 1 / len(self._names.classes))
        # Where others are the reference, these photos calibrate and nothing is ranked by their distances.
        distances = reference.distances if own else np.zeros(len(truth))
        promises = promise(pools.scores, truth, even, distances)
        calibrated, chosen = promises.calibrated, pools.classifiers[promises.chosen]
        ranking = as_ranking(promises.ranking) if own else None
        model = self._promised(chosen, reference, (calibrated.temperature, calibrated.log_priors), ranking)
        measured = measure(self._outcomes(learned, promises, reference, own=own), self._names.classes)
        said = (*self._how(), _pool_summary(pools, promises), *promises.summary()[:2])
        facts = ZeroShotFacts(
            model,
            said,
            unlabelled=0 if own else len(reference.distances),
            labelled=truth,
            set_threshold=promises.set_threshold,
            class_set_thresholds=promises.class_thresholds,
            measured=measured,
            digests=learned.features.digests,
        )
        return facts, measured

    def _pools(self, learned: _Learned, reference: Reference, *, own: bool) -> Pools:
        """Texts alone where a class has no two photos to learn from and hold out."""
        truth, vectors = learned.numbers, learned.features.vectors
        assert truth is not None, "these photos have labels"
        alone = Pools((self._texts,), (self._texts.scores(vectors),))
        if np.bincount(truth, minlength=len(self._names.classes)).min() < 2:
            return alone
        folds = reference.folds if own else self._reference(learned).folds
        return pooled(self._texts, vectors, truth, folds)

    def _outcomes(
        self, learned: _Learned, promises: Promises, reference: Reference, *, own: bool
    ) -> Outcomes:
        assert learned.numbers is not None, "these photos have labels"
        typicality = promises.typicality if own else reference.typicality(learned.features.vectors)
        return Outcomes.of(
            learned.numbers[promises.known],
            promises.probabilities,
            typicality,
            set_threshold=promises.set_floors,
            unknown_threshold=UNKNOWN_THRESHOLD,
        )

    def _promised(
        self,
        classifier: CosineClassifier,
        reference: Reference,
        calibrated: tuple[float, NDArray[np.float64]],
        ranking: Ranking | None,
    ) -> Any:
        width = self._backbone.features
        head = scored_head_model(reference.distance, width, *calibrated, ranking=ranking)
        return with_promises(cosine_model(classifier, width), head)

    def _how(self) -> tuple[str, ...]:
        texts = ", ".join(repr(text) for text in self._names.flat()[:3])
        more = len(self._names.flat()) - 3
        return (f"compared with the texts {texts}" + (f" and {more} more" if more > 0 else ""),)

    def _written(
        self,
        facts: ZeroShotFacts,
        measured: Evaluation | None,
        refused: tuple[Refusal, ...],
        notes: tuple[str, ...],
    ) -> ZeroShotResult:
        card = zero_shot_card(facts, self._names, self._backbone)
        network = join(read_model(self._backbone.path), facts.head, ("features",))
        content = model_file(network, self._backbone.preprocessing, card)
        with atomic_write(self._wanted.out) as file:
            file.write(content)
        return ZeroShotResult(self._wanted.out, card, measured, refused, notes)


def _named(backbone: ExportedBackbone, asked: str) -> ExportedBackbone:
    """A name of the catalogue instead of the hub's folder."""
    return backbone if "/" in asked else dataclasses.replace(backbone, name=asked)


def _without_test(dataset: Dataset) -> Dataset:
    """The labelled photos; of splits, a test split is never opened."""
    labelled = dataset.labelled()
    return labelled if labelled.splits is None else labelled.select("train")


def _pool_summary(pools: Pools, promises: Promises) -> str:
    if len(pools.classifiers) == 1:
        return "class names alone decide: not every class has two labelled photos to learn from"
    share = SHARES[promises.chosen]
    tried = ", ".join(f"{one:.0%}: {loss:.3f}" for one, loss in zip(SHARES, promises.losses, strict=True))
    how = f"labelled photos count for {share:.0%}, class names for the rest"
    return f"{how}: lowest cross-validated log loss ({tried})"
