"""What the server makes of header lines, and the schemes of that: bytes as they come over the wire."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from support.rawhttp import RawAnswer, RawConnection
from support.running import make_buildtrigger, make_secret, make_webhook, run_hookwright

REF = {"secretTokenRef": {"name": "hello-webhook"}}
SECRET = b"c2VjcmV0c2VjcmV0"
BODY = b"{}"
HEX = hmac.new(SECRET, BODY, "sha256").hexdigest().encode()
LOGIN = base64.b64encode(b"hook:" + SECRET)
WEBHOOKS = {
    "github": ("GITHUB_HMAC", {}),
    "gitlab": ("GITLAB_TOKEN", {}),
    "gitea": ("HMAC", {"header": "X-Gitea-Signature"}),
    "bearer": ("BEARER_TOKEN", {}),
    "basic": ("BASIC", {"username": "hook"}),
}
# The webhook, the lines of the proof, and the status of the answer.
LINES = {
    "GitHub": ("github", [b"X-Hub-Signature-256: sha256=" + HEX], 202),
    "name in capitals": ("github", [b"X-HUB-SIGNATURE-256: sha256=" + HEX], 202),
    "name in small letters": ("github", [b"x-hub-signature-256: sha256=" + HEX], 202),
    "blanks around the value": ("github", [b"x-hub-signature-256:  \t sha256=" + HEX + b" \t "], 202),
    "no blank before the value": ("github", [b"x-hub-signature-256:sha256=" + HEX], 202),
    "name with underscores": ("github", [b"X_Hub_Signature_256: sha256=" + HEX], 401),
    "name with underscores beside a wrong one": (
        "github",
        [b"X_Hub_Signature_256: sha256=" + HEX, b"X-Hub-Signature-256: sha256=" + b"0" * 64],
        401,
    ),
    "twice": ("github", [b"x-hub-signature-256: sha256=" + HEX] * 2, 401),
    "twice in two cases": (
        "github",
        [b"x-hub-signature-256: sha256=" + HEX, b"X-Hub-Signature-256: sha256=" + HEX],
        401,
    ),
    "a wrong one after it": (
        "github",
        [b"x-hub-signature-256: sha256=" + HEX, b"x-hub-signature-256: sha256=" + b"0" * 64],
        401,
    ),
    "an empty one after it": ("github", [b"x-hub-signature-256: sha256=" + HEX, b"x-hub-signature-256:"], 401),
    "joined by a proxy": ("github", [b"x-hub-signature-256: sha256=" + HEX + b", sha256=" + HEX], 401),
    "a byte beyond ASCII": ("github", [b"x-hub-signature-256: sha256=" + HEX + b"\xff"], 401),
    "a letter of UTF-8": ("github", [b"x-hub-signature-256: sha256=" + HEX + "ü".encode()], 401),
    # The server shows no line with such a byte: the other one is alone, and was signed by who knows the secret.
    "a line beyond ASCII after it": (
        "github",
        [b"x-hub-signature-256: sha256=" + HEX, b"x-hub-signature-256: \xff"],
        202,
    ),
    "a tab in it": ("github", [b"x-hub-signature-256: sha256=\t" + HEX], 401),
    "GitLab": ("gitlab", [b"X-Gitlab-Token: " + SECRET], 202),
    "GitLab with blanks behind": ("gitlab", [b"X-Gitlab-Token: " + SECRET + b"  "], 202),
    "GitLab beyond ASCII": ("gitlab", [b"X-Gitlab-Token: " + SECRET + b"\xe9"], 401),
    "GitLab in the wrong header": ("gitlab", [b"X-Gitlab-Tokens: " + SECRET], 401),
    "GitLab with nothing": ("gitlab", [b"X-Gitlab-Token:"], 401),
    "Gitea": ("gitea", [b"X-Gitea-Signature: " + HEX], 202),
    "Gitea in capitals": ("gitea", [b"X-Gitea-Signature: " + HEX.upper()], 202),
    "Gitea with nothing": ("gitea", [b"X-Gitea-Signature: "], 401),
    "bearer": ("bearer", [b"Authorization: Bearer " + SECRET], 202),
    "bearer in small letters": ("bearer", [b"authorization: bearer " + SECRET], 202),
    "bearer in the proxy's header": ("bearer", [b"Proxy-Authorization: Bearer " + SECRET], 401),
    "bearer beyond ASCII": ("bearer", [b"Authorization: Bearer " + SECRET + b"\xa0"], 401),
    "bearer twice": ("bearer", [b"Authorization: Bearer " + SECRET] * 2, 401),
    "user and password": ("basic", [b"Authorization: Basic " + LOGIN], 202),
    "user and password, then another way": (
        "basic",
        [b"Authorization: Basic " + LOGIN, b"Authorization: Bearer x"],
        401,
    ),
    "a signature of 8 KiB": ("github", [b"x-hub-signature-256: sha256=" + HEX * 128], 401),
    "a token of 8 KiB": ("gitlab", [b"x-gitlab-token: " + SECRET * 512], 401),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def urls(tmp_path_factory) -> AsyncIterator[dict[str, str]]:
    """One Hookwright with a Webhook for each scheme, and their URLs."""
    async with run_hookwright(tmp_path_factory.mktemp("wire"), address_limit=0) as running:
        running.apply(make_secret(value=SECRET.decode()), make_buildtrigger())
        for name, (scheme, members) in WEBHOOKS.items():
            configuration = {**REF, **members}
            running.apply(
                make_webhook(name, authentication=scheme, authenticationConfiguration=configuration, filters=[])
            )
        yield {name: await running.until_ready(name) for name in WEBHOOKS}


async def send(url: str, lines: list[bytes], body: bytes = BODY) -> RawAnswer:
    """Send a delivery with these header lines."""
    parts = urlsplit(url)
    head = [f"POST {parts.path} HTTP/1.1".encode(), b"host: x", b"content-type: application/json"]
    connection = await RawConnection.open(url)
    try:
        await connection.send(b"\r\n".join([*head, *lines, b"content-length: %d" % len(body), b"", b""]) + body)
        return await connection.answer()
    finally:
        connection.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", LINES)
async def test_lines_are_one_proof_or_none(urls, case):
    """A proof is one line of one name in ASCII; blanks around it and capitals of the name do not matter."""
    name, lines, status = LINES[case]
    answer = await send(urls[name], lines)
    assert answer.status == status
    assert answer.reason == ("Accepted" if status == 202 else "NotAuthentic")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", WEBHOOKS)
async def test_refusals_look_alike(urls, name):
    """Whatever is wrong with a proof, or missing, the answer is the same but for the id of the delivery."""
    proofs = [
        [],
        [b"x-hub-signature-256: sha256=" + b"0" * 64, b"x-gitlab-token: x", b"x-gitea-signature: " + b"0" * 64],
        [b"authorization: Bearer x"],
        [b"authorization: Basic eDp5"],
        [b"authorization: Basic *"],
        [b"x-hub-signature-256: \xff", b"x-gitlab-token: \xff", b"x-gitea-signature: \xff", b"authorization: \xff"],
    ]
    answers = [await send(urls[name], lines) for lines in proofs]
    assert {answer.status for answer in answers} == {401}
    said = [{**answer.json, "deliveryId": None} for answer in answers]
    assert all(one == said[0] for one in said)
