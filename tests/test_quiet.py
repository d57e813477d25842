"""Nothing is told to anybody: ONNX Runtime's telemetry, on by default since 1.29, stays off."""

import os
import subprocess
import sys

# Telemetry keeps quiet of itself where one of these says that it is tested or not wanted.
QUIET = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED", "ORT_RUNNING_UNIT_TESTS", "CI")


def test_the_runtime_tells_nobody(colours, tmp_path):
    """Where it is on, a file that names the session appears before anything is sent."""
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    code = f"import fieldguide; fieldguide.load({str(colours)!r})"
    subprocess.run([sys.executable, "-c", code], env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
