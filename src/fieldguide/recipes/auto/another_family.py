"""A backbone of another family, which `auto` tries where it is on this machine, or may be downloaded."""

from collections.abc import Sequence

from fieldguide.backbones.catalogue import Backbone, find, usable_offline
from fieldguide.backbones.side_by_side import export_joined
from fieldguide.errors import FieldguideError
from fieldguide.recipes.auto.candidates import (
    LEAST_SECONDS,
    CandidateMaterial,
    Found,
    NoTime,
    OmittedCandidate,
    PossibleCandidate,
    head_seconds,
    pass_seconds,
    probe_name,
    probe_of,
)
from fieldguide.recipes.auto.trial import FittedCandidate

OTHERS = ("dinov2_vits14", "efficientnet_b0", "mobilenet_v3_large")
"""The first of these that is on this machine is tried; the first of all may be downloaded. They need no
torch, and their licences allow every use."""


def another_family(material: CandidateMaterial, trials: Sequence[FittedCandidate]) -> Found:
    """A linear probe of a network that learned from other images or in another way, at its own size."""
    options = material.options
    if options.backbone is not None or options.weights is not None:
        return OmittedCandidate("a backbone of another family: this one was chosen by hand")
    wanted = find(OTHERS[0])
    at_hand = [backbone for backbone in map(find, OTHERS) if usable_offline(backbone)]
    if not at_hand and not options.settings.get("download"):
        return OmittedCandidate(f"{_described(wanted)}: is not on this machine; --download fetches it")
    if not material.enough(LEAST_SECONDS):
        return NoTime()
    if options.settings.get("download") and wanted not in at_hand:
        material.run.progress(f"--download: {_described(wanted)}", 1, 1)  # said before it is fetched
        at_hand = [wanted]
    return _probe_of(at_hand[0], material, trials)


def _probe_of(
    backbone: Backbone, material: CandidateMaterial, trials: Sequence[FittedCandidate]
) -> PossibleCandidate | OmittedCandidate:
    try:
        body = export_joined(backbone.name, progress=material.run.progress)
    except FieldguideError as error:  # no connection, a full disk: what is there already is a finished model
        return OmittedCandidate(f"{_described(backbone)}: {error}")
    size = body.preprocessing.size
    seconds = pass_seconds(body, material) * len(material.dataset) + head_seconds(trials[0], body)
    return PossibleCandidate(
        probe_name(backbone.name, size), seconds, lambda: probe_of(backbone.name, size, material)
    )


def _described(backbone: Backbone) -> str:
    return (
        f"{backbone.name} ({backbone.megabytes:.0f} MB, licence {backbone.licence}, "
        f"from the {backbone.source})"
    )
