"""What the learning half needs that follows from where it runs."""

from fieldguide.files import cache_folder
from fieldguide.progress import Progress
from fieldguide.recipes.common import Run


def run_with(progress: Progress) -> Run:
    """A run whose features are kept in the user's cache folder, so that each photo costs one pass."""
    return Run(cache=cache_folder() / "features", progress=progress)
