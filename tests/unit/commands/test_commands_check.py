"""`hookwright check`: what counts as working, and what is said of what does not."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from command_line import run

from hookwright.commands.check import MAX_BYTES, judge_admin, judge_receiver
from hookwright.intake.receiver import refuse_unknown

UNKNOWN = refuse_unknown()


class Release(ThreadingHTTPServer):
    """A receiver and an admin port in one; answers each path as `answers` says, and notes what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked = []
        self.answers = {
            "/hooks/hookwright-check": (404, UNKNOWN.body),
            "/readyz": (200, b"ready\n"),
            "/ok": (200, b"ok"),
        }


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self):
        self.server.asked.append((self.command, self.path))
        status, body = self.server.answers[self.path]
        self.send_response(status)
        if status == 307:
            self.send_header("location", "/ok")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def release():
    """A release that works; its answers can be changed."""
    server = Release()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_release_that_works(capsys, release):
    """A receiver that knows no such URL and processes that are ready are exit code 0, with a line for each."""
    ran = run(capsys, "check", "--receiver", release.url, "--admin", release.url, "--admin", release.url + "/")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"works  {release.url}: takes deliveries",
        f"works  {release.url}: ready",
        f"works  {release.url}/: ready",
    ]
    assert sorted(release.asked) == [("GET", "/readyz"), ("GET", "/readyz"), ("POST", "/hooks/hookwright-check")]


def test_process_that_is_not_ready(capsys, release):
    """A process that is not ready is exit code 1, with its own line; the others are asked all the same."""
    release.answers["/readyz"] = (503, b"the mirror is not filled yet\nmore")
    ran = run(capsys, "check", "--receiver", release.url, "--admin", release.url)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        f"works  {release.url}: takes deliveries",
        f"FAILS  {release.url}: not ready (503): the mirror is not filled yet",
    ]


def test_findings_as_json(capsys, release):
    """With `-o json` there is an object for each URL."""
    release.answers["/readyz"] = (503, b"no")
    ran = run(capsys, "check", "--admin", release.url, "-o", "json")
    assert (ran.code, ran.json) == (1, [{"url": release.url, "works": False, "said": "not ready (503): no"}])


def test_nobody_listens(capsys):
    """A URL where nobody listens is exit code 1 and one line."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        # It keeps the port, at which nobody else can listen meanwhile.
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        ran = run(capsys, "check", "--admin", url)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith(f"FAILS  {url}: does not answer: ")


def test_who_does_not_answer_is_not_waited_for(capsys):
    """A process that takes the connection and says nothing is given up after the time that was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ran = run(capsys, "check", "--receiver", url, "--timeout", "1")
    assert (ran.code, ran.out) == (1, f"FAILS  {url}: does not answer within 1 seconds\n")


def test_redirect_is_no_answer(capsys, release):
    """Whoever sends us elsewhere does not work: it is this process that was asked."""
    release.answers["/readyz"] = (307, b"over there")
    ran = run(capsys, "check", "--admin", release.url)
    assert (ran.code, release.asked) == (1, [("GET", "/readyz")])


def test_long_answer_is_not_read_to_its_end(capsys, release):
    """Of an answer no more is read than is worth reading."""
    release.answers["/readyz"] = (503, b"x" * (MAX_BYTES * 100))
    ran = run(capsys, "check", "--admin", release.url)
    assert ran.code == 1
    assert len(ran.out) < 400


@pytest.mark.parametrize("url", ["hookwright", "ftp://x", "http://", "http://x:99999", "http://x/?y", "http://x/#y"])
@pytest.mark.parametrize("option", ["--receiver", "--admin"])
def test_what_is_no_url_is_refused(capsys, option, url):
    """What is no URL to which a path can be added is a usage error that names it, before anybody is asked."""
    ran = run(capsys, "check", option, url)
    assert (ran.code, ran.out) == (2, "")
    assert url in ran.err


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "answers 200, but not as Hookwright does: <html>"),
        (404, b"default backend - 404", "answers 404, but not as Hookwright does: default backend - 404"),
        (503, json.dumps({"reason": "Busy"}).encode(), "answers 503 Busy, not 404 URLUnknown"),
        (200, json.dumps({"reason": "URLUnknown"}).encode(), "answers 200 URLUnknown, not 404 URLUnknown"),
        (404, b"[1]", "answers 404, but not as Hookwright does: [1]"),
        (404, b"\x1b[31m\xff", "answers 404, but not as Hookwright does: \ufffd[31m\ufffd"),
        (404, b"[" * MAX_BYTES, "answers 404, but not as Hookwright does: " + "[" * 200),
        (502, b"", "answers 502, but not as Hookwright does: "),
    ],
)
def test_other_answers_are_shown(status, body, said):
    """Only our own 404 will do: an Ingress without a backend answers 404 too. What was answered is shown."""
    assert judge_receiver(status, body) == (False, said)


@pytest.mark.parametrize("status", [204, 301, 404, 500, 503])
def test_only_200_is_ready(status):
    """No other status than 200 means ready."""
    assert judge_admin(status, b"why")[0] is False
