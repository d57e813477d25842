"""Photos as the model sees them, laid out on a plane: what looks alike to it lies together.

The plane is scikit-learn's t-SNE (van der Maaten and Hinton 2008) of the first principal components. UMAP
and PaCMAP draw maps as good, but compile themselves with Numba first: for 2,000 photos that took umap-learn
0.5 three to five times as long as t-SNE needs in all, and a large installation; scikit-learn is there for
whoever has trained.
"""

import numpy as np
from numpy.typing import NDArray

from fieldguide import page_figures
from fieldguide.page_blocks import Block, Drawing, Notice, Point, PointMap, Section
from fieldguide.page_thumbnails import sheet
from fieldguide.report.material import Material, named, percent

FEWEST = 12
"""Photos below which there is nothing to lay out."""
COMPONENTS = 30
PERPLEXITY = 30.0
SEED = 0
MOST_COLOURS = len(page_figures.COLOURS)


def section(material: Material) -> Section | None:
    """The map, or what to install for it."""
    lead = (
        "Each point is a photo; photos that look alike to the model lie together. Point at one to see it. "
        "Mistakes inside a foreign cluster are often wrong labels; where two clusters touch, classes are "
        "mixed up."
    )
    features, rows = material.witness.features, material.witness.rows
    if len(rows) < FEWEST:
        return None
    blocks: list[Block]
    try:
        import sklearn  # noqa: F401
    except ImportError:
        text = "The map needs scikit-learn, which is not installed."
        blocks = [Notice(text, ("pip install 'fieldguide[report]'",))]
    else:
        blocks = [_map(material, laid_out(features), rows)]
    return Section("map", "The photos as the model sees them", lead, blocks)


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

    directions = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    components = min(COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=SEED).fit_transform(directions.astype(np.float64))
    spread = float(reduced[:, 0].std())
    if spread <= 1e-9:  # all alike: one place
        return np.full((len(features), 2), 0.5)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    places = TSNE(
        perplexity=perplexity, init=reduced[:, :2] / spread * 1e-4, random_state=SEED
    ).fit_transform(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12), dtype=np.float64)


def _map(material: Material, places: NDArray[np.float64], rows: list[int]) -> PointMap:
    out = material.outcomes
    points = tuple(
        Point(
            float(x),
            float(y),
            int(out.truth[row]),
            int(out.predicted[row]),
            float(out.confidence[row]),
            material.shown(row),
        )
        for (x, y), row in zip(places, rows, strict=True)
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
        groups=material.classes,
        sheet=sheet(material.witness.tiles),
        drawing=_drawing(material, points),
    )


def _drawing(material: Material, points: tuple[Point, ...]) -> Drawing:
    """The same map for saving: the first classes by colour and mark, mistakes ringed."""
    with page_figures.style():
        figure, axes = page_figures.axes(8.5, 6.2)
        for number, name in enumerate(material.classes):
            own = [(point.x, point.y) for point in points if point.group == number]
            if own:
                x, y = zip(*own, strict=True)
                colour = page_figures.COLOURS[number % MOST_COLOURS]
                mark = page_figures.MARKS[number // MOST_COLOURS % len(page_figures.MARKS)]
                label = named(name) if number < 4 * MOST_COLOURS else None
                axes.scatter(x, y, 16, color=colour, marker=mark, linewidth=0, alpha=0.8, label=label)
        wrong = [(point.x, point.y) for point in points if point.group != point.answer]
        if wrong:
            x, y = zip(*wrong, strict=True)
            axes.scatter(
                x, y, 42, facecolor="none", edgecolor=page_figures.INK, linewidth=0.9, label="mistake"
            )
        axes.set(xticks=[], yticks=[])
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return page_figures.Plot(figure)
