"""Photos as the model sees them, laid out on a plane: what looks alike to it lies together.

The plane is scikit-learn's t-SNE (van der Maaten and Hinton 2008) of the first principal components. UMAP and
PaCMAP draw maps as good, but compile themselves with Numba first: in a fresh process, 2,000 photos took
umap-learn 0.5 22 s of CPU and this 7 s; and scikit-learn is there for whoever has trained.
"""

import importlib.util
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.installation import command_for
from fieldguide.report import figures
from fieldguide.report.blocks import Block, Drawing, Notice, Point, PointMap, Section
from fieldguide.report.material import CommonMaterial, ReportData, named, percent
from fieldguide.report.sprite_sheet import sheet

FEWEST = 12
"""Photos below which there is nothing to lay out."""
COMPONENTS = 30
PERPLEXITY = 30.0
SEED = 0
MOST_COLOURS = len(figures.COLOURS)


@dataclass(frozen=True)
class MapGroups:
    """Which group each image belongs to on the map, and which one it was answered."""

    names: tuple[str, ...]
    truth: NDArray[np.int64]
    """Number of the true group of each image, of shape (n_images,)."""
    answers: NDArray[np.int64]
    """Of the same shape; another number than the truth's is a mistake."""
    confidence: NDArray[np.float64]
    """Of the same shape, from 0 to 1."""
    called: tuple[str, str] = ("class", "classes")
    """What a group is called, and several."""


def section(material: ReportData) -> Section | None:
    """The map, or what to install for it."""
    lead = (
        "The photos as the model sees them: each point is one, and what looks alike to it lies together. "
        "Point at one to see it. Mistakes inside a foreign cluster are often wrong labels; where two "
        "clusters touch, classes are mixed up."
    )
    out = material.outcomes
    return map_of(material, MapGroups(material.classes, out.truth, out.predicted, out.confidence), lead)


def map_of(material: CommonMaterial, groups: MapGroups, lead: str) -> Section | None:
    """A map of photos by their groups, or what to install for it; None with too few photos."""
    features, rows = material.witness.features, material.witness.rows
    if len(rows) < FEWEST:
        return None
    blocks: list[Block]
    if importlib.util.find_spec("sklearn") is None:
        text = "The map needs scikit-learn, which is not installed."
        blocks = [Notice(text, command_for("report"))]
    else:
        blocks = [_map(material, groups, laid_out(features))]
    return Section("map", "Embedding map", lead, blocks)


def laid_out(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Lay images out on a plane.

    Parameters
    ----------
    features
        Of shape (n_images, n_features), at least :data:`FEWEST`.

    Returns
    -------
    ndarray of shape (n_images, 2)
        From 0 to 1. The same features give the same map.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # scikit-learn brings it

    directions = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    if float(np.ptp(directions, axis=0).max()) <= 1e-9:  # all alike: one place
        return np.full((len(features), 2), 0.5)
    components = min(COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=SEED).fit_transform(directions.astype(np.float64))
    spread = max(float(reduced[:, 0].std()), 1e-12)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init=reduced[:, :2] / spread * 1e-4, random_state=SEED)
    # It waits for all threads a thousand times, and OpenMP's wait by spinning: beside
    # other work two threads took five times as long as one for 500 photos, longer for 2,000 (docs/log.md).
    with threadpool_limits(1):
        places = layout.fit_transform(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12), dtype=np.float64)


def _map(material: CommonMaterial, groups: MapGroups, places: NDArray[np.float64]) -> PointMap:
    points = tuple(
        Point(
            float(x),
            float(y),
            int(groups.truth[row]),
            int(groups.answers[row]),
            float(groups.confidence[row]),
            material.shown(row),
        )
        for (x, y), row in zip(places, material.witness.rows, strict=True)
    )
    wrong = sum(point.group != point.answer for point in points)
    some = f"{len(points):,} of {material.evaluation.n:,} photos, drawn at random; " * (
        len(points) < material.evaluation.n
    )
    return PointMap(
        name="map",
        alt=f"Map of {len(points):,} photos by likeness; {percent(wrong / len(points))} are mistakes.",
        caption=f"{some}t-SNE of what the model's last layer sees. Near means alike; far says little.",
        points=points,
        groups=groups.names,
        sheet=sheet(material.witness.tiles),
        drawing=_drawing(groups.names, points),
        called=groups.called,
    )


def _drawing(names: tuple[str, ...], points: tuple[Point, ...]) -> Drawing:
    """The same map for saving: the first classes by colour and mark, mistakes ringed."""
    with figures.style():
        figure, axes = figures.axes(8.5, 6.2)
        for number, name in enumerate(names):
            own = [(point.x, point.y) for point in points if point.group == number]
            if own:
                x, y = zip(*own, strict=True)
                colour = figures.COLOURS[number % MOST_COLOURS]
                mark = figures.MARKS[number // MOST_COLOURS % len(figures.MARKS)]
                label = named(name) if number < 4 * MOST_COLOURS else None
                axes.scatter(x, y, 16, color=colour, marker=mark, linewidth=0, alpha=0.8, label=label)
        wrong = [(point.x, point.y) for point in points if point.group != point.answer]
        if wrong:
            x, y = zip(*wrong, strict=True)
            axes.scatter(x, y, 42, facecolor="none", edgecolor=figures.INK, linewidth=0.9, label="mistake")
        axes.set(xticks=[], yticks=[])
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return figures.Plot(figure)
