"""The variables from which programs take code, or where to find it: no Webhook gives them. Pure.

Whoever writes a Webhook decides what starts a build, not what it runs; and what it takes from payloads strangers write.
A list is never complete: it holds what shells, loaders, interpreters and tools read without having been told to. What
a build reads because its own script says so is its author's to know (docs/security.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

CODE_NAMES: Final[Mapping[str, str]] = {
    "shells": (
        "PATH HOME ENV SHELL IFS CDPATH FPATH ZDOTDIR BASH_* BASHOPTS SHELLOPTS PS0 PS1 PS2 PS3 PS4 PROMPT_COMMAND "
        "EDITOR VISUAL PAGER BROWSER LESSOPEN LESSCLOSE XDG_*"
    ),
    "the loader and the C library": "LD_* DYLD_* GLIBC_TUNABLES GCONV_PATH LOCPATH NLSPATH OPENSSL_*",
    "git and ssh": "GIT_* SSH_*",
    "interpreters": (
        "PYTHON* PERL* RUBY* NODE_* DENO_* BUN_* PHPRC PHP_INI_* LUA_* R_PROFILE* R_ENVIRON* R_LIBS* TCLLIBPATH ERL_* "
        "JULIA_* JAVA_* _JAVA_OPTIONS JDK_* CLASSPATH DOTNET_* CORECLR_* COMPLUS_*"
    ),
    "build tools and package managers": (
        "MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEFILES CC CXX CPP LD CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CMAKE_* "
        "MAVEN_* M2_* GRADLE_* ANT_* SBT_* CARGO* RUST* "
        "GOFLAGS GOENV GOPATH GOROOT GOBIN GOPROXY GOSUMDB GONOSUMDB GOINSECURE GOTOOLCHAIN "
        "NPM_* YARN_* PIP_* UV_* POETRY_* CONDA_* GEM_* BUNDLE_* COMPOSER_* NUGET_*"
    ),
    "clients, which load and send elsewhere": (
        "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_* WGETRC "
        "KUBECONFIG DOCKER_CONFIG DOCKER_HOST AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE"
    ),
}
"""By who reads them, in capitals or not (npm and curl read small ones); `*` stands for whatever follows."""

CODE_NAME: Final = "(?i)^(" + "|".join(" ".join(CODE_NAMES.values()).replace("*", ".*").split()) + ")$"
"""The pattern of such a name, for RE2 and Python alike."""

CODE_REMEDY: Final = "choose another, or have the owner of the target write it into the target"

_PATTERN = re.compile(CODE_NAME)


def takes_code(name: str) -> bool:
    """Say whether programs take code, or where to find it, from a variable of this name."""
    return _PATTERN.match(name) is not None
