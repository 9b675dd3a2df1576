"""The names by which programs find code, which no Webhook gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import CODE_NAMES, takes_code
from hookwright.kinds.parameter_names import CODE_NAME
from support.cel import holds
from support.objects import make_buildtrigger

PAGE = (Path(__file__).parents[3] / "operator" / "docs" / "webhook.md").read_text(encoding="utf-8")
CODE = (
    "PATH HOME IFS PS1 PS4 BASH_ENV BASHOPTS SHELLOPTS PROMPT_COMMAND LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT "
    "DYLD_INSERT_LIBRARIES GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_EXEC_PATH PYTHONPATH PYTHONSTARTUP "
    "PERL5OPT PERL5LIB RUBYOPT RUBYLIB NODE_OPTIONS NODE_PATH JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS "
    "MAVEN_OPTS GRADLE_OPTS npm_config_registry http_proxy https_proxy KUBECONFIG SSH_ASKPASS MAKEFLAGS "
    "Npm_Config_script_shell yarn_yarn_path Https_Proxy COMPlus_LogEnable TAR_OPTIONS GOCACHEPROG JDK_JAVAC_OPTIONS"
)
HARMLESS = (
    "COMMIT STAGE EVENT PUSHER BRANCH REF TAG IMAGE_TAG VERSION ENVIRONMENT PATHS SRC_PATH HOMEPAGE MY_HOME CCX TARGET "
    "DOCKER_TAG AWS_REGION GOAL GIT PATH.X RUN_ID PS5 NODES HTTP_PROXY_NAME X_LD_PRELOAD "
    "GIT_COMMIT GIT_BRANCH GIT_REF NODE_ENV NODE_VERSION PYTHON_VERSION JAVA_VERSION ENV env home path browser BROWSER "
    "GEM_NAME BUNDLE_ID POETRY_VERSION UV_VERSION CONDA_ENV OPENSSL_VERSION COMPOSER_VERSION GIT_CONFIG_REPO"
)


@pytest.mark.parametrize("name", CODE.split())
def test_names_of_code_are_known(name):
    """What shells, loaders, interpreters and tools read by themselves is known."""
    assert takes_code(name)


@pytest.mark.parametrize("name", HARMLESS.split())
def test_other_names_are_anybodys(name):
    """A name that only looks like one of them, or that a pipeline is used to give to its own script, is free."""
    assert not takes_code(name)


@given(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
    | st.sampled_from([name.replace("*", "X") for names in CODE_NAMES.values() for name in names.split()])
)
def test_names_are_judged_alike(name):
    """A name is taken by the operator if and only if the API server takes it."""
    assert takes_code(name) != holds(f"!self.matches('{CODE_NAME}')", name)


def test_page_has_all_names():
    """docs/webhook.md has who reads them, and all the names."""
    rows = re.findall(r"^\| (.+?) \| (`.+`) \|$", PAGE.partition("Names by which programs find code")[2], re.MULTILINE)
    listed = {who: " ".join(re.findall(r"`([^`]+)`", names)) for who, names in rows if who in CODE_NAMES}
    assert listed == dict(CODE_NAMES)


@pytest.mark.parametrize("name", CODE.split())
def test_buildtrigger_gives_what_it_likes(name):
    """Who writes a BuildTrigger writes its Job too, and so may give each of them as a parameter."""
    trigger = make_buildtrigger(parameters=[{"name": name, "value": "x"}])
    assert compile_trigger(trigger).problem is None
