"""Hookwright's processes on a real API server, each as the ServiceAccount that the chart gives it, with its rights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.accounts import ACCOUNTS, ROLES, is_refused, read_asking, render_rights, until_allowed
from support.clients import make_client
from support.controlplane import AuditEvent, ControlPlane
from support.ports import find_port
from support.processes import LONG_PATIENCE, Process, end, make_environment, until
from support.realapi import RealApi
from support.rights import Asking, Rights, as_user, read_rules
from support.running import make_headers, make_push
from support.waiting import patience

POLL_SECONDS = 0.1


@dataclass(kw_only=True)
class Deployed:
    """Hookwright in a namespace of its own, serving a team's."""

    control_plane: ControlPlane
    api: RealApi
    """An administrator in the team's namespace."""
    own: str
    team: str
    rights: list[dict[str, Any]]
    """The objects by which the chart gives rights."""
    postponed: list[dict[str, Any]]
    """Those for a namespace that is to come later."""
    client: httpx.AsyncClient
    since: int
    """How many requests there had been before."""
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def receiver(self) -> Process:
        """The process that takes deliveries."""
        return next(process for role, process in self.processes.items() if role != "operator")

    async def start(self, role: str) -> None:
        """Start a process again, and wait until it is ready."""
        await self.processes[role].start()
        await self.until_ready(role)

    async def until_ready(self, *roles: str) -> None:
        """Wait until processes say that they are ready."""
        for role in roles or tuple(self.processes):
            await self.until_answers(role, 200)

    async def until_answers(self, role: str, status: int) -> None:
        """Wait until /readyz of a process answers with `status`."""
        process = self.processes[role]
        async with patience(LONG_PATIENCE):
            while await self.ask(role) != status:
                assert process.alive, process.said()[-2000:]
                await asyncio.sleep(POLL_SECONDS)

    async def ask(self, role: str) -> int:
        """Give what /readyz of a process answers; 0 if nobody does."""
        try:
            return (await self.client.get(self.processes[role].admin + "/readyz")).status_code
        except httpx.TransportError:
            return 0

    def status(self, name: str, kind: str = "Webhook") -> dict[str, Any]:
        """Give an object's status; empty if it has none."""
        return dict(self.api.get(kind, name).get("status", {}))

    def ready(self, name: str, kind: str = "Webhook") -> tuple[str, str]:
        """Give status and reason of the condition Ready of what the operator has looked at."""
        found = self.api.get(kind, name)
        status = found.get("status", {})
        if status.get("observedGeneration") != found["metadata"]["generation"]:
            return "Unknown", ""
        conditions = [one for one in status.get("conditions", []) if one["type"] == "Ready"]
        return (conditions[0]["status"], conditions[0]["reason"]) if conditions else ("Unknown", "")

    def last(self, name: str) -> tuple[str, str]:
        """Give outcome and reason of a Webhook's newest delivery."""
        delivery = self.status(name).get("lastDelivery") or {}
        return delivery.get("outcome", ""), delivery.get("reason", "")

    async def until_judged(self, name: str, status: str = "True", reason: str | None = None) -> None:
        """Wait until a Webhook is Ready, or is not for a reason."""
        await until(
            lambda: self.ready(name)[0] == status and reason in (None, self.ready(name)[1]),
            f"Webhook {name} is {status} {reason}: {self.status(name)}",
        )

    async def push(self, name: str, **headers: Any) -> httpx.Response:
        """Deliver a signed push to a Webhook."""
        body = make_push()
        url = self.receiver.address + "/hooks/" + str(self.status(name)["url"]).rpartition("/")[2]
        return await self.client.post(url, content=body, headers=make_headers(body, **headers))

    async def until_answered(self, name: str, status: int, **headers: Any) -> httpx.Response:
        """Deliver until the answer has `status`."""
        async with patience(LONG_PATIENCE):
            # Each try is a request: there is no event to wait for. A connection may be cut off, as any sender's.
            while True:
                with suppress(httpx.TransportError):
                    answer = await self.push(name, **headers)
                    if answer.status_code == status:
                        return answer
                await asyncio.sleep(POLL_SECONDS)

    async def until_secrets(self, name: str, count: int) -> None:
        """Wait until so many secrets of a BuildTrigger are good."""

        def is_so() -> bool:
            found = {one["metadata"]["name"]: one for one in self.api.list("Secret")}
            return len(found.get(f"{name}-hookwright", {}).get("data", {})) == count

        await until(is_so, f"{count} secrets of {name} are good: {self.status(name, 'BuildTrigger')}")

    def jobs(self, *, namespace: str | None = None) -> list[dict[str, Any]]:
        """Give the Jobs of the team, or of another."""
        return self.api.list("Job", namespace=namespace)

    def requests(self) -> Iterator[AuditEvent]:
        """Give what our accounts have asked for, as the API server saw it."""
        ours = {as_user((self.own, ACCOUNTS[role])) for role in self.processes}
        yield from (event for event in self.control_plane.audit()[self.since :] if event.user in ours)

    def refused(self) -> set[AuditEvent]:
        """Give what was refused for lack of a right, in our namespaces: others' may still go away from other tests."""
        return {event for event in self.requests() if is_refused(event) and self._is_in_our_places(event)}

    def asking(self) -> Iterator[Asking]:
        """Give who has asked for what in our namespaces, in the words of RBAC."""
        return read_asking(filter(self._is_in_our_places, self.requests()))

    def _is_in_our_places(self, event: AuditEvent) -> bool:
        return event.namespace in ("", self.own, self.team)

    def given(self) -> Rights:
        """Give the rights of the accounts that are used, and of the team's."""
        rights = read_rules(one for one in self.rights if one["kind"] != "ServiceAccount")
        ours = {(self.own, ACCOUNTS[role]) for role in self.processes}
        return {account: allowed for account, allowed in rights.items() if account in ours or account[0] == self.team}


@asynccontextmanager
async def deploy(
    control_plane: ControlPlane,
    folder: Path,
    *,
    mode: str = "split",
    chosen: bool = False,
    accounts: tuple[str, ...] = ("default",),
    later: str = "",
    values: Mapping[str, Any] | None = None,
) -> AsyncIterator[Deployed]:
    """Run Hookwright with the chart's rights, for a new team that grants it `accounts`, for the length of a block.

    `chosen`: it serves the team's namespace alone, without any right on the cluster. Then `later` may name another
    namespace that it is to serve, which is not there yet: the rights for it are not given.
    """
    api = RealApi(control_plane.access)
    api.install_crds()
    async with AsyncExitStack() as stack:
        own = stack.enter_context(api.new_namespace("own"))
        team = stack.enter_context(api.new_namespace("team"))
        api.namespace = team
        given = {
            "mode": mode,
            "watchNamespaces": ([team, later] if later else [team]) if chosen else [],
            "tenants": [
                {"namespace": namespace, "serviceAccount": account}
                for namespace in filter(None, (team, later))
                for account in accounts
            ],
            **(values or {}),
        }
        rights = render_rights(given, namespace=own)
        postponed = [one for one in rights if later and one["metadata"].get("namespace") == later]
        objects = [one for one in rights if one not in postponed]
        stack.enter_context(api.holding(*objects))
        client = await stack.enter_async_context(make_client())
        deployed = Deployed(
            control_plane=control_plane,
            api=api,
            own=own,
            team=team,
            rights=objects,
            postponed=postponed,
            client=client,
            since=len(control_plane.audit()),
        )
        until_allowed(api, deployed.given())
        for role in ROLES[mode]:
            (folder / role).mkdir()
            environment = make_environment(
                HOOKWRIGHT_PUBLIC_URL="http://hooks.test",
                HOOKWRIGHT_LISTEN=f"127.0.0.1:{find_port()}",
                HOOKWRIGHT_ADMIN=f"127.0.0.1:{find_port()}",
                HOOKWRIGHT_JOURNAL=str(folder / role / "journal"),
                HOOKWRIGHT_NAMESPACE=own,
                HOOKWRIGHT_NAMESPACES=",".join(given["watchNamespaces"]),
                HOOKWRIGHT_LOG_FORMAT="json",
                HOOKWRIGHT_DRAIN="0",
            )
            process = Process(
                role=role,
                folder=folder / role,
                kubeconfig=control_plane.kubeconfig_for(own, ACCOUNTS[role]),
                environment=environment,
            )
            deployed.processes[role] = process
            await process.start()
            stack.push_async_callback(end, process)
        await deployed.until_ready()
        yield deployed
