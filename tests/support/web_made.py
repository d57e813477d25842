"""Exported pages for tests: ONNX Runtime Web where it is there, one of a few bytes where it need not run."""

import functools
import http.server
import io
import json
import os
import subprocess
import tarfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from fieldguide.errors import OptionError
from fieldguide.evaluation.web_runner import node
from fieldguide.modelfile.exports.web_runtime import (
    BINARY,
    COMMAND,
    DESCRIPTION,
    GPU_BINARY,
    GPU_SCRIPT,
    SCRIPT,
    WebRuntime,
    web_runtime,
)

PLACE = "FIELDGUIDE_WEB_RUNTIME"
"""Where tests find it, if not in the checkout: the npm package onnxruntime-web, packed or not."""
MADE = WebRuntime("1.99.0", b"export default null;\n", b"\0asm\1\0\0\0")
MADE_FOR_GPUS = WebRuntime("1.99.0", MADE.script, MADE.binary, b"export default 1;\n", b"\0asm\1\0\0\0\0")


def runtime(gpu=False):
    """The real one; skips the test where it is not there."""
    given = os.environ.get(PLACE)
    try:
        return web_runtime(Path(given) if given else None, Path(__file__).parents[2], gpu=gpu)
    except OptionError:
        pytest.skip(f"onnxruntime-web is not here; in the checkout: {COMMAND}")


def package(folder, version="1.99.0", name="onnxruntime-web", **contents):
    """The npm package in a folder, as far as a page needs it."""
    files = {DESCRIPTION: json.dumps({"name": name, "version": version}).encode()}
    files |= {SCRIPT: MADE.script, BINARY: MADE.binary}
    files |= {GPU_SCRIPT: MADE_FOR_GPUS.gpu_script, GPU_BINARY: MADE_FOR_GPUS.gpu_binary}
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(contents.get(path, data))
    return folder


def packed(path, folder):
    """The same as npm packs it."""
    with tarfile.open(path, "w:gz") as archive:
        for name in (DESCRIPTION, SCRIPT, BINARY):
            data = (folder / name).read_bytes()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        """A browser that leaves while something is sent is no fault."""


@contextmanager
def served(folder):
    """A host of plain files; gives the address of the folder."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(folder, code):
    """What a program says in Node."""
    try:
        program = node()
    except OptionError as error:
        pytest.skip(str(error))
    (folder / "program.mjs").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [program, "program.mjs"], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout
