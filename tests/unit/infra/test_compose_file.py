"""The rules that docker-compose.yml holds, whoever edits it."""

import re
from pathlib import Path
from typing import Any

import yaml

from luna.platform.settings import Settings
from luna.platform.settings.example import OFFERED, render
from luna.platform.settings.model import EXTERNAL_SECRETS, Deployment
from luna.platform.settings.secrets import SECRETS
from tests.support.suite.tables import each_row

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.load(TEXT, Loader=yaml.CSafeLoader)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {
    name
    for name, service in SERVICES.items()
    if service["image"].startswith("luna-") and name != "fluent-bit"
}
JOBS = {"preflight", "migrate", "buckets", "models", "cli", "recovered"}
WORKERS = {
    "planner",
    "planner-jobs",
    "forecaster",
    "forecaster-interactive",
    "ingest",
    "notifier",
    "agent",
    "agent-interactive",
    "rag",
    "rag-interactive",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")

each_service = each_row("name", SERVICES)
each_of_ours = each_row("name", sorted(OURS))


@each_row("service", ["planner", "forecaster", "agent", "rag"])
def test_what_somebody_waits_for_has_a_worker_beside_that_for_jobs(service: str) -> None:
    commands = [
        each["command"]
        for each in SERVICES.values()
        if each.get("command", [])[2:4] == ["luna.platform.queue.worker", service]
    ]
    assert sorted(command[command.index("--only") + 1] for command in commands) == [
        "interactive",
        "jobs",
    ]


def test_every_part_of_the_platform_is_there() -> None:
    servers = {
        "db",
        "redis",
        "qdrant",
        "minio",
        "ollama",
        "prometheus",
        "alertmanager",
        "loki",
        "fluent-bit",
        "grafana",
        "caddy",
        "db-exporter",
        "redis-exporter",
        "machine",
    }
    assert (
        set(SERVICES)
        == {"api", "backup", "beat", "recorder", "executor", "steering", "ocpp", "home-assistant"}
        | WORKERS
        | servers
        | JOBS
    )


@each_service
def test_images_are_pinned_to_an_exact_version(name: str) -> None:
    tag = SERVICES[name]["image"].partition("@")[0].rpartition(":")[2]
    assert "latest" not in tag
    assert re.search(
        r"\d+\.\d+\.\d+|RELEASE\.\d{4}-\d\d-\d\dT|pg\d+\.\d+-ts\d+\.\d+\.\d+",
        tag.replace("${LUNA_VERSION:-", ""),
    ), tag


@each_service
def test_no_process_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", [])) <= {
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "SETGID",
        "SETUID",
        "NET_BIND_SERVICE",
    }
    assert not service.get("privileged")
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@each_of_ours
def test_lunas_own_processes_are_nobody_in_particular_on_a_root_they_cannot_write(
    name: str,
) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["tmpfs"]
    assert "cap_add" not in service


@each_service
def test_nothing_takes_more_than_its_share(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert {"memory", "cpus", "pids"} == set(limits)
    assert service["logging"]["driver"] == "json-file"
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


@each_row("name", sorted(set(SERVICES) - JOBS))
def test_what_stays_is_started_again_and_watched(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries"} <= set(SERVICES[name]["healthcheck"])


@each_row("name", [name for name in SERVICES if name not in JOBS or name == "recovered"])
def test_a_busy_machine_makes_no_service_unwell(name: str) -> None:
    # `up --wait` ends as soon as one is: at a load of eight for each processor a check of one
    # second takes eight or more, and a server that starts beside all others, or reads its disk's
    # cache anew, may answer nothing for most of a minute.
    check = SERVICES[name]["healthcheck"]
    interval, timeout, start = (
        int(check[each].removesuffix("s")) for each in ("interval", "timeout", "start_period")
    )
    assert timeout >= 30
    assert check["retries"] * interval >= 60
    assert start >= 180


@each_service
def test_start_order_is_by_health_or_success(name: str) -> None:
    conditions = {
        dependency["condition"] for dependency in SERVICES[name].get("depends_on", {}).values()
    }
    assert conditions <= {"service_healthy", "service_completed_successfully"}


def test_every_job_that_ends_has_somebody_who_waits_for_its_success() -> None:
    # Without that, `up --wait` takes a job that has ended well for a failure.
    waited_for = {other for service in SERVICES.values() for other in service.get("depends_on", {})}
    assert {name for name in JOBS if "profiles" not in SERVICES[name]} <= waited_for


def test_planning_waits_for_no_language_model_vectors_or_objects() -> None:
    pending = ["api", "beat"]
    needed = set()
    while pending:
        needs = set(SERVICES[pending.pop()].get("depends_on", {})) - needed
        needed |= needs
        pending += needs
    assert needed == {"migrate", "redis", "planner", "db", "preflight"}


def test_no_server_depends_on_an_image_that_an_update_makes_anew() -> None:
    # Compose makes everything anew that depends on a container which is: an update would begin with
    # PostgreSQL and Redis.
    servers = set(SERVICES) - OURS - {"buckets", "caddy", "recovered"}
    assert {
        name: needs
        for name in servers
        if (needs := OURS & set(SERVICES[name].get("depends_on", {})))
    } == {}
    base = re.search(
        r"^ARG PYTHON=(.+)$", (ROOT / "infra/Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert base is not None
    assert SERVICES["preflight"]["image"] == base[1]


def test_who_speaks_to_the_store_of_objects_has_its_key() -> None:
    holders = {
        name for name in OURS if "LUNA_OBJECTS_SECRET_KEY_FILE" in SERVICES[name]["environment"]
    }
    assert holders >= {"api", "forecaster", "ingest", "agent", "rag", "cli"}
    assert all("objects_secret_key" in SERVICES[name]["secrets"] for name in holders)


def test_gateway_and_grafana_publish_to_this_machine_proxy_and_charge_points_to_all() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert (SERVICES["caddy"]["profiles"], ports.pop("caddy")) == (["tls"], ["443:443", "80:80"])
    # Charge points stand in the home's network.
    assert ports.pop("ocpp") == ["8887:8887"]
    assert set(ports) == {"api", "grafana"}
    assert all(
        port.startswith("${LUNA_API_HOST:-127.0.0.1}:")
        for published in ports.values()
        for port in published
    )


def test_networks_are_closed_except_to_those_that_fetch_and_those_that_serve() -> None:
    members = {
        network: {
            name for name, service in SERVICES.items() if network in service.get("networks", [])
        }
        for network in FILE["networks"]
    }
    assert set(members) == {"edge", "proxy", "data", "egress", "observability"}
    assert members["edge"] == {"api", "grafana", "ocpp"}
    assert members["egress"] == {
        "ingest",
        "recorder",
        "executor",
        "steering",
        "notifier",
        "home-assistant",
        "rag",
        "rag-interactive",
        "models",
        "caddy",
        "alertmanager",
    }
    # The gateway believes what caddy says of a caller: nobody else may stand there.
    assert members["proxy"] == {"api", "caddy"}
    assert FILE["networks"]["proxy"]["internal"]
    assert FILE["networks"]["data"]["internal"]
    assert FILE["networks"]["observability"]["internal"]
    assert FILE["networks"]["edge"]["driver_opts"] == {
        "com.docker.network.bridge.enable_ip_masquerade": "false"
    }
    assert all(
        service.get("networks") or service.get("network_mode") == "none"
        for service in SERVICES.values()
    )


def test_data_outlive_their_containers() -> None:
    assert {"db", "cache", "vector", "objects", "models", "logs"} <= set(FILE["volumes"])
    mounted = {
        str(volume).partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert set(FILE["volumes"]) <= mounted


def test_secrets_stand_in_files_and_never_in_the_environment() -> None:
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert not re.search(r"(PASSWORD|SECRET|API_KEY|TOKEN)$", name), name
    assert set(FILE["secrets"]) == {*SECRETS, *EXTERNAL_SECRETS, "vectors_config"}
    assert all(
        secret["file"].startswith("${LUNA_SECRETS_FOLDER}/") for secret in FILE["secrets"].values()
    )


def test_without_secrets_the_message_lists_them_and_says_how_to_make_them() -> None:
    message = FILE["x-secrets-folder"]
    assert message.startswith("${LUNA_SECRETS_FOLDER:?")
    assert "make secrets" in message
    assert all(name in message for name in SECRETS)


def test_the_script_makes_exactly_the_secrets_that_are_asked_for() -> None:
    script = (ROOT / "infra/make-secrets").read_text(encoding="utf-8")
    assert [tuple(names.split()) for names in re.findall(r"for name in ([\w ]+);", script)] == [
        SECRETS,
        EXTERNAL_SECRETS,
    ]


def test_one_process_alone_listens_and_what_it_was_given_is_asked_of_nobody() -> None:
    assert [
        name
        for name, service in SERVICES.items()
        if "services.ingest.live" in service.get("command", [])
    ] == ["recorder"]
    assert not set(EXTERNAL_SECRETS) & set(SERVICES["preflight"]["secrets"])


def test_every_setting_given_to_luna_is_one() -> None:
    given = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert {name.removeprefix("LUNA_").removesuffix("_FILE").lower() for name in given} <= set(
        Settings.model_fields
    )


def test_every_process_of_luna_reads_the_file_of_further_settings() -> None:
    assert [
        name
        for name in OURS
        if SERVICES[name].get("env_file") != [{"path": "settings.env", "required": False}]
    ] == []


def test_the_example_of_the_environment_is_made_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == render()


def test_the_example_explains_at_most_seventeen_variables_and_misses_none_of_the_file() -> None:
    lines = render().splitlines()
    variables = [line.partition("=")[0] for line in lines if re.match(r"[A-Z_]+=", line)]
    assert len(variables) <= 17
    assert all(
        lines[lines.index(line) - 1].startswith("# ")
        for line in lines
        if re.match(r"[A-Z_]+=", line)
    )
    assert {found[1] for found in VARIABLE.finditer(TEXT)} <= {*variables, "COMPOSE_PROJECT_NAME"}


def test_the_files_defaults_are_those_of_the_settings() -> None:
    defaults = {name.upper(): field.default for name, field in Deployment.model_fields.items()}
    defaults |= {f"LUNA_{name.upper()}": Settings.model_fields[name].default for name in OFFERED}
    stated = {
        (found[1], found[3])
        for found in VARIABLE.finditer(TEXT)
        if found[2] == "-" and found[3] and found[1] in defaults
    }
    assert {name for name, _ in stated} >= {
        "LUNA_API_HOST",
        "LUNA_API_PORT",
        "LUNA_GRAFANA_PORT",
        "LUNA_CPUS",
        "LUNA_VERSION",
        "LUNA_LANGUAGE_MODEL",
    }
    assert all(
        value == f"{defaults[name]:g}"
        if isinstance(defaults[name], float | int)
        else value == defaults[name]
        for name, value in stated
    )
