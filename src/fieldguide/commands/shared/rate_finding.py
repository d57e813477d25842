"""``fieldguide train --find-rate``: a sweep over learning rates instead of a training."""

import argparse

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import begin
from fieldguide.commands.shared.options import STANDARD_OUTPUT, opened, write_json
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import EITHER


def show_rates(options: argparse.Namespace, wanted: Options) -> int:
    """Sweep, show the losses and the rate to type next, and draw them where a file is named."""
    from fieldguide.api.runs import run_with
    from fieldguide.displays.networks import rate_sweep
    from fieldguide.learning.rate_finding import find_rate

    with terminal.progress() as progress, opened(options, progress, tasks=EITHER) as dataset:
        begin(dataset, yes=options.yes)
        found = find_rate(dataset, options.recipe, wanted, run_with(progress))
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in rate_sweep.lines(found):
        tell(line)
    write_json(found.as_dict(), options.json)
    if options.find_rate is not None:
        from fieldguide.learning.rate_plot import draw

        draw(found, options.find_rate)
    return 0
