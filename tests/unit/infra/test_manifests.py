"""Manifests for clusters say what docker-compose.yml says, in forms that Kubernetes' own schemas
accept.
"""

from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from infra.manifests.__main__ import render
from infra.manifests.workloads import SINGLE, Workload, read_workloads
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

ROOT = Path(__file__).parents[3]
read_schema = cache(utils.schema_contents)
VERSIONS = ("1.35", "1.37") if LONG else ("1.37",)
MANIFESTS: list[dict[str, Any]] = list(
    yaml.load_all(
        (ROOT / "infra/kubernetes/luna.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
)
STACK: dict[str, Any] = yaml.load(
    (ROOT / "infra/swarm/stack.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)
WORKLOADS = {each.name: each for each in read_workloads()}
EACH = each_row("workload", WORKLOADS.values(), ids=WORKLOADS)


def find(kind: str, name: str) -> dict[str, Any] | None:
    return next(
        (each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name)),
        None,
    )


def runs(name: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in MANIFESTS
        if each["kind"] in {"Deployment", "StatefulSet", "Job"} and selected_name(each) == name
    )
    return found


def selected_name(manifest: dict[str, Any]) -> str:
    name: str = manifest["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
    return name


def pod_of(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = runs(name)["spec"]["template"]["spec"]
    return spec


@cache
def rendered() -> dict[str, str]:
    return render()


@each_row("path", rendered)
def test_the_files_are_what_compose_says_today(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == rendered()[path], "run make manifests"


@each_row("version", VERSIONS)
@each_row("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_kubernetes_own_schema_accepts_each_manifest(
    manifest: dict[str, Any], version: str
) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.fixture(autouse=True)
def read_each_schema_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep schemas, of two megabytes, that the library reads for each manifest anew."""
    monkeypatch.setattr(utils, "schema_contents", read_schema)


@EACH
def test_command_settings_and_secrets_are_those_of_compose(workload: Workload) -> None:
    (container,) = pod_of(workload.name)["containers"]
    service = STACK["services"][workload.name]
    assert container.get("args", []) == [
        word.replace("$$", "$") for word in workload.content.get("command", [])
    ]
    assert service.get("command", []) == workload.content.get("command", [])
    assert (
        {each["name"] for each in container["env"]}
        == set(workload.environment)
        == set(service["environment"])
    )
    assert {
        each["mountPath"] for each in container["volumeMounts"] if each["name"] == "secrets"
    } == set(workload.secrets.values())
    assert {each["source"] for each in service["secrets"]} == set(workload.secrets)


@EACH
def test_nothing_may_become_more_than_it_is(workload: Workload) -> None:
    (container,) = pod_of(workload.name)["containers"]
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert not pod_of(workload.name)["automountServiceAccountToken"]
    assert {"cpu", "memory"} == set(container["resources"]["limits"])


@each_row("name", sorted(SINGLE))
def test_what_may_be_there_once_is_never_there_twice(name: str) -> None:
    assert (runs(name)["spec"]["replicas"], runs(name)["spec"]["strategy"]["type"]) == (
        1,
        "Recreate",
    )
    assert find("HorizontalPodAutoscaler", name) is None
    deploy = STACK["services"][name]["deploy"]
    assert (deploy["replicas"], deploy["update_config"]["order"]) == (1, "stop-first")


@each_row(
    "workload",
    [each for each in WORKLOADS.values() if each.kind in {"worker", "gateway"}],
    ids=lambda each: each.name,
)
def test_a_process_that_hangs_is_found_and_one_that_is_not_ready_is_spared(
    workload: Workload,
) -> None:
    (container,) = pod_of(workload.name)["containers"]
    assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {
        "/health/live"
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["port"] == workload.health_port


@each_row(
    "workload",
    [each for each in WORKLOADS.values() if each.is_awaited and not each.is_alone],
    ids=lambda each: each.name,
)
def test_of_what_somebody_waits_for_one_sessions_while_a_node_is_emptied(
    workload: Workload,
) -> None:
    budget = find("PodDisruptionBudget", workload.name)
    scaled = find("HorizontalPodAutoscaler", workload.name)
    assert budget is not None
    assert scaled is not None
    assert (budget["spec"]["minAvailable"], scaled["spec"]["minReplicas"]) == (1, 2)


@each_row(
    "workload", [each for each in WORKLOADS.values() if each.is_alone], ids=lambda each: each.name
)
def test_what_is_there_once_lets_its_node_be_emptied(workload: Workload) -> None:
    assert find("PodDisruptionBudget", workload.name) is None
    assert find("HorizontalPodAutoscaler", workload.name) is None


def test_files_that_are_read_lie_in_a_folder_of_each_pod() -> None:
    assert {"name": "reading", "emptyDir": {"sizeLimit": "5Gi"}} in pod_of("rag")["volumes"]
    assert {"type": "volume", "target": "/var/lib/luna"} in STACK["services"]["rag"]["volumes"]
    assert find("HorizontalPodAutoscaler", "rag") is not None


@each_row(
    "workload",
    [each for each in WORKLOADS.values() if each.follows_migration],
    ids=lambda each: each.name,
)
def test_who_waits_for_the_tables_does_so_with_the_settings_it_runs_with(
    workload: Workload,
) -> None:
    (waiting,) = pod_of(workload.name)["initContainers"]
    (container,) = pod_of(workload.name)["containers"]
    assert waiting["command"] == ["tini", "--", "python", "-m", "luna.platform.health.schema"]
    assert all(
        waiting[key] == container[key]
        for key in ("image", "env", "volumeMounts", "securityContext")
    )


def test_a_queue_that_fills_brings_workers() -> None:
    scaled = find("HorizontalPodAutoscaler", "planner")
    assert scaled is not None
    (metric,) = scaled["spec"]["metrics"]
    assert metric["external"]["metric"] == {
        "name": "luna_queue_waiting_tasks",
        "selector": {"matchLabels": {"queue": "planner.interactive"}},
    }


def test_by_itself_nobody_talks_to_anybody() -> None:
    nobody = find("NetworkPolicy", "nobody")
    assert nobody is not None
    assert nobody["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    selected = {
        key
        for each in MANIFESTS
        if each["kind"] == "NetworkPolicy"
        for key in each["spec"]["podSelector"].get("matchLabels", {})
    }
    labelled = {
        key
        for name in WORKLOADS
        for key in runs(name)["spec"]["template"]["metadata"]["labels"]
        if key.startswith("energy.luna/")
    }
    assert labelled - selected == {"energy.luna/proxy"}


def test_who_may_not_leave_in_compose_may_not_leave_in_a_cluster() -> None:
    leaves = {
        name
        for name in WORKLOADS
        if "energy.luna/egress" in runs(name)["spec"]["template"]["metadata"]["labels"]
    }
    assert leaves == {name for name, each in WORKLOADS.items() if "egress" in each.networks}


def test_a_volume_that_two_write_to_stays_on_one_node() -> None:
    assert (
        pod_of("ingest")["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ][0]["topologyKey"]
        == "kubernetes.io/hostname"
    )
    assert (
        STACK["services"]["ingest"]["deploy"]["placement"]
        == STACK["services"]["recorder"]["deploy"]["placement"]
    )


@EACH
def test_a_swarm_that_ends_what_is_unhealthy_waits_a_minute_for_it(workload: Workload) -> None:
    said = STACK["services"][workload.name].get("healthcheck", {})
    compose = workload.content.get("healthcheck", {})
    assert (said.get("test"), said.get("start_period")) == (
        compose.get("test"),
        compose.get("start_period"),
    )
    assert not said or (
        int(said["interval"].removesuffix("s")) * said["retries"],
        said["timeout"],
    ) == (60, "30s")


def test_in_a_swarm_names_lead_to_containers_but_for_what_is_published() -> None:
    published = {name for name, each in STACK["services"].items() if "ports" in each}
    assert (
        {
            name
            for name, each in STACK["services"].items()
            if each["deploy"].get("endpoint_mode") != "dnsrr"
        }
        == published
        == {"api"}
    )


def test_the_databases_shared_memory_is_as_large_in_a_swarm() -> None:
    (shared,) = (each for each in STACK["services"]["db"]["volumes"] if "target" in each)
    # The database's shared memory is found nowhere else.
    assert (shared["target"], shared["tmpfs"]["size"]) == ("/dev/shm", 256 * 2**20)  # noqa: S108
    assert WORKLOADS["db"].content["shm_size"] == "256m"


def test_across_nodes_what_is_internal_is_encrypted() -> None:
    assert {
        name for name, each in STACK["networks"].items() if each["driver_opts"].get("encrypted")
    } == {"data", "observability", "proxy"}


def test_every_secret_is_one_that_make_secrets_makes() -> None:
    made = (ROOT / "infra/make-secrets").read_text(encoding="utf-8")
    assert [name for each in WORKLOADS.values() for name in each.secrets if name not in made] == []
