"""The peer that people use instead: adnanh/webhook, `python -m harness.webhook`, which becomes that process.

It gets one hook that refuses what the receiver's Webhook filters out: GitHub's signature must fit, and the branch be
main. It is measured where its binary is on PATH, as Debian's package `webhook` puts it there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

from harness import deliveries
from harness.children import HOST

BINARY = "webhook"


def find_webhook() -> str | None:
    """Give the path of the binary; None if it is not there."""
    return shutil.which(BINARY)


def make_hooks(path: str) -> str:
    """Give its configuration: one hook, at the path of the receiver's Webhook."""
    signed = {
        "type": "payload-hmac-sha256",
        "secret": deliveries.SECRET.decode(),
        "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
    }
    on_main = {"type": "value", "value": "refs/heads/main", "parameter": {"source": "payload", "name": "ref"}}
    hook = {
        "id": path.rpartition("/")[2],
        "execute-command": shutil.which("true"),
        "trigger-rule": {"and": [{"match": signed}, {"match": on_main}]},
        "trigger-rule-mismatch-http-response-code": 200,
    }
    return json.dumps([hook])


def main() -> None:
    """Write the configuration and become the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    hooks = arguments.folder / "hooks.json"
    hooks.write_text(make_hooks(deliveries.path_of(0)))
    own = ["-hooks", str(hooks), "-ip", HOST, "-port", str(arguments.port), "-urlprefix", "hooks"]
    # So that the process that is weighed is the server itself.
    os.execvp(BINARY, [BINARY, *own])


if __name__ == "__main__":
    main()
