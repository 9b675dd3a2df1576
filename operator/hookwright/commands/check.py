"""`hookwright check`: asks the processes of a release whether they work, from outside, as `helm test` does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass

import click
import httpx

from hookwright.commands.deliver import read_url
from hookwright.errors import UsageError
from hookwright.intake.routes import PATH
from hookwright.reasons import URL_UNKNOWN

PROBE = PATH + "hookwright-check"
READY = "/readyz"
MAX_BYTES = 16_384
LONGEST_SECONDS = 300
SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one URL was found to be; `said` is for people."""

    url: str
    works: bool
    said: str


@click.command(
    short_help="Ask whether receivers answer, and all processes are ready.",
    epilog="Example: hookwright check --receiver http://hookwright-receiver --admin "
    "http://hookwright-operator-pods:9090. Exit code 0 means that all work, 1 that some do not.",
)
@click.option("--receiver", "receivers", multiple=True, help="Where deliveries are sent to, before /hooks.")
@click.option("--admin", "admins", multiple=True, help="The admin port (HOOKWRIGHT_ADMIN) of a process.")
@click.option(
    "--timeout",
    type=click.IntRange(1, LONGEST_SECONDS),
    default=10,
    show_default=True,
    help="For how many seconds an answer is waited for.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def check(
    context: click.Context, receivers: tuple[str, ...], admins: tuple[str, ...], timeout: int, output: str
) -> None:
    """Ask receivers for a URL that nobody has, and all processes whether they are ready."""
    if not receivers and not admins:
        raise click.UsageError("name at least one --receiver or --admin")
    for text in (*receivers, *admins):
        url = read_url(text)
        if url.query or url.fragment:
            raise UsageError(f"{text}: a path is added to it, so it must end before ? and #")
    findings = asyncio.run(find_all(receivers, admins, seconds=timeout))
    if output == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{'works' if finding.works else 'FAILS'}  {finding.url}: {finding.said}")
    context.exit(0 if all(finding.works for finding in findings) else 1)


async def find_all(receivers: tuple[str, ...], admins: tuple[str, ...], *, seconds: float) -> list[Finding]:
    """Ask all at the same time; the findings are in the order of the URLs."""
    # No proxy, no redirects: it is the processes themselves that are asked.
    async with httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client:
        return await asyncio.gather(
            *(_find(client, "POST", url, PROBE, seconds) for url in receivers),
            *(_find(client, "GET", url, READY, seconds) for url in admins),
        )


async def _find(client: httpx.AsyncClient, method: str, url: str, path: str, seconds: float) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            status, body = await _ask(client, method, url.rstrip("/") + path)
    except TimeoutError:
        return Finding(url=url, works=False, said=f"does not answer within {seconds} seconds")
    except httpx.HTTPError as error:
        return Finding(url=url, works=False, said=f"does not answer: {error or type(error).__name__}")
    works, said = judge_receiver(status, body) if path == PROBE else judge_admin(status, body)
    return Finding(url=url, works=works, said=said)


async def _ask(client: httpx.AsyncClient, method: str, url: str) -> tuple[int, bytes]:
    """Give the status, and as much of the body as is worth reading."""
    body = bytearray()
    async with client.stream(method, url, headers={"accept-encoding": "identity"}) as response:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= MAX_BYTES:
                break
    return response.status_code, bytes(body[:MAX_BYTES])


def judge_receiver(status: int, body: bytes) -> tuple[bool, str]:
    """Say whether this is how a receiver answers a URL that nobody has. Pure."""
    try:
        reason = json.loads(body).get("reason")
    except (ValueError, AttributeError, RecursionError):
        reason = None
    if (status, reason) == (URL_UNKNOWN.status, URL_UNKNOWN.name):
        return True, "takes deliveries"
    if reason is not None:
        return False, f"answers {status} {str(reason)[:SHOWN]}, not {URL_UNKNOWN.status} {URL_UNKNOWN.name}"
    return False, f"answers {status}, but not as Hookwright does: {_first_line(body)}"


def judge_admin(status: int, body: bytes) -> tuple[bool, str]:
    """Say whether a process is ready. Pure."""
    if status == httpx.codes.OK:
        return True, "ready"
    return False, f"not ready ({status}): {_first_line(body)}"


def _first_line(body: bytes) -> str:
    """Give the first line of a body, for people: what it holds is a stranger's."""
    text = body.decode(errors="replace").strip().partition("\n")[0][:SHOWN]
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
