"""What `auto` may try after the first probe, in this order: what each costs, and when it is left out."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fieldguide import recipes
from fieldguide.backbones.catalogue import usable_names
from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import extract_here, times_as_many_cores
from fieldguide.backbones.side_by_side import JOINT, export_joined
from fieldguide.data.dataset import Dataset
from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.recipes import extra_trees, linear_probe, svm
from fieldguide.recipes.auto.squares import from_square
from fieldguide.recipes.auto.trial import FittedCandidate, evidence_of
from fieldguide.recipes.classical_features import fit_classical
from fieldguide.recipes.common import Fitted, Options, Run

FINETUNE, CNN = "finetune", "cnn"
PROBE = "linear probe"
"""How names of such trials begin."""
OTHER_SIZES = {"fast": (112, 224), "balanced": (192, 352), "best": (224, 384)}
"""Sides in pixels that are tried on a sample beside the preset's own."""
SAMPLE = 400
"""Images of that sample."""
BESIDE = ("efficientnet_lite2", "efficientnet_lite1")
"""Backbones that are put beside the first, one after the other, where they are on this machine."""
TIMED = 12
"""Images that a backbone is timed with."""
SECONDS_AN_IMAGE = {"fast": 0.02, "balanced": 0.04, "best": 0.08}
"""That a classifier on classical features takes on two cores, features included, at most: the upper ends of
workspace/training_estimate.py."""
LEAST_SECONDS = 60.0
"""Left, where a network is to learn."""
FEWEST_FOR_FINETUNING, FEWEST_FROM_SCRATCH = 100, 500
"""Images below which these are not tried."""
SMALL = 64
"""Shorter side in pixels up to which a network from scratch may well be better than a pretrained one."""
LOOKED_AT = 50
"""Images whose size is looked at."""


@dataclass(frozen=True)
class CandidateMaterial:
    """What every candidate is made from."""

    dataset: Dataset
    options: Options
    run: Run
    left: Callable[[], float]
    """Seconds left."""
    by_clock: bool = True
    """Whether the time left decides what is tried."""

    def enough(self, seconds: float) -> bool:
        """Whether so much time is left, where that decides."""
        return not self.by_clock or seconds <= self.left()

    def own(self, **settings: float) -> Options:
        """Options of another recipe."""
        return dataclasses.replace(self.options, backbone=None, weights=None, settings=settings)


@dataclass(frozen=True)
class PossibleCandidate:
    """A way to train that can be tried now."""

    name: str
    seconds: float
    """That it will take, about."""
    fit: Callable[[], Fitted]


@dataclass(frozen=True)
class OmittedCandidate:
    """A way to train that is not tried, and why."""

    reason: str


@dataclass(frozen=True)
class NoTime:
    """Nothing more can be tried in the time that is left."""


Found = PossibleCandidate | OmittedCandidate | NoTime
Step = Callable[[CandidateMaterial, Sequence[FittedCandidate]], Found]


def first(material: CandidateMaterial) -> FittedCandidate:
    """The probe as `linear-probe` comes with the same preset, backbone and size."""
    settings = {name: value for name, value in material.options.settings.items() if name == "size"}
    options = dataclasses.replace(material.options, settings=settings)
    fitted = linear_probe.fit(material.dataset, options, material.run)
    trial = FittedCandidate(PROBE, fitted)
    return FittedCandidate(probe_name(_backbone(trial).name, trial.square), fitted)


def another_size(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
    """The same backbone at the size that is best on a sample."""
    options, base = material.options, _backbone(trials[0])
    if options.backbone is not None or options.weights is not None or options.settings.get("size"):
        return OmittedCandidate("other sizes: backbone or size was chosen by hand")
    sizes = OTHER_SIZES[options.preset]
    sample = _sample(material)
    bodies = {size: export_joined(base.name, size=size, progress=material.run.progress) for size in sizes}
    each = {size: pass_seconds(body, material) for size, body in bodies.items()}
    if not material.enough(sum(each.values()) * len(sample)):
        return NoTime()
    probes = [_sampled(sample, base.name, size, material) for size in (trials[0].square, *sizes)]
    losses = evidence_of(probes).losses
    best = int(losses.mean(1).argmin())
    gain = losses[0] - losses[best]
    tried = ", ".join(
        f"{probe.square}: {loss:.3f}" for probe, loss in zip(probes, losses.mean(1), strict=True)
    )
    if float(gain.mean()) <= float(gain.std()) / len(gain) ** 0.5:
        return OmittedCandidate(
            f"other sizes: on {len(gain)} images none has a lower log loss by more than its error ({tried})"
        )
    size = sizes[best - 1]
    seconds = each[size] * len(material.dataset) + head_seconds(trials[0], bodies[size])
    return PossibleCandidate(
        probe_name(base.name, size), seconds, lambda: probe_of(base.name, size, material)
    )


def beside(number: int) -> Step:
    """Another backbone side by side with those before it."""

    def step(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
        options = material.options
        if options.backbone is not None or options.weights is not None:
            return OmittedCandidate("another backbone: this one was chosen by hand")
        best = _best_probe(trials)
        there = _backbone(best).name.split(JOINT)
        if number and len(there) == len(_backbone(trials[0]).name.split(JOINT)):
            return OmittedCandidate("a third backbone: the second one was no better, or not to be had")
        usable = [name for name in BESIDE if name in usable_names() and name not in there]
        if not usable:
            return OmittedCandidate("another backbone: no other one of this family is on this machine")
        name = JOINT.join((*there, usable[0]))
        # Of those side by side only the one that is new has to be run.
        body = export_joined(name, size=best.square, progress=material.run.progress)
        seconds = pass_seconds(body.parts[-1], material) * len(material.dataset)
        return PossibleCandidate(
            probe_name(name, best.square),
            seconds + head_seconds(trials[0], body),
            lambda: probe_of(name, best.square, material),
        )

    return step


def classical(recipe: Literal["svm", "extra-trees"]) -> Step:
    """A classifier on edges, texture and colour, from the square of the best probe."""

    def step(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
        options = material.own()
        network = from_square(export_classical(), _best_probe(trials).square)

        def fit() -> Fitted:
            learn = svm.learner(options, material.run) if recipe == "svm" else extra_trees.learner(options)
            fitted = fit_classical(material.dataset, options, material.run, learn, network)
            return dataclasses.replace(fitted, made_with=("scikit-learn",))

        return PossibleCandidate(recipe, SECONDS_AN_IMAGE[options.preset] * len(material.dataset), fit)

    return step


def small_from_scratch(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
    """`cnn`, where images are small."""
    omitted = _no_network(CNN, FEWEST_FROM_SCRATCH, material)
    if omitted is None and not _small(material.dataset):
        omitted = OmittedCandidate(f"{CNN}, so early: images are larger than {SMALL} pixels")
    return omitted or _network(CNN, material, share=0.5)


def from_scratch(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
    """`cnn`, where pretrained features are no better than classical ones."""
    omitted = _no_network(CNN, FEWEST_FROM_SCRATCH, material)
    if any(trial.name == CNN for trial in trials):
        omitted = OmittedCandidate(f"{CNN} again: it was tried")
    elif omitted is None and not _unlike_photos(trials):
        omitted = OmittedCandidate(f"{CNN}: pretrained features suit these images")
    return omitted or _network(CNN, material, share=0.9)


def fine_tuned(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
    """`finetune` with most of the time that is left."""
    omitted = _no_network(FINETUNE, FEWEST_FOR_FINETUNING, material)
    if omitted is None and (material.options.backbone is not None or material.options.weights is not None):
        omitted = OmittedCandidate("finetune: the backbone was chosen by hand")
    return omitted or _network(FINETUNE, material, share=0.75)


def _no_network(recipe: str, fewest: int, material: CandidateMaterial) -> OmittedCandidate | None:
    """Why no network can learn here, or None."""
    if not recipes.has_torch():
        return OmittedCandidate(f"{recipe}: needs torch, which is not installed")
    if len(material.dataset) < fewest:
        return OmittedCandidate(f"{recipe}: fewer than {fewest} images")
    return None


def _network(recipe: str, material: CandidateMaterial, share: float) -> PossibleCandidate:
    # DATA's own validation split is left to measure what was chosen among all.
    run = dataclasses.replace(material.run, folder=None, validation=None, report=_unheard)

    def fit() -> Fitted:
        options = material.own(minutes=max(share * material.left(), 1.0) / 60)
        fitted: Fitted = recipes.find(recipe).fit(material.dataset, options, run)
        return fitted

    return PossibleCandidate(recipe, LEAST_SECONDS, fit)


def _unheard(row: Mapping[str, float]) -> None:
    """The passes of a network that may not be taken are no history of the model."""


def probe_of(name: str, size: int, material: CandidateMaterial) -> Fitted:
    """The linear probe of another backbone or size."""
    options = dataclasses.replace(material.options, backbone=name, settings={"size": size})
    fitted = linear_probe.fit(material.dataset, options, material.run)
    chosen = f"backbone {name}, {size} × {size} pixels: one of those that auto tried"
    return dataclasses.replace(fitted, choices=(chosen, *fitted.choices[1:]))


def _sampled(sample: Dataset, name: str, size: int, material: CandidateMaterial) -> FittedCandidate:
    options = dataclasses.replace(material.options, backbone=name, settings={"size": size})
    run = dataclasses.replace(material.run, memory=None)  # which would run over all images
    return FittedCandidate(f"{size}", linear_probe.fit(sample, options, run))


def _sample(material: CandidateMaterial) -> Dataset:
    count = len(material.dataset)
    if count <= SAMPLE:
        return material.dataset
    rows = np.random.default_rng(material.options.seed).choice(count, SAMPLE, replace=False)
    return material.dataset.take(np.sort(rows))


def probe_name(backbone: str, size: int) -> str:
    """What such a trial is called."""
    return f"{PROBE} of {backbone} at {size} pixels"


def _backbone(trial: FittedCandidate) -> ExportedBackbone:
    assert isinstance(trial.fitted.body, ExportedBackbone)
    return trial.fitted.body


def _best_probe(trials: Sequence[FittedCandidate]) -> FittedCandidate:
    probes = [trial for trial in trials if trial.name.startswith(PROBE)]
    return probes[int(evidence_of(probes).losses.mean(1).argmin())]


def pass_seconds(body: ExportedBackbone, material: CandidateMaterial) -> float:
    """Seconds an image, decoding and network: of a few on this machine, by the cores of a cluster."""
    paths = material.dataset.paths[:TIMED]
    extract_here(paths[:2], body)  # opens the network
    started = time.perf_counter()
    extract_here(paths, body)
    return (time.perf_counter() - started) / len(paths) / times_as_many_cores()


def head_seconds(trial: FittedCandidate, body: ExportedBackbone) -> float:
    """Seconds for a head on features of `body`, from those of a trial: they grow with the width's square."""
    return trial.fitted.seconds["head"] * (body.features / _backbone(trial).features) ** 2


def _small(dataset: Dataset) -> bool:
    step = max(1, len(dataset) // LOOKED_AT)
    sides = sorted(side for side in map(_shorter_side, dataset.paths[::step]) if side)
    return bool(sides) and sides[len(sides) // 2] <= SMALL


def _shorter_side(path: str) -> int:
    try:
        return min(open_image(path).size)
    except RefusedInput:
        return 0


def _unlike_photos(trials: Sequence[FittedCandidate]) -> bool:
    """Whether a classical classifier is at least as good as the best probe."""
    whole = [trial for trial in trials if trial.whole]
    losses = evidence_of(whole).losses.mean(1)
    return not whole[int(losses.argmin())].name.startswith(PROBE)
