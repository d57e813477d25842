"""Runs in Weights & Biases (client MIT); with WANDB_MODE=offline they stay in a folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fieldguide.files import scratch_folder
from fieldguide.tracking.tracker import Signature

PROJECT = "fieldguide"


class WandbTracker:
    """A run in Weights & Biases; one that is open already is gone on with."""

    def __init__(self, project: str | None) -> None:
        import wandb

        self._wandb: Any = wandb
        self._project, self._opened = project or PROJECT, False
        self._run: Any = None

    def begin(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Open a run in the project, and keep what the call was given."""
        self._run = self._wandb.run
        if self._run is None:
            self._run = self._wandb.init(project=self._project, job_type=name)
            self._opened = True
        self._run.config.update(dict(parameters), allow_val_change=True)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Keep figures; those of no step are the run's summary."""
        if step is None:
            self._run.summary.update(dict(values))
        else:
            self._run.log({**values, "step": step})

    def files(self, files: Mapping[str, str]) -> None:
        """Keep texts as an artifact."""
        with scratch_folder() as folder:
            artifact = self._wandb.Artifact("result", type="result")
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
                artifact.add_file(str(folder / name))
            self._run.log_artifact(artifact)

    def model(self, file: Path, signature: Signature) -> None:
        """Keep the file as an artifact, with what it takes and gives."""
        artifact = self._wandb.Artifact("model", type="model", metadata={"signature": signature.as_dict()})
        artifact.add_file(str(file), name="model.onnx")
        self._run.log_artifact(artifact)

    def end(self, failed: bool) -> None:
        """Close the run, if it was opened here."""
        if self._opened:
            self._run.finish(exit_code=int(failed))
