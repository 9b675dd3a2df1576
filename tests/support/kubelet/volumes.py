"""Volumes as folders: claims outlive their pods, everything else goes with them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from support.kubelet.api import Api
from support.kubelet.fields import read_field

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class NotYet(Exception):
    """Something that a pod needs is not there; it may come."""


class Volumes:
    """The volumes of all pods of a node."""

    def __init__(self, api: Api, folder: Path) -> None:
        self._api = api
        self._folder = folder

    def folder_of_claim(self, uid: str) -> Path:
        """Give the folder of a PersistentVolumeClaim."""
        return self._folder / "claims" / uid

    def folder_of_pod(self, pod: dict[str, Any]) -> Path:
        """Give the folder of what goes with a pod."""
        return self._folder / "pods" / pod["metadata"]["uid"]

    async def prepare(self, pod: dict[str, Any]) -> dict[str, Path]:
        """Make all volumes of a pod, and give their folders by name.

        Raises:
            NotYet: one needs an object that is not there.
        """
        return {volume["name"]: await self._prepare_one(pod, volume) for volume in pod["spec"].get("volumes", ())}

    async def _prepare_one(self, pod: dict[str, Any], volume: dict[str, Any]) -> Path:
        namespace = pod["metadata"]["namespace"]
        if claim := volume.get("persistentVolumeClaim"):
            return await self._bind(namespace, claim["claimName"])
        folder = self.folder_of_pod(pod) / volume["name"]
        folder.mkdir(parents=True, exist_ok=True)
        sources = volume["projected"].get("sources", ()) if "projected" in volume else [volume]
        for source in sources:
            for name, content in (await self._read(pod, source)).items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return folder

    async def _bind(self, namespace: str, name: str) -> Path:
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
        claim = await self._api.get(path)
        if claim is None:
            raise NotYet(f'persistentvolumeclaim "{name}" not found')
        uid = claim["metadata"]["uid"]
        if claim.get("status", {}).get("phase") != "Bound":
            if not claim["spec"].get("volumeName"):
                await self._api.patch(path, {"spec": {"volumeName": f"stand-in-{uid}"}})
            capacity = claim["spec"].get("resources", {}).get("requests", {})
            status = {"phase": "Bound", "accessModes": claim["spec"].get("accessModes", []), "capacity": capacity}
            await self._api.patch(f"{path}/status", {"status": status})
        folder = self.folder_of_claim(uid)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def _read(self, pod: dict[str, Any], source: dict[str, Any]) -> dict[str, bytes]:
        """Give the files of a source of a volume, by their paths in it."""
        if token := source.get("serviceAccountToken"):
            return {token["path"]: (await self._make_token(pod, token)).encode()}
        if fields := source.get("downwardAPI"):
            return {
                item["path"]: (read_field(pod, item["fieldRef"]["fieldPath"]) or "").encode()
                for item in fields.get("items", ())
                if "fieldRef" in item
            }
        if config := source.get("configMap"):
            return _choose(await self._find(pod, "configmaps", config["name"], config), config)
        if secret := source.get("secret"):
            name = secret.get("secretName") or secret["name"]
            return _choose(await self._find(pod, "secrets", name, secret), secret)
        return {}

    async def _find(self, pod: dict[str, Any], plural: str, name: str, source: dict[str, Any]) -> dict[str, bytes]:
        found = await self._api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{plural}/{name}")
        if found is None and not source.get("optional"):
            raise NotYet(f'{plural.removesuffix("s")} "{name}" not found')
        return read_data(found)

    async def _make_token(self, pod: dict[str, Any], wanted: dict[str, Any]) -> str:
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        spec = {
            "expirationSeconds": wanted.get("expirationSeconds", 3600),
            "audiences": [wanted["audience"]] if wanted.get("audience") else [],
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]},
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        made = await self._api.post(path, {"spec": spec})
        if made is None:
            raise NotYet(f"no token of ServiceAccount {account}")
        return str(made["status"]["token"])


def read_data(found: dict[str, Any] | None) -> dict[str, bytes]:
    """Give what a ConfigMap or a Secret holds."""
    if found is None:
        return {}
    data: dict[str, str] = found.get("data") or {}
    if found.get("kind") == "Secret" or "type" in found:
        return {name: base64.b64decode(value) for name, value in data.items()}
    binary = {name: base64.b64decode(value) for name, value in (found.get("binaryData") or {}).items()}
    return {name: value.encode() for name, value in data.items()} | binary


def _choose(data: dict[str, bytes], source: dict[str, Any]) -> dict[str, bytes]:
    if "items" not in source:
        return data
    return {item["path"]: data[item["key"]] for item in source["items"] if item["key"] in data}
