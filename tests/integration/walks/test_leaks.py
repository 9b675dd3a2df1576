"""A whole run with every scheme and all kinds of trouble, after which no secret is anywhere that it should not be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hookwright.scm import Provider
from support.clients import make_client
from support.leaks import find_leaks, write_forms
from support.processes import Fleet, run_fleet, until
from support.running import PATIENCE, make_buildtrigger, make_push, make_secret, make_webhook
from support.triggers import make_delivery, make_trigger
from support.waiting import patience


def invent(name: str) -> bytes:
    """Give a secret that looks different in each form in which it could be written."""
    return f"{name}+/?={hashlib.sha256(name.encode()).hexdigest()[:16]}~".encode()


STANDARD_KEY = hashlib.sha256(b"standard").digest()
STANDARD = b"whsec_" + base64.b64encode(STANDARD_KEY)
TOKEN = b"token-of-the-service-account-" + hashlib.sha256(b"token").hexdigest().encode()
BODY = make_push(private=invent("payload").decode())


def sign(secret: bytes) -> str:
    """Give the HMAC-SHA256 of the body in hexadecimals."""
    return hmac.new(secret, BODY, hashlib.sha256).hexdigest()


def sign_standard(secret: bytes) -> dict[str, str]:
    """Sign as Standard Webhooks does."""
    now, key = str(int(time.time())), base64.b64decode(secret.removeprefix(b"whsec_"))
    proof = base64.b64encode(hmac.digest(key, f"msg_1.{now}.".encode() + BODY, "sha256")).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,{proof}"}


def sign_basic(secret: bytes) -> dict[str, str]:
    """Give user and password."""
    return {"authorization": "Basic " + base64.b64encode(b"hook:" + secret).decode()}


def sign_github(secret: bytes) -> dict[str, str]:
    """Sign as GitHub does."""
    return {"x-hub-signature-256": "sha256=" + sign(secret)}


# Of each scheme its name, its own members, a secret, and how a sender proves that it has it.
SCHEMES: dict[str, tuple[str, dict[str, Any], bytes, Callable[[bytes], dict[str, str]]]] = {
    "github": ("GITHUB_HMAC", {}, invent("github"), sign_github),
    "gitlab": ("GITLAB_TOKEN", {}, invent("gitlab"), lambda secret: {"x-gitlab-token": secret.decode()}),
    "hmac": ("HMAC", {"header": "X-Sign"}, invent("hmac"), lambda secret: {"x-sign": sign(secret)}),
    "bearer": ("BEARER_TOKEN", {}, invent("bearer"), lambda secret: {"authorization": "Bearer " + secret.decode()}),
    "basic": ("BASIC", {"username": "hook"}, invent("basic"), sign_basic),
    "standard": ("STANDARD_WEBHOOKS", {}, STANDARD, sign_standard),
}
GUESS = invent("guess")
PROOFS = ("signature", "x-sign")
# Where status has the URL.
URLS = {"webhooks.hookwright.dev": "url", "buildtriggers.hookwright.dev": "payloadUrl"}


class Run:
    """What was sent and answered, and all that must be nowhere else."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.running = fleet.running
        self.answers = b""
        self.secrets = {name: invent(name) for name in ("inline", "both", "old", "next", "wrong", "unused", "payload")}
        self.secrets |= {name: secret for name, (_, _, secret, _) in SCHEMES.items()}
        self.secrets |= {"guess": GUESS, "key of standard": STANDARD_KEY, "API server's token": TOKEN}

    def secret(self, name: str, *, key: str = "token", value: bytes | None = None) -> None:
        """Make a Secret."""
        self.running.apply(make_secret(name, key=key, value=(value or self.secrets[name]).decode()))

    def webhook(self, name: str, scheme: str = "GITHUB_HMAC", **configuration: Any) -> None:
        """Make a Webhook."""
        webhook = make_webhook(name, authentication=scheme, authenticationConfiguration=configuration)
        self.running.try_to_apply(webhook)

    async def ask(self, path: str, headers: dict[str, str], *, method: str = "POST", body: bytes = BODY) -> int:
        """Send a request; a proof in it is a secret from then on."""
        for header, value in headers.items():
            if any(proof in header for proof in PROOFS):
                proof = value.partition("=" if header.startswith("x-hub") else ",")[2] or value
                self.secrets[f"{header} {value}"] = proof.encode()
        given = {"content-type": "application/json", "x-github-event": "push", **headers}
        address = self.fleet.processes["receiver"].address
        answer = await self.running.client.request(method, address + path, content=body, headers=given)
        self.answers += repr(answer.headers.raw).encode() + answer.content
        return answer.status_code

    def path(self, name: str) -> str:
        """Give the path of a Webhook's URL."""
        return "/hooks/" + self.running.status(name)["url"].rpartition("/")[2]

    async def deliver(self, name: str, headers: dict[str, str], **more: Any) -> int:
        """Deliver to a Webhook."""
        return await self.ask(self.path(name), headers, **more)

    async def until_routed(self, name: str) -> None:
        """Wait until a Webhook has a URL that the receiver knows."""
        await self.running.until(lambda: self.running.status(name).get("url"), f"{name} has a URL")
        async with patience(PATIENCE):
            while await self.deliver(name, {}, method="GET") == 404:  # noqa: ASYNC110 - each try is a request
                await asyncio.sleep(0.05)

    def all_secrets(self) -> dict[str, bytes]:
        """Give all that must be nowhere: the root key and the URL tokens too."""
        found = dict(self.secrets)
        root = self.fleet.cluster.get("secrets", "hookwright-system", "hookwright-root-key")
        assert root is not None
        for number, line in enumerate(base64.b64decode(root["data"]["keys"]).split()):
            found |= {f"root key {number}": base64.b64decode(line), f"line of root key {number}": line}
        for kind, member in URLS.items():
            for one in self.fleet.cluster.list(kind):
                url = one["status"].get(member)
                if url:
                    found[f"URL token of {kind} {one['metadata']['name']}"] = url.rpartition("/")[2].encode()
        return found

    def note_live(self) -> list[str]:
        """Give the secrets of the BuildTrigger that are good; they are to be nowhere from then on."""
        secret = self.fleet.cluster.get("secrets", "default", "team-hookwright") or {}
        live = [base64.b64decode(value) for value in secret.get("data", {}).values()]
        for value in live:
            self.secrets |= {f"made {value[:8]!r}": value, f"bytes of {value[:8]!r}": bytes.fromhex(value.decode())}
        return [value.decode() for value in live]

    async def rotate(self, request: str, good: int) -> None:
        """Have the secret of the BuildTrigger replaced, until so many are good."""
        trigger = make_trigger("team")
        trigger["metadata"]["annotations"] = {"hookwright.dev/rotate-secret": request}
        self.running.apply(trigger)
        await self.running.until(lambda: len(self.note_live()) == good, f"{good} secrets are good")

    async def places(self) -> dict[str, bytes]:
        """Give all that Hookwright has said or written anywhere."""
        places = {"answers": self.answers}
        for name, process in self.fleet.processes.items():
            places[f"log of {name}"] = process.said().encode()
            for page in ("metrics", "readyz", "healthz"):
                places[f"{page} of {name}"] = (await self.running.client.get(f"{process.admin}/{page}")).content
            for file in sorted((self.fleet.folder / name).glob("journal/*.db*")):
                places[f"{file.name} of {name}"] = file.read_bytes()
        for kind, member in URLS.items():
            for found in self.fleet.cluster.list(kind):
                # The URL is there for all who may read it, and an inline secret is its author's.
                status = {key: value for key, value in found.get("status", {}).items() if key != member}
                name = found["metadata"]["name"]
                places[f"{kind} {name}"] = json.dumps([found["metadata"], status]).encode()
        for kind in ("jobs.batch", "events", "leases.coordination.k8s.io"):
            places[kind] = json.dumps(self.fleet.cluster.list(kind)).encode()
        return places


async def begin(run: Run) -> None:
    """Make a Webhook of each scheme, some with troubles of their own."""
    run.running.apply(make_buildtrigger())
    for name, (scheme, members, secret, _) in SCHEMES.items():
        run.secret(name, value=secret)
        run.webhook(name, scheme, secretTokenRef={"name": name}, **members)
    run.webhook("inline", secretToken=run.secrets["inline"].decode())
    run.webhook("both", secretToken=run.secrets["both"].decode(), secretTokenRef={"name": "github"})
    run.secret("old")
    run.secret("next")
    run.webhook("rotated", secretTokenRef={"name": "next"}, additionalSecretTokenRefs=[{"name": "old"}])
    run.secret("wrong", value=b"whsec_" + run.secrets["wrong"])
    run.webhook("wrong", "STANDARD_WEBHOOKS", secretTokenRef={"name": "wrong"})
    run.secret("unused", key="another")
    run.webhook("unused", secretTokenRef={"name": "unused"})
    run.webhook("absent", secretTokenRef={"name": "absent"})
    run.webhook("open", "UNAUTHENTICATED")
    run.running.apply(make_trigger("team"))
    await run.running.until(run.note_live, "the BuildTrigger has a secret")
    for name in (*SCHEMES, "inline", "rotated", "wrong", "unused", "absent", "open"):
        await run.until_routed(name)


async def deliver_all(run: Run) -> None:
    """Deliver what is authentic and what is not, to each Webhook."""
    for name, (_, _, secret, prove) in SCHEMES.items():
        guess = b"whsec_" + base64.b64encode(GUESS) if name == "standard" else GUESS
        await until_accepted(run, name, prove(secret))
        assert await run.deliver(name, prove(guess)) == 401
        assert await run.deliver(name, {}) == 401
        # To the right place by the wrong way, in headers that are not looked at.
        strange = {"authorization": "Bearer " + secret.decode(), "x-token": secret.decode(), "cookie": secret.decode()}
        assert await run.deliver(name, strange) == (202 if name == "bearer" else 401)
        assert await run.deliver(name, prove(secret), body=b"{" + run.secrets["payload"]) in {400, 401}
    await until_accepted(run, "inline", sign_github(run.secrets["inline"]))
    for name in ("old", "next"):
        await until_accepted(run, "rotated", sign_github(run.secrets[name]))
    await run.rotate("1", good=2)
    await run.rotate("2", good=3)
    url = run.running.trigger_status("team")["payloadUrl"]
    for secret in (*run.note_live(), GUESS.decode()):
        body, headers = make_delivery(Provider.GITHUB, delivery_id=f"d-{secret[:4]}", secret=secret)
        wanted = 401 if secret == GUESS.decode() else 202
        assert await run.ask("/hooks/" + url.rpartition("/")[2], headers, body=body) == wanted
    assert await run.deliver("wrong", sign_standard(STANDARD)) == 503
    assert await run.deliver("unused", sign_github(run.secrets["unused"])) == 503
    assert await run.deliver("absent", sign_github(GUESS)) == 503
    assert await run.deliver("open", {}) == 202
    assert await run.deliver("open", {}, body=b"\xff" + run.secrets["payload"]) == 400
    assert await run.ask("/hooks/" + GUESS.hex(), {}) == 404
    assert await run.ask(run.path("github") + "/" + GUESS.hex(), {"authorization": TOKEN.decode()}) == 404


async def until_accepted(run: Run, name: str, headers: dict[str, str]) -> None:
    """Deliver until it is accepted: a Secret may have come after somebody looked for it."""
    async with patience(PATIENCE):
        while await run.deliver(name, headers) != 202:  # noqa: ASYNC110 - each try is a request
            await asyncio.sleep(0.05)


def is_judged(run: Run, name: str) -> bool:
    """Say whether status is about a Webhook as it is now."""
    found = run.running.webhook(name)
    return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])


async def make_trouble(run: Run) -> None:
    """Let the API server refuse, fail and be away, and the journal be gone; deliver all the while."""
    cluster, proof = run.fleet.cluster, sign_github(invent("github"))
    number = 0

    async def deliver() -> int:
        nonlocal number
        number += 1
        return await run.deliver("github", proof | {"x-github-delivery": f"trouble-{number}"})

    forbidden = {"status": 403, "reason": "Forbidden"}
    for fault in (
        {"path": r".*/jobs", "method": "POST", "times": 2, **forbidden, "message": 'cannot create resource "jobs"'},
        {"path": r".*/jobs", "method": "POST", "times": 2, "status": 500, "message": "etcd is away"},
        {"path": r".*/secrets/.*", "times": 3, **forbidden, "message": "secrets is forbidden"},
        {"path": r".*/status", "times": 3, **forbidden, "message": "no right to patch"},
        {"path": r".*/status", "times": 3, "status": 409, "reason": "Conflict", "message": "modified"},
        {"path": r".*/events", "times": 3, **forbidden, "message": "no right to write Kubernetes Events"},
    ):
        met = cluster.answer(**fault)
        # It changes whether it is ready each time, of which there is a Kubernetes Event.
        run.webhook("passing", secretTokenRef={"name": "github" if number % 2 else "absent"})
        # Whose Secret was read too long ago has none now.
        assert await deliver() in ({202, 503} if "secrets" in str(fault["path"]) else {202})
        await until(lambda met=met: met.hits, f"somebody met {fault}")
        met.remove()
        # Else the next change may leave it as it was, and nobody would tell of it.
        await until(lambda: is_judged(run, "passing"), "an operator has looked at it")
    await until_accepted(run, "github", proof)
    met = cluster.answer(
        path=r".*/secrets/team-hookwright", method="PATCH", status=500, message="etcd is away", times=2
    )
    await run.rotate("3", good=4)
    assert met.hits
    cluster.drop(times=3)
    cluster.close_watches()
    assert await deliver() == 202
    journal = run.fleet.folder / "receiver" / "journal"
    journal.rename(journal.with_name("elsewhere"))
    assert await deliver() == 503
    journal.with_name("elsewhere").rename(journal)
    # The root key is broken for a while, and what it was is said nowhere.
    root = cluster.get("secrets", "hookwright-system", "hookwright-root-key")
    assert root is not None
    cluster.apply(root | {"data": {"keys": base64.b64encode(GUESS).decode()}})
    await until(lambda: "not base64" in run.fleet.processes["receiver"].said(), "the receiver sees the broken root key")
    cluster.apply(root)
    assert await deliver() == 202
    await until(lambda: run.running.last("github")[0] == "started", "the last delivery is in the status")


async def test_no_secret_gets_out(tmp_path: Path):
    """Whatever happens, no secret, token, signature or payload is in a log, an answer, a metric, a status or a file."""
    async with run_fleet(tmp_path, {}) as fleet:
        access = yaml.safe_load(fleet.running.kubeconfig.read_text())
        access["users"][0]["user"] = {"token": TOKEN.decode()}
        fleet.running.kubeconfig.write_text(yaml.safe_dump(access))
        for role in ("operator", "receiver"):
            await fleet.add(role, role)
        await fleet.until_ready()
        run = Run(fleet)
        async with make_client(timeout=180) as client:
            run.running.client = client
            await begin(run)
            await deliver_all(run)
            await make_trouble(run)
            await fleet.running.until(lambda: len(fleet.running.jobs()) > 12, "builds were started")
            places, secrets = await run.places(), run.all_secrets()
            assert list(find_leaks(places, secrets)) == []
            # What was looked through is not nothing.
            assert {name for name, text in places.items() if not text} == set()
            for name in ("log of receiver", "metrics of receiver", "events", "jobs.batch", "answers"):
                assert len(places[name]) > 1000, name
            assert len(secrets) > 35

            # A secret that somebody uses for a delivery's id is repeated: the search finds it wherever that stands.
            planted = invent("planted")
            run.secrets["planted"] = planted
            await run.deliver("github", sign_github(invent("github")) | {"x-github-delivery": planted.decode()})
            await until(lambda: planted.decode() in json.dumps(fleet.running.jobs()), "the build was started")
            await until(lambda: fleet.running.status("github")["lastDelivery"]["id"] == planted.decode(), "it is told")
            leaks = find_leaks(await run.places(), run.secrets)
            found = {leak.partition(" in ")[2].partition(":")[0] for leak in leaks}
            wanted = {"log of receiver", "answers", "jobs.batch", "webhooks.hookwright.dev github"}
            assert wanted <= found
            assert any("journal.db" in place for place in found)


@pytest.mark.parametrize("secret", [invent("any"), STANDARD, STANDARD_KEY, TOKEN])
def test_every_form_of_a_secret_is_found(secret):
    """The search finds a secret as it is, in base64 at any place, in hexadecimals, in a URL and in JSON."""
    around = (b"", b"a", b"ab", b"abc", b"user:")
    hidden = {
        "plain": b"x" + secret + b"y",
        "hexadecimals": b"\\x" + secret.hex().encode(),
        "capitals": secret.hex().upper().encode(),
        **{f"base64 after {before!r}": base64.b64encode(before + secret + b"z") for before in around},
        **{f"base64url after {before!r}": base64.urlsafe_b64encode(before + secret) for before in around},
    }
    if secret != STANDARD_KEY:
        text = secret.decode()
        hidden |= {"URL": str(httpx.QueryParams({"a": text})).encode(), "JSON": json.dumps({"a": text}).encode()}
    for place, text in hidden.items():
        assert list(find_leaks({place: text}, {"it": secret})), place
        assert list(find_leaks({place: text}, {"another": invent("another")})) == []


def test_no_form_is_so_short_that_it_is_found_everywhere():
    """A form of a secret is long enough to be nothing else."""
    assert min(len(form) for form in write_forms(b"12345678")) >= 8
