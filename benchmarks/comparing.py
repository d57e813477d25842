"""What `compare` costs: all recipes together against the dearest of them alone, in seconds of processor time.

    python benchmarks/comparing.py DATA/SET [--recipes linear-probe svm random-forest cnn] [--folds 5]

One run of `compare` with an empty cache gives all of it: each network's pass over the images, with the number
of images that it was run on, and what the folds of each recipe took without these passes. Processor time of
all threads is what stays the same on a machine that others use too; seconds on the clock stand beside it.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.backbones import extraction, feature_memory
from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.export import ExportedBackbone, export
from fieldguide.data.dataset import open_dataset
from fieldguide.experiments.compare import candidates, compare
from fieldguide.recipes.linear_probe import PRESETS


def main() -> None:
    """Print the costs as one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["linear-probe", "svm", "random-forest", "cnn"])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    export(PRESETS[options.preset].backbone, size=PRESETS[options.preset].size)  # once per installation
    export_classical()
    chosen = candidates(options.recipes, presets=(options.preset,))
    bill = _Bill(len(chosen), options.folds)
    feature_memory.extract = bill.extract  # type: ignore[assignment]
    with open_dataset(options.data) as dataset, tempfile.TemporaryDirectory() as cache:
        bill.start()
        found = compare(dataset, chosen, folds=options.folds, cache=Path(cache), progress=bill.progress)
        costs = bill.costs([candidate.name for candidate in chosen])
    rows = {row.candidate.name: row for row in found.rows}
    accuracy = {
        name: row.evaluation.accuracy.value if row.evaluation else row.error for name, row in rows.items()
    }
    line = {"data": options.data.name, "images": found.images, "folds": found.folds, **costs}
    print(json.dumps(line | {"accuracy": accuracy, "recommended": found.recommended}, indent=1))


@dataclass
class _Bill:
    """Seconds of processor time, by what they went to."""

    recipes: int
    folds: int
    started: float = 0.0
    clock: float = 0.0
    passes: list[dict[str, Any]] = field(default_factory=list)
    ends: dict[int, float] = field(default_factory=dict)
    """Processor time at the end of each recipe's folds, without the passes until then."""

    def start(self) -> None:
        self.started, self.clock = time.process_time(), time.perf_counter()

    def extract(self, paths: Sequence[str], backbone: ExportedBackbone, **rest: Any) -> extraction.Features:
        before = time.process_time()
        found = extraction.extract(paths, backbone, **rest)
        row = {"network": backbone.name, "images": len(paths), "from_cache": found.cached}
        self.passes.append({**row, "cpu_seconds": time.process_time() - before})
        return found

    def progress(self, stage: str, done: int, total: int | None) -> None:
        if stage == "folds" and done % self.folds == 0:
            self.ends[done // self.folds] = time.process_time() - self._passed()

    def _passed(self) -> float:
        return float(sum(one["cpu_seconds"] for one in self.passes))

    def costs(self, names: Sequence[str]) -> dict[str, Any]:
        """The whole against the dearest recipe's folds and the passes."""
        whole = time.process_time() - self.started
        each = {name: self.ends[number + 1] - self.ends[number] for number, name in enumerate(names)}
        yardstick = max(each.values()) + self._passed()
        return {
            "passes": self.passes,
            "folds_cpu_seconds": {name: round(value, 1) for name, value in each.items()},
            "cpu_seconds": round(whole, 1),
            "dearest_and_passes_cpu_seconds": round(yardstick, 1),
            "ratio": round(whole / yardstick, 3),
            "seconds": round(time.perf_counter() - self.clock, 1),
        }


if __name__ == "__main__":
    main()
