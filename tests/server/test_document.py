"""The OpenAPI document against the server itself: schemathesis makes requests from it, right and wrong ones.

All of its checks are on but one for two routes: the document cannot say that a tensor's shape fits its data,
so that some requests of `/infer` that fit the document are refused all the same.
"""

import os
import re
import subprocess
import sys

import httpx
import pytest

from fieldguide.server import predict, problems
from server_made import RED, TOKEN, photo, running

FEWEST_CASES = 5_000
"""Requests that the long test makes."""
CONFIGURATION = """
[[operations]]
include-path-regex = "/infer$"
[operations.checks]
positive_data_acceptance.enabled = false
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Deadlines of some milliseconds are answered with 503, as they should be; here no answer may be 5xx."""
    monkeypatch.setattr(predict, "seconds_for", lambda *_: 60.0)


def schemathesis(server, folder, examples, *more):
    """Run it over the whole document; what it said, and its exit code."""
    configuration = folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")  # noqa: PTH118, PTH120
    command = [program, "--config-file", str(configuration), "run", f"{server.url}/openapi.json"]
    options = ["--max-examples", str(examples), "--seed", "1", "--no-color"]
    done = subprocess.run(
        [*command, *options, "--generation-database", "none", *more],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


def test_the_document_is_true(colours, tmp_path):
    with running(colours) as server:
        said, code = schemathesis(server, tmp_path, 10)
    assert code == 0, said
    assert "15 selected / 15 total" in said


@pytest.mark.long
def test_the_document_is_true_over_thousands_of_requests(colours, tmp_path):
    with running(colours) as server:
        said, code = schemathesis(server, tmp_path, 500)
    assert code == 0, said
    made = re.search(r"([\d,]+) generated", said)
    assert made is not None, said
    assert int(made[1].replace(",", "")) >= FEWEST_CASES


def test_the_document_is_true_where_a_token_is_asked_for(colours, tmp_path):
    with running(colours, token=TOKEN) as server:
        said, code = schemathesis(
            server, tmp_path, 3, "--header", f"Authorization: Bearer {TOKEN}", "--phases", "coverage,fuzzing"
        )
    assert code == 0, said


def test_a_document_that_is_not_true_is_seen(colours, tmp_path, monkeypatch):
    monkeypatch.setitem(problems.PROBLEMS, "malformed", (418, "a status that the document does not have"))
    with running(colours) as server:
        said, code = schemathesis(server, tmp_path, 3)
    assert code == 1, said


def test_what_the_document_says(colours):
    with running(colours, images=7) as server:
        document = httpx.get(f"{server.url}/openapi.json").json()
    assert document["info"]["title"] == "fieldguide"
    post = document["paths"]["/v1/models/{name}:predict"]["post"]
    assert set(post["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    form = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["images"]["maxItems"] == 7
    assert set(post["responses"]) >= {"200", "400", "403", "404", "408", "413", "415", "503"}
    assert "422" not in post["responses"] and "security" not in post
    names = post["parameters"][0]["schema"]
    assert names == {"type": "string", "enum": ["colours"]}
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(set(operations)) == 15
    assert all(one.get("description") for methods in document["paths"].values() for one in methods.values())


def test_the_smallest_client_there_is(colours):
    """What a program does that has read the document and nothing else."""
    with running(colours) as server:
        answer = server.predict(photo(RED))
    assert answer.json()["predictions"][0]["label"] == "red"
