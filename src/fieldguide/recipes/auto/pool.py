"""A pool of several trials as one model: one square of pixels, every part once, and promises of its own."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fieldguide.backbones.classical.export import NAME as CLASSICAL
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.side_by_side import JOINT, joined
from fieldguide.heads.promises import Promises, promise
from fieldguide.recipes.auto.choice import ModelPool
from fieldguide.recipes.auto.pool_head import PoolHead, PoolMember, pool_head_model
from fieldguide.recipes.auto.trial import FittedCandidate, places_of
from fieldguide.recipes.common import Fitted, OutOfFold
from fieldguide.recipes.labelled_features import card_of


def fitted_pool(trials: Sequence[FittedCandidate], pool: ModelPool) -> Fitted:
    """Join the members of a pool into one network.

    The pooled probabilities are calibrated once more, and prediction sets rest on them. Typicality is that of
    the member with the largest weight, of those that stand on a pretrained network where there are such.
    """
    members = [trials[number].fitted for number in pool.members]
    bodies = [_body(member) for member in members]
    parts = tuple({part.digest: part for body in bodies for part in _parts(body)}.values())
    body = joined(JOINT.join(part.name for part in parts), parts)
    judge = _typical(members, pool)
    held = members[judge].out_of_fold
    typicality = held.typicality[places_of(pool.rows, held.rows)]
    even = np.full(pool.scores.shape[1], 1 / pool.scores.shape[1])  # the scores hold the shares already
    promises = promise([pool.scores], pool.labels, even, -typicality)
    head = pool_head_model(
        PoolHead(
            members=[
                PoolMember(member.head, _places(own, parts), weight)
                for member, own, weight in zip(members, bodies, pool.weights, strict=True)
            ],
            widths=[part.features for part in parts],
            kind=pool.kind,
            typicality=judge,
            temperature=promises.calibrated.temperature,
            classes=pool.scores.shape[1],
        )
    )
    return dataclasses.replace(
        members[0],
        body=body,
        head=head,
        preprocessing=body.preprocessing,
        backbone=card_of(body),
        set_threshold=promises.set_threshold,
        class_set_thresholds=promises.class_thresholds,
        out_of_fold=OutOfFold(pool.rows, pool.labels, promises.probabilities, typicality),
        choices=(*_choices([trials[number] for number in pool.members]), *_summary(promises)),
        made_with=tuple(dict.fromkeys(name for member in members for name in member.made_with)),
        side=next((member.side for member in members if member.side is not None), None),
    )


def _body(fitted: Fitted) -> ExportedBackbone:
    assert isinstance(fitted.body, ExportedBackbone), "only trials on exported backbones are pooled"
    return fitted.body


def _parts(body: ExportedBackbone) -> tuple[ExportedBackbone, ...]:
    return body.parts or (body,)


def _places(own: ExportedBackbone, parts: tuple[ExportedBackbone, ...]) -> tuple[int, ...]:
    digests = [part.digest for part in parts]
    return tuple(digests.index(part.digest) for part in _parts(own))


def _typical(members: Sequence[Fitted], pool: ModelPool) -> int:
    """The member whose typicality is taken."""
    return max(
        range(len(members)),
        key=lambda place: (_body(members[place]).name != CLASSICAL, pool.weights[place], -place),
    )


def _choices(members: Sequence[FittedCandidate]) -> tuple[str, ...]:
    """What each member has chosen; what all say alike once."""
    told: dict[str, list[str]] = {}
    for member in members:
        for choice in member.fitted.choices:
            told.setdefault(choice, []).append(member.name)
    return tuple(
        choice if len(names) == len(members) else f"{' and '.join(names)}: {choice}"
        for choice, names in told.items()
    )


def _summary(promises: Promises) -> tuple[str, ...]:
    return tuple(f"pool: {sentence}" for sentence in promises.summary())
