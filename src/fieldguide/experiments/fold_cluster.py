"""Folds learned by processes of a cluster; what is decided, kept and timed stays with the machine that asks.

A fold that learns from features is a task of one core, as many side by side as there are cores. One that
trains a network has as many cores as the machine that asks, so that the same minutes buy the same training
as without a cluster, and a GPU where the cluster has any. Features are computed before and put into shared
memory once, where all processes of a machine read them.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fieldguide import recipes
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.cluster.features import check_seen
from fieldguide.cluster.part_workers import Handing, PartWorkers
from fieldguide.cluster.ray_session import WAITING, Cluster
from fieldguide.data.folds import Folds
from fieldguide.experiments.fold_results import FoldResult
from fieldguide.experiments.fold_task import FoldTask
from fieldguide.experiments.fold_worker import FoldDone, FoldJob, FoldPart, FoldWorker, SharedBody, as_error
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.progress import Progress
from fieldguide.recipes.common import Run
from fieldguide.threads import usable_cores

Outcome = FoldResult | Exception
"""What came of a task: a result, or why its candidate failed."""
Wanted = Callable[[FoldTask], bool]
"""Whether a task is still to be done, asked when its turn has come."""


@dataclass(frozen=True)
class ClusterShare:
    """What of a cluster a process is given."""

    cores: int = 1
    gpus: int = 0


def place_of(recipe: str) -> Literal["head", "network", "here"]:
    """Where a recipe's folds are learned: in one core, in the cores of a machine, or by this process.

    Examples
    --------
    >>> [place_of(name) for name in ("svm", "random-forest", "cnn", "auto")]
    ['head', 'head', 'network', 'here']
    """
    own = recipes.OTHER_NAMES.get(recipe, recipe)
    if own in recipes.NEED_TORCH:
        return "network"
    # What tries others asks for the features of many networks, which this process has from the cluster.
    return "here" if own == "auto" or not hasattr(recipes.find(recipe), "body") else "head"


class FoldCluster:
    """The processes that learn folds of one cross-validation.

    Parameters
    ----------
    cluster
        That is used.
    folding
        The images and their folds.
    memory
        The features that candidates share.
    progress
        Callback for progress: `features`, and of waiting for cores that others have.
    """

    def __init__(self, cluster: Cluster, folding: Folds, memory: FeatureMemory, progress: Progress) -> None:
        self._cluster, self._folding, self._memory, self._progress = cluster, folding, memory, progress
        self._shared: dict[str, Any] = {}
        self._workers: PartWorkers[FoldPart, FoldDone] | None = None
        self._share = ClusterShare()

    def outcomes(self, tasks: Sequence[FoldTask], wanted: Wanted) -> Iterator[tuple[FoldTask, Outcome]]:
        """What comes of tasks of the places `head` and `network`, in the order in which they end.

        Raises
        ------
        DataError
            If a machine does not find the photos.
        OutputError
            If a machine has other versions, or cannot write.
        """
        heads = [task for task in tasks if place_of(task.candidate.recipe) == "head"]
        bodies, errors = self._bodies(heads)
        yield from ((task, errors[who]) for task in heads if (who := id(task.candidate)) in errors)
        able = [task for task in heads if id(task.candidate) in bodies]
        digests = {body.digest for body in bodies.values()}
        self._shared = {digest: kept for digest, kept in self._shared.items() if digest in digests}
        for body in bodies.values():
            self._put(body)

        def head_part(number: int, task: FoldTask) -> FoldPart:
            digest = bodies[id(task.candidate)].digest
            return FoldPart(number, task, (self._shared[digest], digest))

        yield from self._done(ClusterShare(), able, wanted, head_part)
        networks = [task for task in tasks if place_of(task.candidate.recipe) == "network"]
        yield from self._done(self._network_share, networks, wanted, FoldPart)

    def rest(self) -> None:
        """End the processes, so that their cores are free for other work."""
        if self._workers is not None:
            self._workers.close()
        self._workers = None

    def _bodies(self, tasks: Sequence[FoldTask]) -> tuple[dict[int, ExportedBackbone], dict[int, Exception]]:
        """The networks whose features candidates learn from, and why others can have none, by `id`."""
        bodies: dict[int, ExportedBackbone] = {}
        errors: dict[int, Exception] = {}
        for who, candidate in {id(task.candidate): task.candidate for task in tasks}.items():
            try:
                bodies[who] = recipes.find(candidate.recipe).body(candidate.options, self._run)
            except Exception as error:  # one candidate must not take hours of others with it
                errors[who] = error
        return bodies, errors

    @property
    def _run(self) -> Run:
        return Run(progress=self._progress)

    def _put(self, body: ExportedBackbone) -> None:
        """ClusterShare a network's features, computed before where they are not held."""
        if body.digest in self._shared:
            return
        if not self._memory.has(body):
            self.rest()  # the pass needs the cores
        features = self._memory.whole(body, self._progress)
        shared = SharedBody.of(body, features, by_file=self._cluster.is_here)
        self._shared[body.digest] = self._cluster.ray().put(shared)

    @property
    def _network_share(self) -> ClusterShare:
        """As many cores as this machine has, or the largest of the cluster, and a GPU where there is one."""
        ray = self._cluster.ray()
        nodes = [node.get("Resources", {}) for node in ray.nodes() if node.get("Alive", True)]
        largest = max((int(node.get("CPU", 0)) for node in nodes), default=1)
        gpus = sum(float(node.get("GPU", 0)) for node in nodes)
        return ClusterShare(max(1, min(usable_cores(), largest)), 1 if gpus >= 1 else 0)

    def _done(
        self,
        share: ClusterShare,
        tasks: Sequence[FoldTask],
        wanted: Wanted,
        part: Callable[[int, FoldTask], FoldPart],
    ) -> Iterator[tuple[FoldTask, Outcome]]:
        if not tasks:
            return
        workers = self._having(share, len(tasks))
        parts = (part(number, task) for number, task in enumerate(tasks) if wanted(task))
        with contextlib.closing(workers.done(parts)) as done:  # an interrupt must end the processes now
            for one in done:
                task = tasks[one.number]
                self._check_seen(one)
                yield task, as_error(one.error) if one.result is None else one.result

    def _having(self, share: ClusterShare, tasks: int) -> PartWorkers[FoldPart, FoldDone]:
        """Processes with this share of the cluster, at most one a task."""
        if self._workers is None or share != self._share:
            self.rest()
            self._share, self._workers = share, self._made(share)
        most = max(1, self._cluster.cores // share.cores)
        self._workers.have(min(most, tasks))
        return self._workers

    def _made(self, share: ClusterShare) -> PartWorkers[FoldPart, FoldDone]:
        ray = self._cluster.ray()
        gpus = {"num_gpus": share.gpus} if share.gpus else {}
        actor = ray.remote(num_cpus=share.cores, **gpus)(FoldWorker)
        job = ray.put(FoldJob.of(self._folding, self._memory.paths))
        handing: Handing[FoldPart, FoldDone] = Handing(
            in_hand=1,  # a fold takes long enough for its process to wait for the next
            waited=lambda seconds: self._progress(WAITING, seconds, None),
            given_up=lambda part, why: FoldDone(part.number, error=("TrainingError", why)),
        )
        return PartWorkers(ray, lambda: actor.remote(job, share.cores, ray.get), handing)

    def _check_seen(self, done: FoldDone) -> None:
        for refusal in done.refused:
            check_seen(refusal.path, refusal, Preprocessing(size=32))
