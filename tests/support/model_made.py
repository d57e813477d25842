"""Bytes as a model file that is loaded."""

from fieldguide.modelfile.artifact import load_model_file


def load(tmp_path, content):
    """Write bytes to a file and load it as a model."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return load_model_file(path)
