"""Running the command line in the test's own process."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

import pytest
import yaml

from hookwright.commands import main


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def run(capsys, *arguments):
    """Run `hookwright` with `arguments`; what SIGTERM does to the process of the tests stays."""
    capsys.readouterr()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
    finally:
        signal.signal(signal.SIGTERM, before)
    printed = capsys.readouterr()
    return Ran(code=left.value.code, out=printed.out, err=printed.err)


def write(path, *documents):
    """Write documents into a file: YAML for manifests, bytes and text as they are, JSON into .json."""
    if documents and isinstance(documents[0], bytes):
        path.write_bytes(documents[0])
    elif documents and isinstance(documents[0], str):
        path.write_text(documents[0], encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(documents[0]), encoding="utf-8")
    else:
        path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return path
