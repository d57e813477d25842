"""Runs in a real store of MLflow's, a database on disk."""

import json

import pytest

import fieldguide

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'runs.db'}")
    mlflow.create_experiment("leaves", artifact_location=(tmp_path / "artifacts").as_uri())
    fieldguide.log_to("mlflow", project="leaves")
    yield mlflow.MlflowClient()
    fieldguide.log_to(None)
    mlflow.set_tracking_uri(None)


def runs_of(client):
    return client.search_runs([client.get_experiment_by_name("leaves").experiment_id])


def test_a_training_is_kept_with_its_model(client, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12, "blue": 12})
    result = fieldguide.train(photos, recipe="svm", preset="fast", seed=3)
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED" and run.info.run_name == "fieldguide.train"
    assert run.data.params["recipe"] == "svm" and run.data.params["seed"] == "3"
    assert run.data.metrics["validation_accuracy"] == result.validation.accuracy.value
    place = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(tmp_path / "had"))
    kept = tmp_path / "had"
    assert json.loads((kept / "train.json").read_text())["recipe"] == "svm", place
    assert 'class="fieldguide"' in (kept / "train.html").read_text()
    again = fieldguide.load(kept / "fieldguide" / "model.onnx")
    assert again.predict([next(photos.rglob("*.png"))])[0].label in ("red", "green", "blue")
    (logged,) = client.search_logged_models([run.info.experiment_id])
    signature = mlflow.models.get_model_info(logged.model_uri).signature
    assert [one.name for one in signature.inputs.inputs] == ["image"]
    assert signature.outputs.inputs[0].shape == (-1, 3)


def test_folds_are_metrics_by_step_and_what_fails_is_closed(client, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    fieldguide.compare(photos, recipes=["svm"], presets=["fast"], folds=2)
    (run,) = runs_of(client)
    history = client.get_metric_history(run.info.run_id, "svm fast/fold_accuracy")
    assert [one.step for one in history] == [1, 2]
    with pytest.raises(fieldguide.errors.FieldguideError):
        fieldguide.train(tmp_path / "nothing")
    assert [run.info.status for run in runs_of(client)] == ["FAILED", "FINISHED"]
    assert mlflow.active_run() is None


def test_an_open_run_is_gone_on_with(client, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    mlflow.set_experiment("leaves")
    with mlflow.start_run():
        fieldguide.train(photos, recipe="svm", preset="fast", out=tmp_path / "model.onnx")
        fieldguide.evaluate(tmp_path / "model.onnx", photos)
    (run,) = runs_of(client)
    assert {"validation_accuracy", "accuracy"} <= set(run.data.metrics)
