"""The history of a training for TensorBoard."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fieldguide.errors import OptionError
from fieldguide.training.remaining import history_row

Report = Callable[[Mapping[str, float]], None]


@contextlib.contextmanager
def event_files(folder: Path) -> Iterator[Report]:
    """What writes each row of a history into TensorBoard's event files, as long as the ``with`` block lasts.

    Raises
    ------
    OptionError
        If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise OptionError(
            "--tensorboard: needs tensorboard, which is not installed; run: pip install tensorboard"
        ) from error
    with SummaryWriter(str(folder)) as writer:

        def log(row: Mapping[str, float]) -> None:
            for name, value in history_row(row).items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))
            writer.flush()

        yield log
