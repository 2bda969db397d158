"""Rules of Kubernetes for manifests, beyond their schemas.

They are those of an API server, its scheduler and its disruption budgets.

Each rule takes the documents of one installation and returns what is wrong, in words; nothing where
all is well.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

Manifest = Mapping[str, Any]
Rule = Callable[[Sequence[Manifest]], list[str]]

# Made by hand, from files that are no part of the manifests.
EXTERNAL_SECRETS = frozenset({"luna-secrets"})
SCHEMA_WAIT = "luna.platform.health.schema"
_RUNS = ("Deployment", "StatefulSet", "Job")
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>m|[KMGT]i?)?")
_UNITS = {
    "m": Fraction(1, 1000),
    **{
        f"{letter}{i}": Fraction((1024 if i else 1000) ** power)
        for power, letter in enumerate("KMGT", 1)
        for i in ("", "i")
    },
}
# Which fields of a spec never change while their object exists, and of which kinds all do not but
# these.
_FIXED = {
    "Job": {"template", "selector", "completions", "completionMode"},
    "Deployment": {"selector"},
    "Service": {"clusterIP"},
    "ConfigMap": {"data"},
}
_CHANGEABLE = {
    "StatefulSet": {
        "replicas",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
    },
    "PersistentVolumeClaim": {"resources"},
}


def find_faults(documents: Sequence[Manifest]) -> list[str]:
    """Return what every rule finds."""
    return [fault for rule in RULES for fault in rule(documents)]


# ---- names and references ------------------------------------------------------------------------


def find_repeated_names(documents: Sequence[Manifest]) -> list[str]:
    """An object is there once; a list whose entries are merged by a key has each key once."""
    faults = [
        f"{kind} {name} is there {count} times"
        for (kind, name), count in Counter(map(_identify, documents)).items()
        if count > 1
    ]
    for document, pod in _pods(documents):
        lists = [
            ("volume", "name", pod.get("volumes", [])),
            ("container", "name", [*pod["containers"], *pod.get("initContainers", [])]),
        ]
        for container in _containers(pod):
            keys = (
                ("variable", "name", "env"),
                ("mount at", "mountPath", "volumeMounts"),
                ("port", "containerPort", "ports"),
            )
            lists += [(what, key, container.get(field, [])) for what, key, field in keys]
        for what, key, entries in lists:
            counts = Counter(entry[key] for entry in entries)
            faults += [
                f"{_title(document)} has {count} times the {what} {name}"
                for name, count in counts.items()
                if count > 1
            ]
    return faults


def find_unresolved_volumes(documents: Sequence[Manifest]) -> list[str]:
    """Check that mounts name volumes of the pod.

    Sources of volumes and variables must exist as well.
    """
    maps = {
        each["metadata"]["name"]: each.get("data", {})
        for each in documents
        if each["kind"] == "ConfigMap"
    }
    claims = {
        each["metadata"]["name"] for each in documents if each["kind"] == "PersistentVolumeClaim"
    }
    faults = []
    for document, pod in _pods(documents):
        volumes = {each["name"]: each for each in pod.get("volumes", [])}
        for each in volumes.values():
            claim = _claim(each)
            source = each.get("configMap", {}).get("name")
            secret = each.get("secret", {}).get("secretName")
            faults += (
                [f"{_title(document)} mounts the claim {claim}, which is not there"]
                if claim and claim not in claims
                else []
            )
            faults += (
                [f"{_title(document)} mounts the ConfigMap {source}, which is not there"]
                if source and source not in maps
                else []
            )
            faults += (
                [f"{_title(document)} mounts the secret {secret}, which is not there"]
                if secret and secret not in EXTERNAL_SECRETS
                else []
            )
        for container in _containers(pod):
            for mount in container.get("volumeMounts", []):
                faults += [
                    f"{_title(document)}: {fault}"
                    for fault in _check_mount(mount, volumes.get(mount["name"]), maps)
                ]
            for variable in container.get("env", []):
                asked = variable.get("valueFrom", {}).get("configMapKeyRef")
                if (
                    asked
                    and not asked.get("optional")
                    and asked["key"] not in maps.get(asked["name"], {})
                ):
                    faults.append(
                        f"{_title(document)} reads {asked['key']} of the ConfigMap "
                        f"{asked['name']}, which is not there"
                    )
    return faults


def _check_mount(
    mount: Manifest, volume: Manifest | None, maps: Mapping[str, Manifest]
) -> list[str]:
    if volume is None:
        return [f"{mount['mountPath']} mounts the volume {mount['name']}, which the pod has not"]
    kept = maps.get(volume.get("configMap", {}).get("name", ""))
    if kept is not None and "subPath" in mount and mount["subPath"] not in kept:
        return [f"{mount['mountPath']} is no key of the ConfigMap {volume['configMap']['name']}"]
    return []


def find_selectors_without_pods(documents: Sequence[Manifest]) -> list[str]:
    """A selector finds its own pods; what scales, serves or protects others finds somebody."""
    labels = {
        _identify(each): each["spec"]["template"]["metadata"].get("labels", {})
        for each in documents
        if each["kind"] in _RUNS
    }
    faults = []
    for each in documents:
        spec = each.get("spec", {})
        if each["kind"] in {"Deployment", "StatefulSet"} and not _selects(
            spec["selector"], labels[_identify(each)]
        ):
            faults.append(f"{_title(each)} does not select its own pods")
        if each["kind"] == "StatefulSet" and ("Service", spec["serviceName"]) not in map(
            _identify, documents
        ):
            faults.append(
                f"{_title(each)} names the Service {spec['serviceName']}, which is not there"
            )
        selector = {
            "Service": {"matchLabels": spec.get("selector", {})},
            "PodDisruptionBudget": spec.get("selector"),
        }.get(each["kind"])
        if selector is not None and not any(_selects(selector, found) for found in labels.values()):
            faults.append(f"{_title(each)} selects no pod")
        if (
            each["kind"] == "HorizontalPodAutoscaler"
            and (target := spec["scaleTargetRef"])
            and (target["kind"], target["name"]) not in labels
        ):
            faults.append(
                f"{_title(each)} scales {target['kind']} {target['name']}, which is not there"
            )
    return faults


# ---- amounts -------------------------------------------------------------------------------------


def find_requests_above_limits(documents: Sequence[Manifest]) -> list[str]:
    """No container asks for more than it may have."""
    return [
        f"{_title(document)} asks for {amount} of {what}, more than its limit of {limits[what]}"
        for document, pod in _pods(documents)
        for container in _containers(pod)
        for limits in [container.get("resources", {}).get("limits", {})]
        for what, amount in container.get("resources", {}).get("requests", {}).items()
        if what in limits and _read_quantity(amount) > _read_quantity(limits[what])
    ]


def find_shared_claims(documents: Sequence[Manifest]) -> list[str]:
    """Check that pods of one node write a claim of one node.

    Replicas never do, and two workloads only where both keep to one node.
    """
    single = {
        each["metadata"]["name"]
        for each in documents
        if each["kind"] == "PersistentVolumeClaim"
        and "ReadWriteMany" not in each["spec"]["accessModes"]
    }
    faults: list[str] = []
    users: dict[str, list[Manifest]] = {}
    for document, pod in _pods(documents):
        _, most = _replicas(document, documents)
        for claim in sorted(single.intersection(filter(None, map(_claim, pod.get("volumes", []))))):
            users.setdefault(claim, []).append(document)
            if most > 1:
                faults.append(
                    f"{_title(document)} scales to {most} on the claim {claim}, which one "
                    "node mounts"
                )
            if (
                document["kind"] == "Deployment"
                and document["spec"].get("strategy", {}).get("type") != "Recreate"
            ):
                faults.append(
                    f"{_title(document)} replaces its pod while the old one has the claim {claim}"
                )
    for claim, sharers in users.items():
        apart = [
            each
            for each in sharers
            if len(sharers) > 1 and not all(_sessions_with(each, other) for other in sharers)
        ]
        faults += [
            (
                f"{_title(each)} shares the claim {claim} and does not keep to the node of all "
                "who do, itself included"
            )
            for each in apart
        ]
    return faults


def find_blocking_budgets(documents: Sequence[Manifest]) -> list[str]:
    """A budget lets one pod go, or no node is ever drained."""
    faults = []
    for budget in documents:
        if budget["kind"] != "PodDisruptionBudget":
            continue
        spec = budget["spec"]
        chosen = [
            each
            for each, _ in _pods(documents)
            if _selects(budget["spec"]["selector"], _labels(each))
        ]
        least = sum(_replicas(each, documents)[0] for each in chosen)
        if spec.get("maxUnavailable", 1) == 0 or (
            "minAvailable" in spec and least <= spec["minAvailable"]
        ):
            faults.append(
                f"{_title(budget)} keeps {spec.get('minAvailable', 'all')} of {least}: no "
                "node with one of them is ever drained"
            )
    return faults


# ---- what a pod finds when it starts -------------------------------------------------------------


def find_claims_without_group(documents: Sequence[Manifest]) -> list[str]:
    """A new volume belongs to root: who writes to one names the group that it is given to."""
    return [
        f"{_title(document)} writes to the claim {claim} without an fsGroup"
        for document, pod in _pods(documents)
        for claim in filter(None, map(_claim, pod.get("volumes", [])))
        if "fsGroup" not in pod.get("securityContext", {})
    ]


def find_starts_before_migration(documents: Sequence[Manifest]) -> list[str]:
    """Check that users of the database wait for the tables of their own image."""
    faults = []
    for document, pod in _pods(documents):
        asks = document["kind"] != "Job" and any(
            each["name"] == "LUNA_DATABASE_URL"
            for container in pod["containers"]
            for each in container.get("env", [])
        )
        waiting = [
            each["image"]
            for each in pod.get("initContainers", [])
            if SCHEMA_WAIT in (*each.get("command", ()), *each.get("args", ()))
        ]
        if asks and waiting != [pod["containers"][0]["image"]]:
            faults.append(f"{_title(document)} starts before the migration has ended")
    return faults


# ---- the next apply ------------------------------------------------------------------------------


def find_immutable_changes(before: Sequence[Manifest], after: Sequence[Manifest]) -> list[str]:
    """Return the changes from ``before`` to ``after`` that an API server refuses.

    They are of fields that never change while their object exists.
    """
    was = {_identify(each): each for each in before}
    return [
        f"{_title(each)} changes {field}, which is immutable"
        for each in after
        if (old := was.get(_identify(each))) is not None
        for field in sorted(_immutable(each).keys() | _immutable(old).keys())
        if _immutable(each).get(field) != _immutable(old).get(field)
    ]


def _immutable(document: Manifest) -> dict[str, Any]:
    kind = document["kind"]
    content = document.get("spec", {}) | (
        {"data": document["data"]} if document.get("immutable") else {}
    )
    fixed = content.keys() - _CHANGEABLE[kind] if kind in _CHANGEABLE else _FIXED.get(kind, set())
    return {field: value for field, value in content.items() if field in fixed}


# ---- reading manifests ---------------------------------------------------------------------------


def _identify(document: Manifest) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _title(document: Manifest) -> str:
    return " ".join(_identify(document))


def _pods(documents: Sequence[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    return ((each, each["spec"]["template"]["spec"]) for each in documents if each["kind"] in _RUNS)


def _containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def _labels(document: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = document["spec"]["template"]["metadata"].get("labels", {})
    return labels


def _claim(volume: Manifest) -> str | None:
    name: str | None = volume.get("persistentVolumeClaim", {}).get("claimName")
    return name


def _selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    listed = all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])
    )
    return listed and selector.get("matchLabels", {}).items() <= labels.items()


def _sessions_with(document: Manifest, other: Manifest) -> bool:
    # The first pod of all is placed only where its own labels fulfil what it asks for.
    affinity = document["spec"]["template"]["spec"].get("affinity", {}).get("podAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    return any(
        term["topologyKey"] == "kubernetes.io/hostname"
        and _selects(term["labelSelector"], _labels(other))
        for term in terms
    )


def _replicas(document: Manifest, documents: Sequence[Manifest]) -> tuple[int, int]:
    """Return how many there are at least and at most."""
    kind, name = _identify(document)
    for each in documents:
        if each["kind"] == "HorizontalPodAutoscaler" and (
            each["spec"]["scaleTargetRef"]["kind"],
            each["spec"]["scaleTargetRef"]["name"],
        ) == (kind, name):
            return each["spec"].get("minReplicas", 1), each["spec"]["maxReplicas"]
    fixed = document["spec"].get("replicas", 1)
    return fixed, fixed


def _read_quantity(amount: str | float) -> Fraction:
    found = _QUANTITY.fullmatch(str(amount))
    if found is None:
        raise ValueError(f"{amount} is no quantity")
    return Fraction(found["number"]) * _UNITS.get(found["unit"] or "", Fraction(1))


RULES: tuple[Rule, ...] = (
    find_repeated_names,
    find_unresolved_volumes,
    find_selectors_without_pods,
    find_requests_above_limits,
    find_shared_claims,
    find_blocking_budgets,
    find_claims_without_group,
    find_starts_before_migration,
)
