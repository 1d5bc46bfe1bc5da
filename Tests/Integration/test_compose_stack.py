"""The compose file of the whole stack: valid in every combination of profiles, pinned, closed and explained."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from observability.prometheus import CONFIGURATION
from observability.stackfile import (
    CHOICES,
    EXAMPLE,
    FILE,
    FOLDER,
    PROFILES,
    chosen,
    conditions_of,
    environment,
    example,
    fill_in,
    misfits,
    networks_of,
    rendered,
    rendered_by_docker,
    services,
    variables,
)
from stack import SIDECAR

SERVICES = services()
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|KEY)$")
# Who may share a network with LiteLLM: the sidecar, and what LiteLLM itself uses. None of the latter is a proxy.
NEIGHBOURS_OF_LITELLM = {"sidecar", "postgres", "store", "ollama"}

each_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("stack") / "env"
    fill_in(file)
    # The profiles of a run are those that a test names.
    file.write_text(file.read_text().replace("COMPOSE_PROFILES=core,observability", "COMPOSE_PROFILES="))
    return file


# ---------------------------------------------------------------- the file as a whole


def test_every_combination_of_profiles_is_valid(env_file: Path, tmp_path: Path) -> None:
    """podman-compose renders just the services of the profiles, and the rendering fits the Compose specification."""
    for choice, text in rendered(CHOICES, env_file, tmp_path).items():
        assert set(yaml.load(text, yaml.CSafeLoader)["services"]) == chosen(choice), choice
        assert len(PyCompose.from_yaml(text)) == len(chosen(choice))
        assert misfits(text) == []
        assert "run docker/secrets" not in text


@pytest.mark.parametrize("choice", CHOICES, ids=",".join)
def test_docker_compose_takes_every_combination(choice: tuple[str, ...], env_file: Path) -> None:
    text = rendered_by_docker(choice, env_file)
    assert set(yaml.load(text, yaml.CSafeLoader)["services"]) == chosen(choice)
    assert misfits(text) == []


def test_the_file_itself_fits_the_schema() -> None:
    text = FILE.read_text()
    assert misfits(text) == []
    assert misfits(text.replace("privileged: true", "privileged: [true]")) != []


def test_nothing_starts_without_secrets(tmp_path: Path) -> None:
    empty = tmp_path / "env"
    empty.write_text("")
    with pytest.raises(AssertionError, match="run docker/secrets"):
        rendered([("core",)], empty, tmp_path)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_waited_for_is_started(profile: str) -> None:
    """Each profile can be switched on alone: no service waits for one that its profile does not start."""
    started = chosen((profile,))
    for name in started:
        assert set(conditions_of(SERVICES[name])) <= started, name


def test_every_network_and_volume_is_used() -> None:
    text = FILE.read_text()
    networks, volumes = text.split("\nnetworks:\n")[1].split("\nvolumes:\n")
    used = set().union(*(networks_of(service) for service in SERVICES.values()))
    assert set(re.findall(r"^  ([\w-]+):", networks, re.MULTILINE)) == used
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert set(re.findall(r"^  ([\w-]+):", volumes, re.MULTILINE)) == {name for name in mounted if name[0] not in "./"}


# ---------------------------------------------------------------- each service


@each_service
def test_images_are_pinned(name: str) -> None:
    """To a version, never to what is newest; the sidecar's own is built."""
    service = SERVICES[name]
    tag = service["image"].rpartition(":")[2]
    if "build" in service:
        assert (FOLDER / service["build"]["context"]).is_dir()
        return
    assert re.search(r"\d+\.\d+", tag) or re.fullmatch(r"RELEASE\.\d{4}-\d\d-\d\dT[\d-]+Z", tag), service["image"]
    assert "latest" not in tag and "$" not in service["image"]


@each_service
def test_health_is_checked_or_it_is_said_why_not(name: str) -> None:
    service = SERVICES[name]
    if "healthcheck" not in service:
        assert len(service["x-no-healthcheck"]) > 20
        return
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL") and {"interval", "timeout", "retries", "start_period"} <= set(check)


@each_service
def test_conditions_can_be_met(name: str) -> None:
    for other, condition in conditions_of(SERVICES[name]).items():
        if condition == "service_healthy":
            assert "healthcheck" in SERVICES[other], other
        else:
            assert condition == "service_completed_successfully" and SERVICES[other]["restart"] == "no", other


@each_service
def test_resources_are_limited_and_logs_bounded(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert limits["cpus"] and limits["memory"]
    if service["restart"] != "no":
        assert service["logging"]["options"]["max-size"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    """Our own files are there, and nobody can change them from inside."""
    for mount in SERVICES[name].get("volumes", []):
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            assert (FOLDER / source).exists(), source
            assert rest.endswith(":ro"), mount


# ---------------------------------------------------------------- who reaches whom


def test_litellm_is_reached_by_the_sidecar_alone() -> None:
    reachable = networks_of(SERVICES["litellm"])
    neighbours = {name for name, service in SERVICES.items() if networks_of(service) & reachable} - {"litellm"}
    assert neighbours == NEIGHBOURS_OF_LITELLM
    assert "ports" not in SERVICES["litellm"]
    # A key or an address of LiteLLM's in another service would be a way around.
    for name, service in SERVICES.items():
        assert "litellm:4000" not in json.dumps(service), name


def test_clients_share_a_network_with_the_sidecar() -> None:
    for name in ("open-webui", "langflow", "activepieces", "dify-plugin-daemon", "prometheus", "traefik"):
        assert networks_of(SERVICES[name]) & networks_of(SERVICES["sidecar"]), name


def test_the_sandbox_has_no_way_out_but_its_proxy() -> None:
    assert networks_of(SERVICES["dify-sandbox"]) == {"sandbox"}
    assert "sandbox: { internal: true }" in FILE.read_text()
    assert networks_of(SERVICES["dify-ssrf-proxy"]) == {"sandbox", "outside"}


@each_service
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.match(r"127\.0\.0\.1:|\$\{(BIND|PUBLIC)_ADDRESS:-127\.0\.0\.1\}:", port), port


# ---------------------------------------------------------------- variables and secrets


def test_every_variable_is_explained_and_used() -> None:
    asked, explained = variables(FILE.read_text()), example()
    # Compose itself reads which profiles to start.
    assert set(asked) | {"COMPOSE_PROFILES"} == set(explained)
    for name, comment in explained.items():
        assert len(comment) > 20, f"{name} is not explained"


def test_defaults_are_those_of_the_example() -> None:
    values = environment(EXAMPLE)
    for name, suffix in variables(FILE.read_text()).items():
        if suffix.startswith(":-") and suffix != ":-":
            assert suffix.removeprefix(":-") == values[name], name


def test_there_are_no_default_passwords() -> None:
    """A secret is asked for, or may be left empty; the example holds none."""
    values = environment(EXAMPLE)
    for name, suffix in variables(FILE.read_text()).items():
        if SECRET.search(name):
            assert suffix.startswith(":?") or suffix == ":-", name
            assert values[name] == "", name
    for name, service in SERVICES.items():
        for key, value in (service.get("environment") or {}).items():
            if SECRET.search(key):
                assert str(value).startswith("${"), f"{name}: {key}"


def test_secrets_are_filled_in_once(tmp_path: Path) -> None:
    file = tmp_path / "env"
    first = fill_in(file)
    values = environment(file)
    marked = {name for name, comment in example().items() if "# random: " in comment.splitlines()[-1]}
    required = {name for name, suffix in variables(FILE.read_text()).items() if suffix.startswith(":?")}
    assert marked == required
    secrets = [values[name] for name in marked]
    assert all(len(secret) >= 20 for secret in secrets) and len(secrets) == len(set(secrets))
    assert not [secret for secret in secrets if secret in first], "a secret is printed"
    assert values["LITELLM_MASTER_KEY"].startswith("sk-")
    assert re.fullmatch(r"[0-9a-f]{32}", values["ACTIVEPIECES_ENCRYPTION_KEY"])
    assert len(values["DIFY_INIT_PASSWORD"]) <= 30
    assert file.stat().st_mode & 0o077 == 0

    assert fill_in(file) == "" and environment(file) == values
    kept = file.read_text().replace(f"REDIS_PASSWORD={values['REDIS_PASSWORD']}\n", "")
    file.write_text(re.sub(r"^QDRANT_API_KEY=.*$", "QDRANT_API_KEY=mine", kept, flags=re.MULTILINE))
    assert fill_in(file).split() == ["added", "REDIS_PASSWORD", "filled", "in", "REDIS_PASSWORD"]
    assert environment(file) | {"REDIS_PASSWORD": "", "QDRANT_API_KEY": ""} == values | {
        "REDIS_PASSWORD": "",
        "QDRANT_API_KEY": "",
    }
    assert environment(file)["QDRANT_API_KEY"] == "mine"


# ---------------------------------------------------------------- what is mounted


def test_the_sidecar_takes_its_configuration(env_file: Path) -> None:
    done = subprocess.run(
        [SIDECAR, "check", "--config", FOLDER / "sidecar/antigravity.json", "--env-file", env_file],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_services_that_are_there() -> None:
    targets = re.findall(r"targets: \[([\w-]+):(\d+)\]", (CONFIGURATION / "prometheus.yml").read_text())
    assert len(targets) > 5
    observed = networks_of(SERVICES["prometheus"])
    for name, _ in targets:
        if name != "localhost":
            assert networks_of(SERVICES[name]) & observed, name
