"""The command line: exit codes, help, and one sentence where something is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import click
import pytest
import yaml
from command_line import run

from hookwright import __version__
from hookwright.commands import hookwright
from hookwright.errors import ClusterError, HookwrightError, InvalidSpec, JournalLocked, UsageError
from hookwright.kinds import KINDS, crd, crd_file_name, crd_yaml

COMMANDS = [
    "check",
    "crds",
    "deliver",
    "demo",
    "dev",
    "drain",
    "explain",
    "grant",
    "import",
    "lint",
    "operator",
    "receiver",
    "run",
    "start",
    "version",
]
HEAVY = {"kubernetes", "kopf", "granian", "aiohttp"}


def test_commands_are_those_of_the_design():
    """The command line has exactly these commands."""
    assert hookwright.list_commands(click.Context(hookwright)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_the_names_that_load_them(command):
    """A command's own name is the one under which it is found."""
    found = hookwright.get_command(click.Context(hookwright), command)
    assert found is not None
    assert found.name == command


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_an_example(capsys, command, option):
    """Every command explains itself with an example, exit code 0."""
    ran = run(capsys, command, option)
    assert (ran.code, ran.err) == (0, "")
    assert "Example: " in ran.out
    assert "hookwright" in ran.out


def test_help_of_the_whole_names_the_commands(capsys):
    """`hookwright --help` lists all commands, exit code 0."""
    ran = run(capsys, "--help")
    assert ran.code == 0
    assert [command for command in COMMANDS if command not in ran.out] == []


@pytest.mark.parametrize("group", [[], ["import"]])
def test_one_line_says_what_a_command_is_for(capsys, monkeypatch, group):
    """In a terminal of 80 columns each command has one line, which is a sentence to its end."""
    monkeypatch.setenv("COLUMNS", "80")
    listed = run(capsys, *group, "--help").out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line for line in listed if not re.fullmatch(r"  [a-z]+ +[A-Z].*[^.]\.", line)] == []
    assert len(listed) == len({line.split()[0] for line in listed}) > 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["version", "--nonsense"],
        ["version", "-o", "xml"],
        ["explain"],
        ["explain", "-f", "x"],
        ["lint"],
        ["lint", "-f", "x", "--quota", "0"],
        ["deliver"],
        ["deliver", "hello", "--kubeconfig", "/nowhere"],
        ["check"],
        ["drain", "--timeout", "0"],
        ["dev", "--port", "x"],
    ],
)
def test_wrong_words_are_exit_code_2(capsys, arguments):
    """Unknown commands, options and values, and missing ones, are usage errors on standard error."""
    ran = run(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: " in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("wrong words"), 2, "hookwright: wrong words\n"),
        (JournalLocked("another process has it"), 1, "hookwright: another process has it\n"),
        (ClusterError("no right", status=403), 1, "hookwright: no right\n"),
        (InvalidSpec("spec.x: no", code="ValidationException", field="spec.x"), 1, "hookwright: spec.x: no\n"),
        (HookwrightError("it did not happen"), 1, "hookwright: it did not happen\n"),
        (click.Abort(), 1, ""),
        (KeyboardInterrupt(), 1, None),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(capsys, error, code, text):
    """An error for the user is one line on standard error; usage is 2, all else 1."""

    @click.command()
    def boom():
        raise error

    hookwright.add_command(boom, "boom")
    try:
        ran = run(capsys, "boom")
    finally:
        del hookwright.commands["boom"]
    assert ran.code == code
    assert text is None or ran.err == text
    assert "Traceback" not in ran.err


def test_version_is_printed(capsys):
    """`version` prints the version, as text or JSON."""
    assert __version__ in run(capsys, "version").out
    ran = run(capsys, "version", "-o", "json")
    assert (ran.code, ran.json["version"]) == (0, __version__)
    assert set(ran.json) == {"version", "python"}


def test_crds_are_printed_for_kubectl(capsys):
    """`crds` prints what kubectl applies: YAML documents, or a List as JSON."""
    expected = [crd(kind) for kind in KINDS]
    assert list(yaml.safe_load_all(run(capsys, "crds").out)) == expected
    ran = run(capsys, "crds", "-o", "json")
    assert (ran.json["kind"], ran.json["items"]) == ("List", expected)


def test_crds_are_written_into_a_folder(capsys, tmp_path):
    """`crds --to` writes a file for each kind, and makes the folder."""
    folder = tmp_path / "new" / "crds"
    ran = run(capsys, "crds", "--to", folder)
    assert (ran.code, ran.out) == (0, "")
    for kind in KINDS:
        assert (folder / crd_file_name(kind)).read_text(encoding="utf-8") == crd_yaml(kind)


def test_run_with_a_wrong_setting_names_the_variable(capsys, monkeypatch):
    """`run` refuses a setting that cannot be before it touches anything, exit code 2."""
    monkeypatch.setenv("HOOKWRIGHT_LISTEN", "8080")
    ran = run(capsys, "run")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("hookwright: HOOKWRIGHT_LISTEN=8080: ")


@pytest.mark.usefixtures("kept_logs")
@pytest.mark.parametrize("command", ["deliver", "explain", "run"])
def test_unusable_kubeconfig_is_one_line(capsys, tmp_path, command):
    """A kubeconfig that is none is said in one line, exit code 2."""
    file = tmp_path / "kubeconfig"
    file.write_text("[1]", encoding="utf-8")
    ran = run(capsys, command, *(["hello"] if command != "run" else []), "--kubeconfig", file)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("hookwright: no usable kubeconfig ")
    assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("kept_logs")
@pytest.mark.parametrize("command", ["deliver", "explain", "run"])
def test_missing_kubeconfig_is_named(capsys, monkeypatch, tmp_path, command):
    """Where KUBECONFIG names no file, or there is none at its usual place, one line says so; exit code 2."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = [command, *(["hello"] if command != "run" else [])]
    for given, where in ((f"/nope{os.pathsep}/none", f"KUBECONFIG=/nope{os.pathsep}/none"), (None, "~/.kube/config")):
        if given is not None:
            monkeypatch.setenv("KUBECONFIG", given)
        else:
            monkeypatch.delenv("KUBECONFIG")
        ran = run(capsys, *arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert ran.err.startswith(f"hookwright: {where}: no such file")


def load(*arguments: str, **environment: str) -> set[str]:
    """Give the modules that a command has loaded by its end, in a process of its own."""
    code = (
        "import sys\nfrom hookwright.commands import main\n"
        f"try:\n    main({list(arguments)})\nexcept SystemExit:\n    pass\n"
        "import json\nprint(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["version", "-o", "json"], ["pydantic", "yaml"]),
        (["crds", "--help"], ["hookwright.filters"]),
        (["lint", "--help"], []),
        (["receiver", "--help"], ["hookwright.kinds"]),
        (["--help"], []),
    ],
)
def test_light_commands_load_no_kubernetes_client(arguments, without):
    """A command starts quickly: what it does not need, other commands least of all, is not imported."""
    assert load(*arguments) & {*HEAVY, *without} == set()


@pytest.mark.parametrize("command", ["drain", "operator", "receiver", "run"])
def test_wrong_setting_is_said_before_much_is_loaded(command):
    """What a process needs most time to load is loaded once its settings are right."""
    assert load(command, HOOKWRIGHT_LISTEN="8080") & HEAVY == set()
