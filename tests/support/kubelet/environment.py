"""What a container's process is told: environment and arguments, good for this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.kubelet.api import Api
from support.kubelet.fields import read_field
from support.kubelet.network import Network, local
from support.kubelet.volumes import NotYet, read_data

_REFERENCE = re.compile(r"\$\$|\$\(([^()]+)\)")
# A name for callers: nothing is asked of it by the process itself.
_LEFT_AS_THEY_ARE = {"HOOKWRIGHT_PUBLIC_URL"}
# Where Hookwright listens if it is told nothing.
_LISTENS = {"HOOKWRIGHT_LISTEN": "0.0.0.0:8080", "HOOKWRIGHT_ADMIN": "0.0.0.0:9090"}


class Telling:
    """Makes environment and arguments of a container."""

    def __init__(self, api: Api, network: Network, pod: dict[str, Any], container: dict[str, Any], ip: str) -> None:
        self._api = api
        self._network = network
        self._container = container
        self._ip = ip
        # In its own network a pod may listen at its IP.
        status = {**pod.get("status", {}), "podIP": local(ip), "hostIP": local(network.node_ip)}
        self._pod = {**pod, "status": status}

    async def environment(self, folders: Mapping[str, Path]) -> dict[str, str]:
        """Give the variables that the container names, and of this process's own only what finds programs.

        Raises:
            NotYet: an object that a variable comes from is not there.
        """
        told: dict[str, str] = {}
        for source in self._container.get("envFrom", ()):
            told |= await self._read_all(source)
        for variable in self._container.get("env", ()):
            value = await self._read(variable)
            if value is not None:
                told[variable["name"]] = expand(value, told)
        for name, value in (_LISTENS | told).items():
            if name not in _LEFT_AS_THEY_ARE:
                told[name] = await self._rewrite(value, folders)
        return {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"} | told

    async def arguments(self, told: Mapping[str, str], folders: Mapping[str, Path]) -> list[str]:
        """Give command and arguments."""
        words = [*self._container.get("command", ()), *self._container.get("args", ())]
        return [await self._rewrite(expand(word, told), folders) for word in words]

    async def _rewrite(self, value: str, folders: Mapping[str, Path]) -> str:
        option, equals, path = value.rpartition("=")
        if not option.startswith("-"):
            option, equals, path = "", "", value
        return option + equals + await self._network.rewrite(place(path, self._container, folders), self._ip)

    async def _read_all(self, source: dict[str, Any]) -> dict[str, str]:
        for plural, name in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            if reference := source.get(name):
                data = await self._find(plural, reference)
                return {source.get("prefix", "") + key: value for key, value in data.items()}
        return {}

    async def _read(self, variable: dict[str, Any]) -> str | None:
        source = variable.get("valueFrom", {})
        if field := source.get("fieldRef"):
            return read_field(self._pod, field["fieldPath"]) or ""
        for plural, name in (("configmaps", "configMapKeyRef"), ("secrets", "secretKeyRef")):
            if reference := source.get(name):
                data, key = await self._find(plural, reference), reference["key"]
                if key not in data and not reference.get("optional"):
                    raise NotYet(f"couldn't find key {key} in {plural.removesuffix('s')} {reference['name']}")
                return data.get(key)
        return variable.get("value", "")

    async def _find(self, plural: str, reference: dict[str, Any]) -> dict[str, str]:
        namespace = self._pod["metadata"]["namespace"]
        found = await self._api.get(f"/api/v1/namespaces/{namespace}/{plural}/{reference['name']}")
        if found is None and not reference.get("optional"):
            raise NotYet(f'{plural.removesuffix("s")} "{reference["name"]}" not found')
        return {name: value.decode() for name, value in read_data(found).items()}


def expand(text: str, told: Mapping[str, str]) -> str:
    """Put variables in place of `$(NAME)`; `$$` is a dollar, and a name that is not there stays."""
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else told.get(found[1], found[0]), text)


def place(path: str, container: dict[str, Any], folders: Mapping[str, Path]) -> str:
    """Give the path on this machine of one in a volume; any other text stays."""
    for mount in sorted(container.get("volumeMounts", ()), key=lambda mount: -len(mount["mountPath"])):
        inside = mount["mountPath"].rstrip("/")
        if path == inside or path.startswith(inside + "/"):
            return str(folders[mount["name"]] / mount.get("subPath", "")) + path[len(inside) :]
    return path
