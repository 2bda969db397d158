"""What an API server and a swarm ask beyond their schemas: each rule finds what it is there for,
and nothing in what is written.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from infra.manifests import kubernetes, rules, swarm, swarm_rules
from infra.manifests.__main__ import find_faults
from infra.manifests.workloads import Workload, read_workloads
from tests.support.suite.tables import each_row

Manifest = dict[str, Any]

WORKLOADS = read_workloads()
MAP = {"kind": "ConfigMap", "metadata": {"name": "store-files"}, "data": {"conf": ""}}
CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "kept"},
    "spec": {"accessModes": ["ReadWriteOnce"]},
}
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "store"},
    "spec": {"selector": {"name": "store"}},
}
BUDGET = {
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "worker"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"name": "worker"}}},
}
SCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "worker"},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "worker"},
        "minReplicas": 2,
        "maxReplicas": 6,
    },
}
VOLUMES = [
    {"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}},
    {"name": "files", "configMap": {"name": "store-files"}},
]
MOUNTS = [
    {"name": "kept", "mountPath": "/data"},
    {"name": "files", "mountPath": "/etc/conf", "subPath": "conf"},
]
WAIT = {
    "name": "schema",
    "image": "luna:1",
    "command": ["python", "-m", "luna.platform.health.schema"],
}
TOGETHER = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {
        "matchExpressions": [{"key": "name", "operator": "In", "values": ["worker", "other"]}]
    },
}


def run(kind: str, name: str, pod: Manifest, **spec: Any) -> Manifest:
    template = {"metadata": {"labels": {"name": name}}, "spec": pod}
    return {
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"name": name}}, "template": template, **spec},
    }


def store() -> Manifest:
    container = {
        "name": "store",
        "image": "store:1",
        "volumeMounts": MOUNTS,
        "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    }
    return run(
        "StatefulSet",
        "store",
        {"securityContext": {"fsGroup": 1}, "containers": [container], "volumes": VOLUMES},
        replicas=1,
        serviceName="store",
    )


def worker(name: str = "worker", **pod: Any) -> Manifest:
    container = {
        "name": name,
        "image": "luna:1",
        "env": [{"name": "LUNA_DATABASE_URL", "value": "postgresql://db"}],
    }
    return run(
        "Deployment",
        name,
        {"containers": [container], "initContainers": [WAIT], **pod},
        strategy={"type": "Recreate"},
    )


def keeper(name: str, *terms: Manifest) -> Manifest:
    """A worker that writes to the claim."""
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}
    return worker(
        name,
        volumes=[{"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}],
        securityContext={"fsGroup": 1},
        affinity=affinity,
    )


def installation() -> list[Manifest]:
    """A store, and a worker that scales, with which all is well."""
    return copy.deepcopy([MAP, CLAIM, SERVICE, store(), worker(), SCALER, BUDGET])


def change(*path: Any, value: Any) -> list[Manifest]:
    """Return the installation with one value changed."""
    documents = installation()
    found: Any = documents
    for step in path[:-1]:
        found = found[step]
    found[path[-1]] = value
    return documents


STORE = (3, "spec", "template", "spec")
WORKER = (4, "spec", "template", "spec")
CONTAINER = (*STORE, "containers", 0)
BAD = {
    "an object twice": (
        rules.find_repeated_names,
        [*installation(), copy.deepcopy(MAP)],
        "ConfigMap store-files is there 2 times",
    ),
    "a volume twice": (
        rules.find_repeated_names,
        change(*STORE, "volumes", value=[*VOLUMES, VOLUMES[1]]),
        "StatefulSet store has 2 times the volume files",
    ),
    "two things at one place": (
        rules.find_repeated_names,
        change(
            *CONTAINER, "volumeMounts", value=[*MOUNTS, {**MOUNTS[0], "mountPath": "/etc/conf"}]
        ),
        "StatefulSet store has 2 times the mount at /etc/conf",
    ),
    "a mount of no volume": (
        rules.find_unresolved_volumes,
        change(*STORE, "volumes", value=VOLUMES[:1]),
        "StatefulSet store: /etc/conf mounts the volume files, which the pod has not",
    ),
    "a file of no map": (
        rules.find_unresolved_volumes,
        change(0, "data", value={}),
        "StatefulSet store: /etc/conf is no key of the ConfigMap store-files",
    ),
    "a claim of nobody": (
        rules.find_unresolved_volumes,
        change(1, "metadata", "name", value="other"),
        "StatefulSet store mounts the claim kept, which is not there",
    ),
    "a secret of nobody": (
        rules.find_unresolved_volumes,
        change(*WORKER, "volumes", value=[{"name": "secrets", "secret": {"secretName": "others"}}]),
        "Deployment worker mounts the secret others, which is not there",
    ),
    "a setting of nobody": (
        rules.find_unresolved_volumes,
        change(
            *WORKER,
            "containers",
            0,
            "env",
            0,
            value={
                "name": "LEVEL",
                "valueFrom": {"configMapKeyRef": {"name": "store-files", "key": "level"}},
            },
        ),
        "Deployment worker reads level of the ConfigMap store-files, which is not there",
    ),
    "pods of another name": (
        rules.find_selectors_without_pods,
        change(4, "spec", "selector", "matchLabels", "name", value="other"),
        "Deployment worker does not select its own pods",
    ),
    "a service of nobody": (
        rules.find_selectors_without_pods,
        change(2, "spec", "selector", "name", value="other"),
        "Service store selects no pod",
    ),
    "a store without its service": (
        rules.find_selectors_without_pods,
        change(3, "spec", "serviceName", value="other"),
        "StatefulSet store names the Service other, which is not there",
    ),
    "a scaler of nobody": (
        rules.find_selectors_without_pods,
        change(5, "spec", "scaleTargetRef", "name", value="other"),
        "HorizontalPodAutoscaler worker scales Deployment other, which is not there",
    ),
    "a request above its limit": (
        rules.find_requests_above_limits,
        change(*CONTAINER, "resources", "limits", "memory", value="1023Mi"),
        "StatefulSet store asks for 1Gi of memory, more than its limit of 1023Mi",
    ),
    "replicas on one claim": (
        rules.find_shared_claims,
        change(3, "spec", "replicas", value=2),
        "StatefulSet store scales to 2 on the claim kept, which one node mounts",
    ),
    "a scaler on one claim": (
        rules.find_shared_claims,
        [CLAIM, keeper("worker"), SCALER],
        "Deployment worker scales to 6 on the claim kept, which one node mounts",
    ),
    "a rolling update on one claim": (
        rules.find_shared_claims,
        [
            CLAIM,
            run(
                "Deployment",
                "worker",
                {"containers": [], "volumes": VOLUMES[:1]},
                strategy={"type": "RollingUpdate"},
            ),
        ],
        "Deployment worker replaces its pod while the old one has the claim kept",
    ),
    "two who each wait for the other": (
        rules.find_shared_claims,
        [
            CLAIM,
            keeper("worker", TOGETHER),
            keeper("other", {**TOGETHER, "labelSelector": {"matchLabels": {"name": "worker"}}}),
        ],
        (
            "Deployment other shares the claim kept and does not keep to the node of all who "
            "do, itself included"
        ),
    ),
    "a budget of one": (
        rules.find_blocking_budgets,
        [worker(), BUDGET],
        "PodDisruptionBudget worker keeps 1 of 1: no node with one of them is ever drained",
    ),
    "a budget that lets nobody go": (
        rules.find_blocking_budgets,
        change(
            6, "spec", value={"maxUnavailable": 0, "selector": {"matchLabels": {"name": "worker"}}}
        ),
        "PodDisruptionBudget worker keeps all of 2: no node with one of them is ever drained",
    ),
    "a claim without a group": (
        rules.find_claims_without_group,
        change(*STORE, "securityContext", value={}),
        "StatefulSet store writes to the claim kept without an fsGroup",
    ),
    "nobody waits": (
        rules.find_starts_before_migration,
        change(*WORKER, "initContainers", value=[]),
        "Deployment worker starts before the migration has ended",
    ),
    "another release waits": (
        rules.find_starts_before_migration,
        change(*WORKER, "initContainers", 0, "image", value="luna:2"),
        "Deployment worker starts before the migration has ended",
    ),
}


def test_of_an_installation_that_is_well_no_rule_finds_anything() -> None:
    assert rules.find_faults(installation()) == []
    assert rules.find_faults([CLAIM, keeper("worker", TOGETHER), keeper("other", TOGETHER)]) == []


@each_row("rule, documents, fault", BAD.values(), ids=list(BAD))
def test_each_rule_finds_its_fault(
    rule: Callable[[list[Manifest]], list[str]], documents: list[Manifest], fault: str
) -> None:
    assert rule(documents) == [fault]


def test_every_rule_has_a_case_in_which_it_finds_something() -> None:
    assert {rule for rule, _, _ in BAD.values()} == set(rules.RULES)
    assert {rule for rule, _, _ in BAD_STACKS.values()} == set(swarm_rules.RULES)


def job(image: str) -> Manifest:
    return run("Job", "migrate", {"containers": [{"name": "migrate", "image": image}]})


@each_row(
    "before, after, faults",
    [
        ([job("luna:1")], [job("luna:2")], ["Job migrate changes template, which is immutable"]),
        ([job("luna:1")], [job("luna:1")], []),
        (
            installation(),
            change(3, "spec", "serviceName", value="other"),
            ["StatefulSet store changes serviceName, which is immutable"],
        ),
        (
            installation(),
            change(4, "spec", "selector", "matchLabels", value={}),
            ["Deployment worker changes selector, which is immutable"],
        ),
        (
            installation(),
            change(1, "spec", "accessModes", value=["ReadWriteMany"]),
            ["PersistentVolumeClaim kept changes accessModes, which is immutable"],
        ),
        (
            installation(),
            change(1, "spec", "resources", value={"requests": {"storage": "9Gi"}}),
            [],
        ),
        (installation(), change(3, "spec", "replicas", value=2), []),
        (
            [{**MAP, "immutable": True}],
            [{**MAP, "immutable": True, "data": {}}],
            ["ConfigMap store-files changes data, which is immutable"],
        ),
        ([MAP], [{**MAP, "data": {}}], []),
    ],
)
def test_what_never_changes_is_found_over_an_upgrade(
    before: list[Manifest], after: list[Manifest], faults: list[str]
) -> None:
    assert rules.find_immutable_changes(before, after) == faults


def test_what_is_written_is_taken_by_both() -> None:
    assert find_faults() == []


def next_release(workload: Workload) -> Workload:
    return replace(
        workload,
        content={
            **workload.content,
            "image": workload.content["image"].replace(":-0.1.0}", ":-0.2.0}"),
        },
    )


def test_the_next_release_is_applied_over_this_one_and_migrates_anew() -> None:
    before = list(kubernetes.render(WORKLOADS))
    after = list(kubernetes.render([next_release(each) for each in WORKLOADS]))
    assert rules.find_immutable_changes(before, after) == []
    (old,), (new,) = (
        [name for each in found if (name := each["metadata"]["name"]).startswith("migrate-")]
        for found in (before, after)
    )
    assert old != new
    assert before == list(kubernetes.render(WORKLOADS))


def test_files_of_one_name_and_different_content_are_not_written_into_one_map() -> None:
    (database,) = (each for each in WORKLOADS if each.name == "db")
    content = {
        **database.content,
        "volumes": ["./README.md:/c:ro", "./docs/decisions/README.md:/d:ro"],
    }
    with pytest.raises(ValueError, match=r"db mounts different files of one name: README\.md"):
        list(kubernetes.render([replace(database, content=content)]))


# ---- swarm ---------------------------------------------------------------------------------------


def change_stack(*path: Any, value: Any) -> dict[str, Any]:
    """Return the stack with one value changed."""
    stack: dict[str, Any] = copy.deepcopy(swarm.render(WORKLOADS))
    found: Any = stack
    for step in path[:-1]:
        found = found[step]
    found[path[-1]] = value
    return stack


INGEST = ("services", "ingest")
BAD_STACKS = {
    "a port twice": (
        swarm_rules.find_repeated_places,
        change_stack(*INGEST, "ports", value=["${LUNA_API_PORT:-8080}:9100"]),
        "${LUNA_API_PORT:-8080} is published 2 times",
    ),
    "a place twice": (
        swarm_rules.find_repeated_places,
        change_stack(
            *INGEST,
            "volumes",
            value=["spool:/var/lib/luna", {"type": "tmpfs", "target": "/var/lib/luna"}],
        ),
        "ingest has 2 things at /var/lib/luna",
    ),
    "a volume of nobody": (
        swarm_rules.find_unresolved_names,
        change_stack(*INGEST, "volumes", value=["other:/var/lib/luna"]),
        "ingest names other, which is none of the stack's volumes",
    ),
    "a network of nobody": (
        swarm_rules.find_unresolved_names,
        change_stack(*INGEST, "networks", value=["other"]),
        "ingest names other, which is none of the stack's networks",
    ),
    "a secret of nobody": (
        swarm_rules.find_unresolved_names,
        change_stack(
            *INGEST, "secrets", value=[{"source": "other", "target": "/run/secrets/other"}]
        ),
        "ingest names other, which is none of the stack's secrets",
    ),
    "a reservation above its limit": (
        swarm_rules.find_reservations_above_limits,
        change_stack(*INGEST, "deploy", "resources", "reservations", value={"memory": "1025M"}),
        "ingest reserves more memory than its limit",
    ),
    "replicas on one volume": (
        swarm_rules.find_shared_volumes,
        change_stack("services", "executor", "deploy", "replicas", value=2),
        "executor runs 2 times on the volume devices",
    ),
    "a volume of any node": (
        swarm_rules.find_shared_volumes,
        change_stack(
            "services",
            "executor",
            "deploy",
            "placement",
            value={"preferences": [{"spread": "node.id"}]},
        ),
        "executor may find another node's volume devices",
    ),
    "the new one before the old one": (
        swarm_rules.find_shared_volumes,
        change_stack(
            "services", "executor", "deploy", "update_config", "order", value="start-first"
        ),
        "executor is replaced while the old one has the volume devices",
    ),
    "nobody waits": (
        swarm_rules.find_starts_before_migration,
        change_stack(*INGEST, "entrypoint", value=["tini", "--", "entrypoint"]),
        "ingest starts before the migration has ended",
    ),
    "a config of any content": (
        swarm_rules.find_immutable_changes,
        change_stack("configs", "redis_start", "name", value="luna_redis_start"),
        "the config redis_start keeps its name when its content changes",
    ),
}


@each_row("rule, stack, fault", BAD_STACKS.values(), ids=list(BAD_STACKS))
def test_each_rule_of_a_swarm_finds_its_fault(
    rule: Callable[[dict[str, Any]], list[str]], stack: dict[str, Any], fault: str
) -> None:
    assert rule(stack) == [fault]
