"""What `serving.py` measures the server against: its own parts without a server, and LitServe."""

import contextlib
import io
import itertools
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from serving_load import Running, ended

from fieldguide.modelfile.artifact import load_model_file

CORES = len(os.sched_getaffinity(0))


def allowed(model: Path, photos: list[bytes], seconds: float) -> float:
    """Photos a second that decoding plus ONNX Runtime allow: nothing is handed over, nothing waits.

    Each core decodes photos with Pillow and takes them through the network by itself, in batches of one or of
    two, whichever is faster: the cheapest ways known (docs/log.md, "a core a batch").
    """
    size = load_model_file(model).preprocessing.size
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def pixels(photo: bytes) -> np.ndarray:
        image = Image.open(io.BytesIO(photo)).convert("RGB")
        return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))

    def rate(batch: int) -> float:
        endless, done = itertools.cycle(photos), itertools.count()
        begun = time.monotonic()

        def work() -> None:
            while time.monotonic() - begun < seconds / 2:
                images = np.stack([pixels(next(endless)) for _ in range(batch)])
                session.run(["probabilities", "typicality"], {"image": images})
                next(done)

        threads = [threading.Thread(target=work) for _ in range(CORES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return next(done) * batch / (time.monotonic() - begun)

    return max(rate(1), rate(2))


LITSERVE = """
import io, sys
import litserve, numpy, onnxruntime
from PIL import Image, ImageOps

MODEL = sys.argv[1]
SIZE, PORT, WORKERS, THREADS, BATCH = map(int, sys.argv[2:])

class Api(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    def decode_request(self, request):
        image = ImageOps.exif_transpose(Image.open(request["images"].file)).convert("RGB")
        return numpy.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    def batch(self, inputs):
        return numpy.stack(inputs)
    def predict(self, pixels):
        return self.session.run(["probabilities", "typicality"], {"image": pixels})
    def unbatch(self, output):
        return list(zip(*output))
    def encode_response(self, output):
        probabilities, typicality = output
        return {"class": int(probabilities.argmax()), "probability": float(probabilities.max()),
                "typicality": float(typicality)}

if __name__ == "__main__":
    api = Api(max_batch_size=BATCH, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=WORKERS, timeout=60)
    server.run(host="127.0.0.1", port=PORT, generate_client_file=False, log_level="warning")
"""


@contextlib.contextmanager
def litserve(python: Path, model: Path, workers: int) -> Iterator[Running]:
    """LitServe with the same file, its own batching and the same preprocessing.

    It decodes and predicts in its worker, in turns. One worker with all cores is how it comes; a worker a
    core is what it can be told to.
    """
    size, port = load_model_file(model).preprocessing.size, free_port()
    threads, batch = (CORES, 4) if workers == 1 else (1, 2)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        script = Path(folder) / "server.py"
        script.write_text(LITSERVE)
        command = [python, script, model, *map(str, (size, port, workers, threads, batch))]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        with ended(process, whole_group=True):
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), process)
            yield Running(process, port, "/predict", Path(folder) / "log", Path(folder))


def answers(address: str) -> bool:
    """Whether a page answers with 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_for(true: Callable[[], bool], process: subprocess.Popen) -> None:
    """Wait until a server is up."""
    while not true():
        if process.poll() is not None:
            raise SystemExit(f"the server ended with code {process.returncode}")
        time.sleep(0.2)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
