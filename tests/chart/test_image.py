"""operator/Dockerfile: linted, its commands run outside Docker, and what it makes fits the chart."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hookwright import __version__
from support.chart import find, render

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "operator" / "Dockerfile"
BIN = Path(sys.executable).parent
# Where the image's own folders are while its commands run here.
FOLDERS = re.compile(r"(?<![\w.-])/(?=src|build|dist|opt/hookwright|var/lib/hookwright)")


class Instruction(NamedTuple):
    """One instruction, its lines joined, and the number of the stage that it is in."""

    name: str
    rest: str
    stage: int


def read_instructions() -> list[Instruction]:
    """Give the instructions of the Dockerfile."""
    text = "\n".join(line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#"))
    found: list[Instruction] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, _, rest = line.partition(" ")
        if name:
            stage = sum(one.name == "FROM" for one in found) + (name == "FROM")
            found.append(Instruction(name, rest, stage))
    return found


INSTRUCTIONS = read_instructions()


def find_all(name: str, stage: int | None = None) -> list[str]:
    return [one.rest for one in INSTRUCTIONS if one.name == name and stage in (None, one.stage)]


def read_env() -> dict[str, str]:
    """Give the variables that the image sets."""
    return dict(pair.partition("=")[::2] for pair in find_all("ENV", 2)[0].split())


def test_linter_finds_nothing():
    """The linter (hadolint) has nothing to say."""
    done = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False, timeout=180)
    assert (done.returncode, done.stdout) == (0, "")


def test_base_is_pinned_and_slim():
    """Both stages stand on one slim Python, pinned to a minor version that Hookwright is for."""
    bases = {rest.split()[0] for rest in find_all("FROM")}
    (base,) = bases
    matched = re.fullmatch(r"python:3\.(\d+)-slim-[a-z]+", base)
    assert matched is not None
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert int(matched[1]) >= int(wanted.removeprefix(">=3."))


def test_image_fits_the_chart():
    """User, ports and entry point are those that the chart counts on; the version is Hookwright's."""
    pod = find(render(), "StatefulSet", "hookwright-receiver")["spec"]["template"]["spec"]
    user = pod["securityContext"]["runAsUser"]
    assert find_all("USER") == [f"{user}:{user}"]
    ports = {str(port["containerPort"]) for port in pod["containers"][0]["ports"]}
    assert set(find_all("EXPOSE")[0].split()) == ports
    assert json.loads(find_all("ENTRYPOINT")[0]) == ["hookwright"]
    assert "command" not in pod["containers"][0]
    assert f"VERSION={__version__}" in find_all("ARG", 2)


def test_only_what_is_copied_is_sent():
    """The builder gets what the file copies, and nothing else of the folder it is called in."""
    ignored = (ROOT / "operator" / "Dockerfile.dockerignore").read_text().splitlines()
    copied = {source for rest in find_all("COPY", 1) for source in rest.split()[:-1]}
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    for source in copied:
        assert (ROOT / source).exists()


def test_everything_installed_is_known_by_its_hash():
    """No command takes a package that is not in a lock file, or code that would have to be built of one."""
    installs = [one for rest in find_all("RUN") for one in rest.split("&&") if re.search(r"pip\S*( | .* )install", one)]
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes --only-binary :all:" in one or "--no-deps --no-index" in one


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the file's commands in a folder that stands for the image's root."""
    ask = [sys.executable, "-m", "pip", "--retries", "1", "index", "versions", "hatchling"]
    if subprocess.run(ask, capture_output=True, check=False, timeout=120).returncode:
        pytest.skip("the commands install packages, and PyPI cannot be reached")
    root = tmp_path_factory.mktemp("image")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKWRIGHT_")}
    # The Python that this environment was made of stands for the image's.
    environment["PATH"] = f"{Path(sys._base_executable).parent}:{environment['PATH']}"
    environment["PIP_NO_COMPILE"] = "0"  # a third of the time goes there; pip counts it as --compile's value
    (root / "src").mkdir()
    (root / "var/lib").mkdir(parents=True)
    for one in INSTRUCTIONS:
        if one.name == "COPY" and one.stage == 1:
            *sources, target = one.rest.split()
            for source in sources:
                copy(ROOT / source, root / "src" / (source if target == "./" else target))
        if one.name == "RUN":
            # pip's cache spares the network; who is not root cannot give folders away.
            command = FOLDERS.sub(f"{root}/", one.rest).replace("--no-cache-dir ", "")
            command = command.replace("chown 65532:65532", f"chown {os.getuid()}:{os.getgid()}")
            done = subprocess.run(
                ["sh", "-euc", command],
                cwd=root / "src",
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    yield root
    shutil.rmtree(root)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def list_tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Give the size and the time of every file and folder."""
    return {
        str(path.relative_to(folder)): (found.st_size, found.st_mtime_ns)
        for path in folder.rglob("*")
        for found in [path.lstat()]
    }


def test_commands_make_an_environment_that_works(image: Path, tmp_path: Path):
    """What the commands make runs Hookwright, as installed and not as in the sources, and writes nothing beside it."""
    home = image / "opt" / "hookwright"
    environment = {name: value.replace("/opt/hookwright", str(home)) for name, value in read_env().items()}
    environment["PATH"] = environment["PATH"].replace("$PATH", os.environ["PATH"])
    before = list_tree(home)
    for arguments, said in (
        ("version", __version__),
        ("crds", "CustomResourceDefinition"),
        ("receiver --help", "Usage"),
    ):
        done = subprocess.run(
            [*json.loads(find_all("ENTRYPOINT")[0]), *arguments.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert list_tree(home) == before
    assert not (home / "bin" / "pip").exists()
    assert not list(home.glob("lib/*/site-packages/pip*"))
    assert list(home.glob("lib/*/site-packages/hookwright/__init__.py"))
