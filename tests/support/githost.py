"""A Git host on loopback: bare repositories behind git's own HTTP backend, with or without TLS and a password."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GIT = shutil.which("git")
NOBODY = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "ada@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
ADA = "ada"


def git(repository: Path, *arguments: str, stdin: str = "") -> str:
    """Run git in a repository; give what it prints."""
    command = [GIT or "git", f"--git-dir={repository}", *arguments]
    done = subprocess.run(command, input=stdin, env=NOBODY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_repository(path: Path, *, format: str = "sha1") -> Path:  # noqa: A002 - git's own word
    """Make an empty bare repository, which serves nothing but what refs hold to speakers of the old protocol."""
    path.parent.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", f"--object-format={format}")
    return path


def make_commit(repository: Path, text: str, *parents: str) -> str:
    """Make a commit with one file, `what`, that holds `text`; no ref holds the commit."""
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=text)
    tree = git(repository, "mktree", stdin=f"100644 blob {blob}\twhat\n")
    return git(repository, "commit-tree", tree, "-m", text, *(word for parent in parents for word in ("-p", parent)))


@dataclass
class GitHost:
    """What is served: the repositories in `root`, or a redirect. `seen` are users and passwords that came along.

    `refused` says that somebody came without them.
    """

    root: Path
    password: str | None = None
    port: int = 0
    certificate: Path | None = None
    redirect: str | None = None
    refused: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The address before a repository's path."""
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    def lets_in(self, authorization: str | None) -> bool:
        """Say whether a request may pass, and keep who it says to be from."""
        said = base64.b64decode((authorization or "").partition(" ")[2]).decode()
        self.seen |= {said} - {""}
        return self.password is None or said == f"{ADA}:{self.password}"


@contextmanager
def serve(root: Path, *, password: str | None = None, certificate: Path | None = None) -> Iterator[GitHost]:
    """Serve the repositories below `root`; `certificate` is a file with a certificate for localhost and its key."""
    host = GitHost(root=root, password=password, certificate=certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": host}))
    host.port = server.server_port
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """CGI, as git-http-backend(1) wants it."""

    host: GitHost

    def do_GET(self) -> None:
        if not self.host.lets_in(self.headers.get("Authorization")):
            self.host.refused = True
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.host.redirect is not None:
            self.send_response(302)
            self.send_header("Location", self.host.redirect + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        length = self.headers.get("Content-Length", "0")
        environment = NOBODY | {
            "GIT_PROJECT_ROOT": str(self.host.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": length,
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.rfile.read(int(length))
        done = subprocess.run(
            [GIT or "git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the names are those of http.server

    def log_message(self, *_: object) -> None:
        """Say nothing."""
