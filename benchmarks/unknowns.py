"""How well the typicality of a model of clothing tells photos of other things apart."""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from fieldguide.dataset import open_dataset
from fieldguide.evaluate import evaluate
from fieldguide.files import cache_folder
from fieldguide.metrics import auroc
from fieldguide.predictor import load
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train

FOREIGN = ("sign_digits", "brain_mri", "cifar10_train.zip")
MOST = 1000


def main() -> None:
    """Print one line for each foreign set, with the rule of the largest probability beside typicality."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        setting = Setting(cache=cache_folder() / "features")
        train(TrainOptions(options.data / "clothing", model, setting=setting))
        predictor = load(model)
        with open_dataset(options.data / "clothing") as clothing:
            known = clothing.select("validation")
            sure = [answer.probability for answer in predictor.predict_stream(known.paths)]
            for name in FOREIGN:
                with open_dataset(options.data / name) as foreign:
                    rows = np.random.default_rng(0).permutation(len(foreign))[:MOST]
                    few = foreign.take(np.sort(rows))
                    result = evaluate(predictor, known, foreign=few).foreign
                    other = [answer.probability for answer in predictor.predict_stream(few.paths)]
                assert result is not None
                by_probability = round(auroc(np.array(other), np.array(sure)), 4)
                print(
                    json.dumps({"foreign": name, **result.as_dict(), "auroc_of_probability": by_probability})
                )


if __name__ == "__main__":
    main()
