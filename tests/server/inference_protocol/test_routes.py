"""The Open Inference Protocol: with NVIDIA's client from PyPI, and with requests that it would not send."""

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

import fieldguide
from server_made import BLUE, GREEN, RED, photo, running
from tiny_model import write_tiny_model

OUTPUTS = ("label", "probabilities", "typicality", "embedding")


@pytest.fixture
def client(server):
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield client
    client.close()


def files(*images, binary=True):
    values = np.array([*images, None], dtype=object)[:-1]
    tensor = triton.InferInput("image", [len(images)], "BYTES")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def test_the_client_finds_server_and_model(client, colours):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("colours") and not client.is_model_ready("other")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("colours")
    version = fieldguide.load(colours).digest[:16]
    assert metadata["versions"] == [version]
    assert metadata["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert {output["name"]: output["shape"] for output in metadata["outputs"]} == {
        "label": [-1],
        "probabilities": [-1, 3],
        "typicality": [-1],
        "embedding": [-1, 3],
    }
    assert client.get_model_metadata("colours", version) == metadata
    assert client.is_model_ready("colours", version) and not client.is_model_ready("colours", "0" * 16)


@pytest.mark.parametrize("binary", [True, False])
def test_image_files_give_what_the_python_call_gives(client, colours, binary):
    images = [photo(RED), photo(GREEN, "PNG"), photo(BLUE)]
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in OUTPUTS]
    result = client.infer("colours", [files(*images)], outputs=outputs, request_id="7")
    expected = fieldguide.load(colours).predict(images)
    assert np.allclose(result.as_numpy("probabilities"), [row.probabilities for row in expected])
    assert result.as_numpy("embedding").shape == (3, 3) and result.as_numpy("typicality").shape == (3,)
    labels = [label.decode() if binary else label for label in result.as_numpy("label")]
    assert labels == ["red", "green", "blue"]
    assert result.get_response()["id"] == "7"
    assert result.get_response()["model_version"] == fieldguide.load(colours).digest[:16]


def test_all_outputs_come_where_none_is_named(client):
    result = client.infer("colours", [files(photo(RED))])
    assert [output["name"] for output in result.get_response()["outputs"]] == list(OUTPUTS)


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_give_the_same_as_the_file_that_holds_them(client, binary):
    pixels = np.zeros((2, 30, 40, 3), np.uint8)
    pixels[0], pixels[1] = RED, GREEN
    tensor = triton.InferInput("image", pixels.shape, "UINT8")
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    by_pixels = client.infer("colours", [tensor]).as_numpy("probabilities")
    by_files = client.infer("colours", [files(photo(RED, "PNG"), photo(GREEN, "PNG"))]).as_numpy(
        "probabilities"
    )
    assert np.array_equal(by_pixels, by_files)


def test_what_is_wrong_is_said_in_the_protocols_form(client):
    with pytest.raises(
        InferenceServerException, match=r"\[422\] image 1: .*not_an_image.*request [0-9a-f]{32}"
    ):
        client.infer("colours", [files(photo(RED), b"<html>")])
    with pytest.raises(InferenceServerException, match="there is no model"):
        client.infer("other", [files(photo(RED))])
    with pytest.raises(InferenceServerException, match="this version"):
        client.infer("colours", [files(photo(RED))], model_version="0" * 16)
    with pytest.raises(InferenceServerException, match=r"\[415\].*Content-Encoding"):
        client.infer("colours", [files(photo(RED))], request_compression_algorithm="gzip")


def test_labels_that_are_no_text_come_as_their_bytes(tmp_path):
    path = write_tiny_model(tmp_path / "colours.onnx", classes=["r\udcff", "g", "b"])
    with running(path) as server:
        client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
        assert list(client.infer("colours", [files(photo(RED))]).as_numpy("label")) == [b"r\xff"]
        client.close()
