"""What processes do that train a network together with another one: tasks, until it has no more."""

import contextlib
from collections.abc import Callable, Iterator

import torch

from fieldguide.recipes.cnn import shared as cnn
from fieldguide.recipes.finetune import shared as finetune
from fieldguide.training.devices import Place, loopback_only
from fieldguide.training.local_processes import end_with_the_first
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan, TrainingTask
from fieldguide.training.processes import Processes, TaskDescription, of_connections, used

TASKS: dict[str, Callable[[TaskDescription, Plan], TrainingTask]] = {
    "cnn": cnn.task_of,
    "finetune": finetune.task_of,
}
"""Makes a recipe's task from its description."""


def work(place: tuple[int, int, int, int, bool, int], meeting: str) -> None:
    """Meet the process that started this one, and work with it until it ends.

    Parameters
    ----------
    place
        Fields of a :class:`fieldguide.training.devices.Place`.
    meeting
        Where to meet, as a URL.
    """
    serve(begun(place, meeting))


def begun(place: tuple[int, int, int, int, bool, int], meeting: str) -> Processes:
    """Meet the process that started this one; takes what :func:`work` takes."""
    end_with_the_first()
    processes = Processes(Place(*place))
    torch.set_num_threads(processes.place.threads)
    with loopback_only():
        processes.meet(meeting)
    return processes


def serve(processes: Processes) -> None:
    """Work on the tasks that the first process tells, until it has no more."""
    while (told := processes.told_task(None)) is not None:
        plan = Plan(**processes.told_json(None))
        train_network(TASKS[told.recipe](told, plan), plan, processes=processes)


def _serve_launched(processes: Processes) -> None:
    """End in peace where the first process has ended: whoever launched both sees how that one did."""
    try:
        serve(processes)
    except RuntimeError as error:
        if not of_connections(error):
            raise


@contextlib.contextmanager
def launched() -> Iterator[bool]:
    """Join the processes that torchrun, or whoever sets the same variables, started beside this one.

    Yields
    ------
    bool
        Whether this is the one that leads, or there are no others: it does everything, and whatever trains
        within the ``with`` block trains on all of them. Where it is not, the work has been done.
    """
    place = Place.launched()
    if place is None:
        yield True
        return
    processes = Processes(place)
    processes.meet("env://")
    try:
        if not processes.leads:
            _serve_launched(processes)
            yield False
            return
        with used(processes):
            yield True
        if not processes.are_left:
            processes.told_task(None)
    finally:
        processes.part()
