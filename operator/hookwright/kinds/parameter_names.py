"""The variables from which programs take code, or where to find it: no Webhook gives them. Pure.

Whoever writes a Webhook decides what starts a build, not what it runs; and what it takes from payloads strangers write.
A list is never complete: it holds what shells, loaders, interpreters and tools read without having been told to. What
a build reads because its own script says so is its author's to know (docs/security.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

ANY_CASE: Final = "npm, yarn and clients, in capitals or not"

CODE_NAMES: Final[Mapping[str, str]] = {
    "shells": (
        "PATH HOME SHELL IFS CDPATH FPATH ZDOTDIR BASH_* BASHOPTS SHELLOPTS PS0 PS1 PS2 PS3 PS4 PROMPT_COMMAND EDITOR "
        "VISUAL PAGER LESSOPEN LESSCLOSE XDG_*"
    ),
    "the loader and common libraries": (
        "LD_* DYLD_* GLIBC_TUNABLES GCONV_PATH LOCPATH NLSPATH OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES"
    ),
    "git and ssh": (
        "GIT_ALLOW_PROTOCOL GIT_ALTERNATE_* GIT_ASKPASS GIT_ATTR_* GIT_COMMON_DIR GIT_CONFIG GIT_CONFIG_COUNT "
        "GIT_CONFIG_GLOBAL GIT_CONFIG_KEY_* GIT_CONFIG_NOSYSTEM GIT_CONFIG_PARAMETERS GIT_CONFIG_SYSTEM "
        "GIT_CONFIG_VALUE_* GIT_DIR GIT_EDITOR GIT_EXEC_PATH GIT_EXTERNAL_DIFF GIT_INDEX_FILE GIT_OBJECT_DIRECTORY "
        "GIT_PAGER GIT_PROTOCOL* GIT_PROXY_* GIT_SEQUENCE_EDITOR GIT_SSH GIT_SSH_* GIT_SSL_* GIT_TEMPLATE_DIR "
        "GIT_TRACE* GIT_WORK_TREE SSH_ASKPASS* SSH_AUTH_SOCK SSH_SK_*"
    ),
    "interpreters": (
        "PYTHONBREAKPOINT PYTHONEXECUTABLE PYTHONHOME PYTHONINSPECT PYTHONPATH PYTHONPLATLIBDIR PYTHONPYCACHEPREFIX "
        "PYTHONSTARTUP PYTHONUSERBASE PYTHONWARNINGS PERL5* PERLLIB RUBYLIB RUBYOPT RUBYSHELL NODE_EXTRA_CA_CERTS "
        "NODE_OPTIONS NODE_PATH NODE_REPL_* NODE_TLS_REJECT_UNAUTHORIZED DENO_AUTH_TOKENS DENO_CERT DENO_DIR "
        "BUN_CONFIG_* BUN_INSTALL* BUN_OPTIONS PHPRC PHP_INI_* LUA_CPATH* LUA_INIT* LUA_PATH* R_ENVIRON* R_LIBS* "
        "R_PROFILE* TCLLIBPATH ERL_AFLAGS ERL_FLAGS ERL_LIBS ERL_ZFLAGS JULIA_DEPOT_PATH JULIA_LOAD_PATH JAVA_HOME "
        "JAVA_OPTIONS JAVA_OPTS JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JDK_JAVAC_OPTIONS CLASSPATH "
        "DOTNET_ADDITIONAL_DEPS DOTNET_ROOT* DOTNET_SHARED_STORE DOTNET_STARTUP_HOOKS CORECLR_* COMPlus_*"
    ),
    "build tools and package managers": (
        "MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEFILES CC CXX CPP LD CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CONFIG_SITE "
        "GCC_EXEC_PREFIX TAR_OPTIONS CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER CMAKE_PREFIX_PATH "
        "CMAKE_TOOLCHAIN_FILE MAVEN_ARGS MAVEN_CONFIG MAVEN_HOME MAVEN_OPTS M2_HOME GRADLE_HOME GRADLE_OPTS "
        "GRADLE_USER_HOME ANT_ARGS ANT_HOME ANT_OPTS SBT_OPTS CARGO CARGO_* RUSTC RUSTC_* RUSTDOC RUSTFLAGS RUSTUP_* "
        "GOAUTH GOCACHEPROG GOFLAGS GOENV GOPATH GOROOT GOBIN GOPROXY GOSUMDB GONOSUMDB GOINSECURE GOTOOLCHAIN PIP_* "
        "UV_CONFIG_FILE UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX* UV_PYTHON* POETRY_REPOSITORIES_* "
        "CONDA_CHANNELS CONDA_EXE CONDA_PREFIX CONDARC GEM_HOME GEM_PATH GEM_SPEC_CACHE BUNDLE_BIN* BUNDLE_GEMFILE "
        "BUNDLE_MIRROR__* BUNDLE_PATH* COMPOSER COMPOSER_AUTH COMPOSER_HOME COMPOSER_VENDOR_DIR NUGET_PACKAGES "
        "NUGET_PLUGIN_PATHS"
    ),
    "clients, which load and send elsewhere": (
        "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE CURL_HOME WGETRC KUBECONFIG DOCKER_CONFIG "
        "DOCKER_HOST AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE"
    ),
    ANY_CASE: "NPM_CONFIG_* YARN_* HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY",
}
"""By who reads them, as they are read; `*` stands for whatever follows.

What pipelines are used to give stays free: GIT_COMMIT, NODE_ENV, PYTHON_VERSION, GEM_NAME. So whole families are here
only where hardly anybody names something else so. ENV is not: sh reads it only where somebody types (POSIX, sh).
"""


def _match(names: str) -> str:
    return "|".join(names.replace("*", ".*").split())


_AS_READ: Final = " ".join(names for who, names in CODE_NAMES.items() if who != ANY_CASE)
CODE_NAME: Final = f"^({_match(_AS_READ)}|(?i:{_match(CODE_NAMES[ANY_CASE])}))$"
"""The pattern of such a name, for RE2 and Python alike."""

CODE_REMEDY: Final = "choose another, or have the owner of the target write it into the target"

_PATTERN = re.compile(CODE_NAME)


def takes_code(name: str) -> bool:
    """Say whether programs take code, or where to find it, from a variable of this name."""
    return _PATTERN.match(name) is not None
