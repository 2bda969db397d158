"""Kubernetes: one namespace, a Deployment per worker, a StatefulSet per store.

Network policies say who may talk to whom.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from infra.manifests.workloads import AWAIT_SCHEMA, TRANSIENT, Variable, Workload, unescape

Manifest = dict[str, Any]

NAMESPACE = "luna"
SETTINGS = "luna-settings"
SECRETS = "luna-secrets"
# Gibibytes of each volume to begin with; a class of storage that grows may change them.
SIZES = {
    "db": 50,
    "objects": 50,
    "vector": 10,
    "cache": 2,
    "models": 20,
    "spool": 5,
    "devices": 1,
    "backups": 40,
}
PORTS = {"api": 8080, "db": 5432, "redis": 6379, "qdrant": 6333, "minio": 9000, "ollama": 11434}
# Charge points come from the home's network, where the cluster has an address of its own for them.
CHARGE_POINTS = "ocpp"
CHARGE_POINT_PORT = 8887
# The group that a store's volume is given to: that of its image's own account where there is one.
GROUPS = {"db": 1000, "redis": 999}
OURS = 10001
# Replicas at most, and waiting tasks for each of them before there is one more.
MOST = 6
WAITING_EACH = 4
_UNITS = {"M": "Mi", "G": "Gi", "m": "Mi"}


def render(workloads: list[Workload]) -> Iterator[Manifest]:
    """Return every manifest, what others need first."""
    yield {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "baseline"},
        },
    }
    yield _named(
        "v1",
        "ConfigMap",
        SETTINGS,
        data={variable.name: variable.default for variable in _variables(workloads)},
    )
    yield from _files(workloads)
    yield from _claims(workloads)
    for each in workloads:
        yield from _run(each, sharers=_sharers(each, workloads))
    yield from _policies()


# ---- what a pod is -------------------------------------------------------------------------------


def _run(workload: Workload, *, sharers: list[str]) -> Iterator[Manifest]:
    pod = _pod(workload, sharers)
    if workload.kind == "once":
        yield _job(workload, pod)
        return
    yield _store(workload, pod) if workload.kind == "store" else _deployment(workload, pod)
    if workload.name == CHARGE_POINTS:
        entry = {
            "type": "LoadBalancer",
            "selector": _selector(workload),
            "ports": [{"name": "main", "port": CHARGE_POINT_PORT}],
        }
        yield _named("v1", "Service", workload.name, spec=entry)
    if workload.name in PORTS:
        ports = [{"name": "main", "port": PORTS[workload.name]}]
        yield _named(
            "v1", "Service", workload.name, spec={"selector": _selector(workload), "ports": ports}
        )
    if workload.is_awaited and not workload.is_alone:
        budget = {"minAvailable": 1, "selector": {"matchLabels": _selector(workload)}}
        yield _named("policy/v1", "PodDisruptionBudget", workload.name, spec=budget)
    if _scales(workload):
        yield _autoscaler(workload)


def _scales(workload: Workload) -> bool:
    return not workload.is_alone and bool(workload.queues or workload.kind == "gateway")


def _job(workload: Workload, pod: Manifest) -> Manifest:
    spec = {"backoffLimit": 20, "ttlSecondsAfterFinished": 86400, "template": pod}
    # A Job's pod never changes: the next release's is another Job, and the same one applied again
    # is the same.
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:8]
    job = _named("batch/v1", "Job", f"{workload.name}-{digest}", spec=spec)
    return {**job, "metadata": {**job["metadata"], "labels": _labels(workload)}}


def _deployment(workload: Workload, pod: Manifest) -> Manifest:
    strategy = (
        {"type": "Recreate"}
        if workload.is_alone
        else {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    )
    # The autoscaler's where there is one.
    replicas = {} if _scales(workload) else {"replicas": 1}
    spec = {
        **replicas,
        "selector": {"matchLabels": _selector(workload)},
        "strategy": strategy,
        "template": pod,
    }
    return _named("apps/v1", "Deployment", workload.name, spec=spec)


def _store(workload: Workload, pod: Manifest) -> Manifest:
    spec = {
        "replicas": 1,
        "serviceName": workload.name,
        "selector": {"matchLabels": _selector(workload)},
        "template": pod,
    }
    return _named("apps/v1", "StatefulSet", workload.name, spec=spec)


def _pod(workload: Workload, sharers: list[str]) -> Manifest:
    spec: Manifest = {
        "automountServiceAccountToken": False,
        # Otherwise every service's address would become a setting.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": workload.grace_s,
        "securityContext": _pod_security(workload),
        **({"initContainers": [_await_schema(workload)]} if workload.follows_migration else {}),
        "containers": [_container(workload)],
        "volumes": list(_volumes(workload)),
    }
    if workload.kind == "once":
        spec["restartPolicy"] = "OnFailure"
    if workload.is_awaited:
        spread = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
        }
        spec["topologySpreadConstraints"] = [
            {**spread, "labelSelector": {"matchLabels": _selector(workload)}}
        ]
    if sharers:
        # Itself among them: otherwise each would wait for the other to be placed first.
        term = {
            "labelSelector": {
                "matchExpressions": [
                    {"key": "app.kubernetes.io/name", "operator": "In", "values": sharers}
                ]
            }
        }
        spec["affinity"] = {
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    term | {"topologyKey": "kubernetes.io/hostname"}
                ]
            }
        }
    return {"metadata": {"labels": _labels(workload), **_annotations(workload)}, "spec": spec}


def _container(workload: Workload) -> Manifest:
    content = workload.content
    # Compose's entrypoint and command are Kubernetes' command and args.
    words = {
        kind: unescape(content[key])
        for key, kind in (("entrypoint", "command"), ("command", "args"))
        if key in content
    }
    ports = [port for port in (workload.health_port, PORTS.get(workload.name)) if port]
    return {
        "name": workload.name,
        "image": workload.image,
        **words,
        "env": [_variable(key, value) for key, value in workload.environment.items()],
        **({"ports": [{"containerPort": port} for port in sorted(set(ports))]} if ports else {}),
        "resources": _resources(workload),
        "securityContext": _security(workload),
        **_probes(workload),
        "volumeMounts": list(_mounts(workload)),
    }


def _await_schema(workload: Workload) -> Manifest:
    """Return the container that waits for the tables before the main one starts.

    It has the same image with the same settings, which knows what tables it needs.
    """
    container = _container(workload)
    kept = {
        key: container[key]
        for key in ("image", "env", "resources", "securityContext", "volumeMounts")
    }
    # Under tini, so that it ends when it is told to.
    return {"name": "schema", "command": ["tini", "--", *AWAIT_SCHEMA], **kept}


def _pod_security(workload: Workload) -> Manifest:
    profile: Manifest = {"seccompProfile": {"type": "RuntimeDefault"}}
    if not workload.is_ours and workload.kind != "store":
        return profile
    # Once, while the volume is new: afterwards it would open PostgreSQL's folder to the group,
    # which PostgreSQL refuses.
    return profile | {
        "fsGroup": GROUPS.get(workload.name, OURS),
        "fsGroupChangePolicy": "OnRootMismatch",
    }


def _security(workload: Workload) -> Manifest:
    capabilities = {"drop": ["ALL"]} | (
        {"add": workload.content["cap_add"]} if "cap_add" in workload.content else {}
    )
    user = {"runAsNonRoot": True, "runAsUser": OURS, "runAsGroup": OURS} if workload.is_ours else {}
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": bool(workload.content.get("read_only")),
        "capabilities": capabilities,
        **user,
    }


def _probes(workload: Workload) -> Manifest:
    if workload.kind == "once":
        return {}
    if workload.kind == "store":
        test = {
            "exec": {"command": _health_command(workload)},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        }
        return {
            "startupProbe": {**test, "failureThreshold": 18},
            "readinessProbe": test,
            "livenessProbe": {**test, "failureThreshold": 6},
        }
    port = workload.health_port
    every = {"periodSeconds": 5, "timeoutSeconds": 5}
    live, ready = (
        {"httpGet": {"path": f"/health/{what}", "port": port}, **every}
        for what in ("live", "ready")
    )
    return {
        "startupProbe": {**live, "failureThreshold": 36},
        "livenessProbe": {**live, "failureThreshold": 6},
        "readinessProbe": ready,
    }


def _health_command(workload: Workload) -> list[str]:
    form, *words = unescape(workload.content["healthcheck"]["test"])
    return words if form == "CMD" else ["sh", "-c", *words]


def _resources(workload: Workload) -> Manifest:
    limits = workload.limits
    memory = limits["memory"][:-1] + _UNITS[limits["memory"][-1]]
    # What keeps data has its memory promised in full, so that its node never takes it back; the
    # others need theirs now and then.
    promised = memory if workload.kind == "store" else f"{min(256, _mebibytes(memory))}Mi"
    return {
        "requests": {"cpu": "100m", "memory": promised},
        "limits": {"cpu": str(limits["cpus"]), "memory": memory},
    }


def _mebibytes(memory: str) -> int:
    return int(memory[:-2]) * {"Mi": 1, "Gi": 1024}[memory[-2:]]


def _variable(key: str, value: str | Variable) -> Manifest:
    if isinstance(value, str):
        return {"name": key, "value": value}
    return {
        "name": key,
        "valueFrom": {"configMapKeyRef": {"name": SETTINGS, "key": value.name, "optional": True}},
    }


# ---- what it finds there -------------------------------------------------------------------------


def _mounts(workload: Workload) -> Iterator[Manifest]:
    for name, path in workload.secrets.items():
        yield {"name": "secrets", "mountPath": path, "subPath": name, "readOnly": True}
    for path in workload.scratch:
        yield {"name": _slug(path), "mountPath": path}
    if "shm_size" in workload.content:
        # The database's shared memory is found nowhere else.
        yield {"name": "dev-shm", "mountPath": "/dev/shm"}  # noqa: S108
    for mount in workload.mounts:
        if not mount.is_file:
            yield {"name": mount.source, "mountPath": mount.path}
        elif PurePosixPath(mount.source).suffix:
            yield {
                "name": "files",
                "mountPath": mount.path,
                "subPath": PurePosixPath(mount.source).name,
                "readOnly": True,
            }
        else:
            yield {"name": "files", "mountPath": mount.path, "readOnly": True}


def _volumes(workload: Workload) -> Iterator[Manifest]:
    if workload.secrets:
        items = [{"key": name, "path": name} for name in workload.secrets]
        yield {
            "name": "secrets",
            "secret": {"secretName": SECRETS, "items": items, "defaultMode": 0o444},
        }
    sizes = dict(workload.scratch) | (
        {"dev-shm": workload.content["shm_size"]} if "shm_size" in workload.content else {}
    )
    for path, size in sizes.items():
        yield {
            "name": _slug(path),
            "emptyDir": {"medium": "Memory", "sizeLimit": size[:-1] + _UNITS[size[-1]]},
        }
    for mount in workload.mounts:
        if mount.is_volume:
            yield {"name": mount.source, "persistentVolumeClaim": {"claimName": mount.source}}
        elif not mount.is_file:
            yield {"name": mount.source, "emptyDir": {"sizeLimit": f"{TRANSIENT[mount.source]}Gi"}}
    if _files_of(workload):
        yield {
            "name": "files",
            "configMap": {"name": f"{workload.name}-files", "defaultMode": 0o555},
        }


def _files(workloads: list[Workload]) -> Iterator[Manifest]:
    for each in workloads:
        if files := _files_of(each):
            yield _named("v1", "ConfigMap", f"{each.name}-files", data=files)


def _files_of(workload: Workload) -> dict[str, str]:
    """Return all files that a workload mounts from the repository, by name.

    One map serves all their places.
    """
    files: dict[str, str] = {}
    for mount in (each for each in workload.mounts if each.is_file):
        found = mount.read_files()
        if twice := [name for name in found if files.get(name, found[name]) != found[name]]:
            raise ValueError(
                f"{workload.name} mounts different files of one name: {', '.join(twice)}"
            )
        files |= found
    return files


def _claims(workloads: list[Workload]) -> Iterator[Manifest]:
    for name in dict.fromkeys(
        mount.source for each in workloads for mount in each.mounts if mount.is_volume
    ):
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{SIZES[name]}Gi"}},
        }
        yield _named("v1", "PersistentVolumeClaim", name, spec=spec)


def _sharers(workload: Workload, workloads: list[Workload]) -> list[str]:
    """Return all workloads that write to the same volume, if there are several.

    They have to run on one node.
    """
    mine = {mount.source for mount in workload.mounts if mount.is_volume}
    sharers = [
        each.name
        for each in workloads
        if mine & {mount.source for mount in each.mounts if mount.is_volume}
    ]
    return sharers if len(sharers) > 1 else []


def _variables(workloads: list[Workload]) -> list[Variable]:
    found = {
        value.name: value
        for each in workloads
        for value in each.environment.values()
        if isinstance(value, Variable)
    }
    return [found[name] for name in sorted(found) if found[name].default]


# ---- how many, and who talks to whom -------------------------------------------------------------


def _autoscaler(workload: Workload) -> Manifest:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name}
    # A queue that fills is served at once; what was started stays for five minutes.
    behavior = {
        "scaleUp": {"stabilizationWindowSeconds": 0},
        "scaleDown": {"stabilizationWindowSeconds": 300},
    }
    counts = {"minReplicas": 2 if workload.is_awaited else 1, "maxReplicas": MOST}
    spec = {
        "scaleTargetRef": target,
        **counts,
        "metrics": list(_metrics(workload)),
        "behavior": behavior,
    }
    return _named("autoscaling/v2", "HorizontalPodAutoscaler", workload.name, spec=spec)


def _metrics(workload: Workload) -> Iterator[Manifest]:
    if workload.kind == "gateway":
        yield {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "700m"}},
        }
    for queue in workload.queues:
        metric = {"name": "luna_queue_waiting_tasks", "selector": {"matchLabels": {"queue": queue}}}
        yield {
            "type": "External",
            "external": {
                "metric": metric,
                "target": {"type": "AverageValue", "averageValue": str(WAITING_EACH)},
            },
        }


def _policies() -> Iterator[Manifest]:
    everyone: Manifest = {"podSelector": {}}
    yield _policy("nobody", **everyone, policyTypes=["Ingress", "Egress"])
    names = [
        {
            "to": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "kube-system"}
                    }
                }
            ],
            "ports": _ports(53, 53),
        }
    ]
    yield _policy("names", **everyone, policyTypes=["Egress"], egress=names)
    data = {"podSelector": {"matchLabels": {"energy.luna/data": "yes"}}}
    stores = [
        {"to": [data], "ports": _ports(*(port for name, port in PORTS.items() if name != "api"))}
    ]
    yield _policy("data", **data, policyTypes=["Egress"], egress=stores)
    served = {"podSelector": {"matchLabels": {"energy.luna/kind": "store"}}}
    yield _policy("stores", **served, policyTypes=["Ingress"], ingress=[{"from": [data]}])
    seen = [{"from": [{"namespaceSelector": {"matchLabels": {"energy.luna/observes": "yes"}}}]}]
    yield _policy(
        "observability",
        podSelector={"matchLabels": {"energy.luna/observability": "yes"}},
        policyTypes=["Ingress"],
        ingress=seen,
    )
    yield _policy(
        "charge-points",
        podSelector={"matchLabels": {"app.kubernetes.io/name": CHARGE_POINTS}},
        policyTypes=["Ingress"],
        ingress=[{"ports": _ports(CHARGE_POINT_PORT)}],
    )
    # To the home's devices and to the internet: who fetches prices or tells an inverter needs both.
    yield _policy(
        "egress",
        podSelector={"matchLabels": {"energy.luna/egress": "yes"}},
        policyTypes=["Egress"],
        egress=[{}],
    )
    front = [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"energy.luna/ingress": "yes"}}}],
            "ports": _ports(PORTS["api"]),
        }
    ]
    yield _policy(
        "edge",
        podSelector={"matchLabels": {"energy.luna/edge": "yes"}},
        policyTypes=["Ingress"],
        ingress=front,
    )


def _policy(name: str, **spec: Any) -> Manifest:
    return _named("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def _ports(*ports: int) -> list[Manifest]:
    protocols = ("UDP", "TCP") if ports == (53, 53) else ("TCP",) * len(ports)
    return [
        {"protocol": protocol, "port": port}
        for protocol, port in zip(protocols, ports, strict=True)
    ]


def _selector(workload: Workload) -> dict[str, str]:
    return {"app.kubernetes.io/name": workload.name}


def _labels(workload: Workload) -> dict[str, str]:
    own = {"app.kubernetes.io/part-of": "luna", "energy.luna/kind": workload.kind}
    return _selector(workload) | own | {f"energy.luna/{name}": "yes" for name in workload.networks}


def _annotations(workload: Workload) -> Mapping[str, Any]:
    if workload.health_port is None:
        return {}
    return {
        "annotations": {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(workload.health_port),
            "prometheus.io/path": "/metrics",
        }
    }


def _slug(path: str) -> str:
    return path.strip("/").replace("/", "-")


def _named(version: str, kind: str, name: str, **content: Any) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        **content,
    }
