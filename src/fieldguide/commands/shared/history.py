"""How training is told while it goes on: a line an epoch, and TensorBoard where asked."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.learning.history_line import line
from fieldguide.training.tensorboard_log import event_files

Report = Callable[[Mapping[str, float]], None]


@contextlib.contextmanager
def reporter(tensorboard: Path | None) -> Iterator[Report]:
    """Say each epoch on standard error: the held-out loss so far, and what is left of the time.

    Parameters
    ----------
    tensorboard
        Folder for TensorBoard's event files; None writes none.

    Raises
    ------
    OptionError
        If TensorBoard is asked for and not installed.
    """
    losses: list[float] = []
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(event_files(tensorboard)) if tensorboard is not None else None

        def report(row: Mapping[str, float]) -> None:
            losses.append(row["validation_loss"])
            terminal.say(line(row, losses))
            if log is not None:
                log(row)

        yield report
