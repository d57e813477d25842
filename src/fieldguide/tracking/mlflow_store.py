"""Runs in MLflow (Apache-2.0), wherever its tracking URI says: a folder, a database or a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fieldguide.tracking.tracker import Signature


class MlflowTracker:
    """A run in MLflow; one that is open already is gone on with, as MLflow's own autologging does."""

    def __init__(self, project: str | None) -> None:
        import mlflow

        self._mlflow: Any = mlflow
        self._project, self._opened = project, False

    def begin(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Open a run in the experiment, and keep what the call was given."""
        if self._mlflow.active_run() is None:
            if self._project is not None:
                self._mlflow.set_experiment(self._project)
            self._mlflow.start_run(run_name=f"fieldguide.{name}")
            self._opened = True
        self._mlflow.log_params(dict(parameters))

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Keep figures."""
        self._mlflow.log_metrics({_named(name): float(value) for name, value in values.items()}, step=step)

    def files(self, files: Mapping[str, str]) -> None:
        """Keep texts as artifacts."""
        for name, text in files.items():
            self._mlflow.log_text(text, name)

    def model(self, file: Path, signature: Signature) -> None:
        """Keep the file whole, and as MLflow's ONNX model with its signature."""
        import onnx
        from mlflow.models import ModelSignature

        self._mlflow.log_artifact(str(file), "fieldguide")
        self._mlflow.onnx.log_model(
            onnx.load(file),
            name="model",
            signature=ModelSignature(_schema(signature.inputs), _schema(signature.outputs)),
            pip_requirements=["onnxruntime", "numpy"],  # or MLflow would run the model to find out
        )

    def end(self, failed: bool) -> None:
        """Close the run, if it was opened here."""
        if self._opened:
            self._mlflow.end_run("FAILED" if failed else "FINISHED")


def _named(name: str) -> str:
    """A name that MLflow takes: it knows few signs."""
    return "".join(sign if sign.isalnum() or sign in "_-./ " else "_" for sign in name)


def _schema(rows: tuple[tuple[str, str, tuple[int, ...]], ...]) -> Any:
    import numpy as np
    from mlflow.types import Schema, TensorSpec

    return Schema([TensorSpec(np.dtype(kind), shape, name) for name, kind, shape in rows])
