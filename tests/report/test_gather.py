"""From a model, images and files of other commands to what a report is made from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.report.gather import Asked, gather
from report_made import ASKED, CLASSES, material, photos
from report_oracle import Oracle, oracle


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"finding": []}', "[" * 100_000])
def test_a_file_that_is_none_of_ours_is_named(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(DataError, match=r"x\.json: .*fieldguide check DATA --json FILE"):
        material(tmp_path / "photos", each=2, asked=Asked(Path("m"), Path("d"), findings=file))


def test_with_other_models_each_is_asked_once_for_each_photo(tmp_path, monkeypatch):
    asked = []
    plain = Oracle.seen_stream

    def counted(self, sources):
        for seen in plain(self, sources):
            asked.append((self.digest, seen.prediction.path))
            yield seen

    monkeypatch.setattr(Oracle, "seen_stream", counted)
    truth = np.arange(6)
    paths = photos(tmp_path / "photos", [f"{number}.png" for number in truth])
    strange = photos(tmp_path / "strange", ["a.png", "b.png"])
    images = Dataset(tmp_path, tuple(paths), CLASSES)
    models = {name: replace(oracle(CLASSES, truth, seed=seed), digest=name) for seed, name in enumerate("xy")}
    foreign = Dataset(tmp_path, tuple(strange), ("", ""))
    made = gather(models["x"], images, replace(ASKED, models=models), foreign=foreign)
    assert sorted(asked) == sorted((name, path) for name in "xy" for path in (*paths, *strange))
    rival, other = made.comparison.models
    assert rival.evaluation is made.evaluation
    assert (rival.name, other.name) == ("x", "y")
    assert other.evaluation.foreign.n == 2
