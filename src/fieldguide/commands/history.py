"""How training is told while it goes on: a line an epoch, and TensorBoard where asked."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fieldguide import terminal
from fieldguide.errors import OptionError

Report = Callable[[Mapping[str, float]], None]
BARS = "▁▂▃▄▅▆▇█"


@contextlib.contextmanager
def reporter(tensorboard: Path | None) -> Iterator[Report]:
    """Say each epoch on standard error, with the course of the held-out loss so far.

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
        log = stack.enter_context(_event_files(tensorboard)) if tensorboard is not None else None

        def report(row: Mapping[str, float]) -> None:
            losses.append(row["validation_loss"])
            terminal.say(line(row, losses))
            if log is not None:
                log(row)

        yield report


def line(row: Mapping[str, float], losses: list[float]) -> str:
    """One epoch in words.

    Parameters
    ----------
    row
        Of the history.
    losses
        Held-out losses up to this epoch, drawn as bars.
    """
    return (
        f"epoch {row['epoch']}: loss {row['train_loss']:.3f}, held out {row['validation_loss']:.3f} "
        f"{bars(losses)} accuracy {row['validation_accuracy']:.3f}, rate {row['learning_rate']:.2g}, "
        f"{row['seconds']:.0f} s"
    )


def bars(values: list[float], most: int = 20) -> str:
    """The last values as one character each, from the lowest to the highest."""
    shown = values[-most:]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(BARS[min(int((value - low) / span * len(BARS)), len(BARS) - 1)] for value in shown)


@contextlib.contextmanager
def _event_files(folder: Path) -> Iterator[Report]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise OptionError(
            "--tensorboard: needs tensorboard, which is not installed; run: pip install tensorboard"
        ) from error
    with SummaryWriter(str(folder)) as writer:

        def log(row: Mapping[str, float]) -> None:
            for name, value in row.items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))
            writer.flush()

        yield log
