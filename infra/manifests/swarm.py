"""Docker Swarm: one stack file.

Networks across nodes are encrypted, what keeps data stays on the node that is labelled for it.
"""

import hashlib
import shlex
from typing import Any

from infra.manifests.workloads import AWAIT_SCHEMA, Variable, Workload, fill

Stack = dict[str, Any]
# What a stack reads as compose does.
_KEPT = ("entrypoint", "command", "cap_drop", "cap_add", "read_only", "user", "stop_grace_period")
# Compose says of a container that it is unhealthy, a swarm ends it: on a machine that is busy for a
# moment, a check that is late is no sign of that.
_PATIENCE = {"interval": "10s", "timeout": "30s", "retries": 6}
_INTERNAL = ("data", "observability", "proxy")


def render(workloads: list[Workload]) -> Stack:
    """Return the stack as one document."""
    files = [
        (each.name, mount.source, *file)
        for each in workloads
        for mount in each.mounts
        if mount.is_file
        for file in mount.read_files().items()
    ]
    networks = dict.fromkeys(network for each in workloads for network in each.networks)
    return {
        "version": "3.9",
        "services": {each.name: _service(each) for each in workloads},
        "networks": {name: _network(name) for name in networks},
        "volumes": {
            mount.source: {} for each in workloads for mount in each.mounts if mount.is_volume
        },
        "secrets": {
            name: {"external": True, "name": f"luna_{name}"}
            for name in sorted({name for each in workloads for name in each.secrets})
        },
        "configs": {
            _config(workload, name): _content(workload, name, text) | {"file": _path(source, name)}
            for workload, source, name, text in files
        },
    }


def _service(workload: Workload) -> Stack:
    content = workload.content
    return {
        # Images of Luna come from the registry that every node reaches.
        "image": (
            "${REGISTRY:?name the registry that holds the images}/" if workload.is_ours else ""
        )
        + workload.image,
        **{key: content[key] for key in _KEPT if key in content},
        **({"entrypoint": _await_schema()} if workload.follows_migration else {}),
        **({"healthcheck": content["healthcheck"] | _PATIENCE} if "healthcheck" in content else {}),
        "environment": {key: _value(value) for key, value in workload.environment.items()},
        "networks": list(workload.networks),
        **({"ports": ["${LUNA_API_PORT:-8080}:8080"]} if workload.kind == "gateway" else {}),
        "volumes": [*_volumes(workload), *_scratch(workload)],
        "secrets": [{"source": name, "target": path} for name, path in workload.secrets.items()],
        "configs": [
            {
                "source": _config(workload.name, name),
                "target": mount.path
                if "." in mount.path.rsplit("/", 1)[-1]
                else f"{mount.path}/{name}",
            }
            for mount in workload.mounts
            if mount.is_file
            for name in mount.read_files()
        ],
        "deploy": _deploy(workload),
    }


def _deploy(workload: Workload) -> Stack:
    keeps = any(mount.is_volume for mount in workload.mounts)
    alone = workload.is_alone
    memory = workload.limits["memory"]
    cpus = str(workload.limits["cpus"])
    return {
        # Names lead to the containers themselves: the virtual address of a service forgets
        # connections that were silent for a quarter of an hour.
        **({} if workload.kind == "gateway" else {"endpoint_mode": "dnsrr"}),
        "replicas": 2 if workload.is_awaited and not alone else 1,
        "resources": {
            "limits": {"memory": memory, "cpus": cpus, "pids": int(workload.limits["pids"])}
        },
        "restart_policy": {
            "condition": "on-failure" if workload.kind == "once" else "any",
            "delay": "5s",
        },
        # Of what may be there only once, the old one goes before the new one comes.
        "update_config": {
            "order": "stop-first" if alone else "start-first",
            "failure_action": "rollback",
            "monitor": "60s",
        },
        "rollback_config": {"order": "stop-first" if alone else "start-first"},
        "placement": {"constraints": ["node.labels.luna-data == yes"]}
        if keeps
        else {"preferences": [{"spread": "node.id"}]},
    }


def _await_schema() -> list[str]:
    """Return the image's own entrypoint, behind the wait: a stack starts everything at once."""
    return ["tini", "--", "sh", "-c", f'{shlex.join(AWAIT_SCHEMA)} && exec entrypoint "$$@"', "sh"]


def _volumes(workload: Workload) -> list[str | Stack]:
    # A volume without a name is made with its container and goes with it.
    kept: list[str | Stack] = [
        f"{mount.source}:{mount.path}" for mount in workload.mounts if mount.is_volume
    ]
    return kept + [
        {"type": "volume", "target": mount.path}
        for mount in workload.mounts
        if not (mount.is_volume or mount.is_file)
    ]


def _scratch(workload: Workload) -> list[Stack]:
    folders = dict(workload.scratch)
    # A stack knows no size of shared memory; a folder in memory in its place does the same. The
    # database looks for it nowhere else.
    if "shm_size" in workload.content:
        folders["/dev/shm"] = workload.content["shm_size"]  # noqa: S108
    return [
        {"type": "tmpfs", "target": path, "tmpfs": {"size": _bytes(size)}}
        for path, size in folders.items()
    ]


def _network(name: str) -> Stack:
    options = {"encrypted": "true"} if name in _INTERNAL else {}
    return {"driver": "overlay", "driver_opts": options, "internal": name in _INTERNAL}


def _value(value: str | Variable) -> str:
    return f"${{{value.name}:-{value.default}}}" if isinstance(value, Variable) else fill(value)


def _bytes(size: str) -> int:
    return int(size[:-1]) * {"k": 2**10, "m": 2**20, "g": 2**30}[size[-1]]


def _config(workload: str, file: str) -> str:
    return f"{workload}_{file}".replace(".", "_")


def _content(workload: str, file: str, text: str) -> Stack:
    # What a config holds never changes: other content has another name, and the services that read
    # it are replaced.
    return {
        "name": f"luna_{_config(workload, file)}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    }


def _path(source: str, name: str) -> str:
    return f"../.{source}" if source.endswith(name) else f"../.{source}/{name}"
