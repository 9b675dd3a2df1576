"""Settings: defaults that are documented, and wrong values that are said with the variable's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import UsageError
from hookwright.settings import PREFIX, Settings

DEFAULTS = {
    "public_url": "http://localhost:8080",
    "listen": "0.0.0.0:8080",
    "admin": "0.0.0.0:9090",
    "journal": Path("/var/lib/hookwright"),
    "cluster_name": "default",
    "namespace": "hookwright-system",
    "namespaces": "",
    "target_patience": 300,
    "webhook_quota": 300,
    "identity": "",
    "concurrent_starts": 32,
    "trusted_proxies": "",
    "address_limit": 100,
    "body_memory": 128,
    "drain": 5,
    "log_format": "console",
    "log_level": "info",
}
FULL = ",".join(f"n{number}" for number in range(100))
GOOD = [
    ("PUBLIC_URL", "https://hooks.example.com", "public_url", "https://hooks.example.com"),
    ("PUBLIC_URL", "https://hooks.example.com:8443/base/", "public_url", "https://hooks.example.com:8443/base"),
    ("PUBLIC_URL", "http://[::1]:8080", "public_url", "http://[::1]:8080"),
    ("PUBLIC_URL", "https://hooks.example.com/", "public_url", "https://hooks.example.com"),
    ("PUBLIC_URL", "https://hooks.example.com/a/b//", "public_url", "https://hooks.example.com/a/b"),
    ("NAMESPACES", "team-a", "namespaces", "team-a"),
    ("NAMESPACES", " team-a, team-b ", "namespaces", "team-a,team-b"),
    ("NAMESPACES", FULL, "namespaces", FULL),
    ("LISTEN", "127.0.0.1:1", "listen", "127.0.0.1:1"),
    ("LISTEN", "[::]:65535", "listen", "[::]:65535"),
    ("ADMIN", "[::]:1", "admin", "[::]:1"),
    ("ADMIN", "off", "admin", "off"),
    ("JOURNAL", "/data", "journal", Path("/data")),
    ("CLUSTER_NAME", "prod-1.eu_2", "cluster_name", "prod-1.eu_2"),
    ("NAMESPACE", "a", "namespace", "a"),
    ("NAMESPACE", "a" * 63, "namespace", "a" * 63),
    ("TARGET_PATIENCE", "0", "target_patience", 0),
    ("TARGET_PATIENCE", "86400", "target_patience", 86400),
    ("CONCURRENT_STARTS", "256", "concurrent_starts", 256),
    ("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8", "trusted_proxies", "10.0.0.0/8, fd00::/8"),
    ("ADDRESS_LIMIT", "0", "address_limit", 0),
    ("BODY_MEMORY", "25", "body_memory", 25),
    ("DRAIN", "0", "drain", 0),
    ("LOG_FORMAT", "json", "log_format", "json"),
    ("LOG_LEVEL", "debug", "log_level", "debug"),
]
BAD = [
    ("PUBLIC_URL", "https://x/a//b"),
    ("PUBLIC_URL", "https://x/../b"),
    ("PUBLIC_URL", "https://x/./b"),
    ("PUBLIC_URL", "https://x/%2e%2e/b"),
    ("PUBLIC_URL", "https://x/a%2F/b"),
    ("NAMESPACES", "team-a,,team-b"),
    ("NAMESPACES", "team-a,"),
    ("NAMESPACES", "team-a,team-a"),
    ("NAMESPACES", "team-a team-b"),
    ("NAMESPACES", "Team-A"),
    ("NAMESPACES", "*"),
    ("NAMESPACES", "a" * 64),
    ("NAMESPACES", "a\nb"),
    ("NAMESPACES", ",".join(f"n{number}" for number in range(101))),
    ("PUBLIC_URL", "hooks.example.com"),
    ("PUBLIC_URL", "ftp://hooks.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://x?a=b"),
    ("PUBLIC_URL", "https://x#a"),
    ("PUBLIC_URL", "https://[::1"),
    ("PUBLIC_URL", "https://x:port"),
    ("PUBLIC_URL", "https://x:99999"),
    ("PUBLIC_URL", "https://a b"),
    ("PUBLIC_URL", "https://a\nb"),
    ("LISTEN", "8080"),
    ("LISTEN", ":8080"),
    ("LISTEN", "0.0.0.0:"),
    ("LISTEN", "0.0.0.0:http"),
    ("LISTEN", "0.0.0.0:65536"),
    ("LISTEN", "0.0.0.0:0"),
    ("LISTEN", "0.0.0.0:-1"),
    ("LISTEN", "0.0.0.0:" + "9" * 5000),
    ("ADMIN", "9090"),
    ("ADMIN", "0.0.0.0:0"),
    ("ADMIN", "Off"),
    ("CLUSTER_NAME", "a b"),
    ("CLUSTER_NAME", "a:b"),
    ("CLUSTER_NAME", "a" * 64),
    ("NAMESPACE", "Upper"),
    ("NAMESPACE", "-a"),
    ("NAMESPACE", "a-"),
    ("NAMESPACE", "a" * 64),
    ("NAMESPACE", "a\n"),
    ("TARGET_PATIENCE", "-1"),
    ("TARGET_PATIENCE", "86401"),
    ("TARGET_PATIENCE", "5m"),
    ("TARGET_PATIENCE", "1.5"),
    ("CONCURRENT_STARTS", "0"),
    ("CONCURRENT_STARTS", "257"),
    ("ADDRESS_LIMIT", "-1"),
    ("ADDRESS_LIMIT", "unlimited"),
    ("BODY_MEMORY", "24"),
    ("BODY_MEMORY", "128MiB"),
    ("DRAIN", "-1"),
    ("DRAIN", "301"),
    ("LOG_FORMAT", "xml"),
    ("LOG_LEVEL", "INFO"),
    ("LOG_LEVEL", "trace"),
]


def test_defaults_are_the_documented_ones():
    """Without any variable the settings are these."""
    assert Settings.from_environ({}).model_dump() == DEFAULTS


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name):
    """Each setting has a sentence that a user can act on."""
    description = Settings.model_fields[name].description
    assert description is not None
    assert re.fullmatch(r"[A-Z].{10,}\.", description)


@pytest.mark.parametrize(("variable", "text", "name", "value"), GOOD)
def test_variable_sets_its_setting(variable, text, name, value):
    """A variable named HOOKWRIGHT_… sets the setting of its name, and nothing else."""
    found = Settings.from_environ({PREFIX + variable: text})
    assert found.model_dump() == DEFAULTS | {name: value}


@pytest.mark.parametrize(("variable", "text"), BAD)
def test_wrong_value_names_its_variable(variable, text):
    """A value that cannot be is refused with variable, value, and what is right."""
    with pytest.raises(UsageError) as refused:
        Settings.from_environ({PREFIX + variable: text})
    assert refused.value.message.startswith(f"{PREFIX}{variable}=")
    assert len(refused.value.message.partition(": ")[2]) > 5


@pytest.mark.parametrize("name", Settings.model_fields)
def test_empty_variable_leaves_the_default(name):
    """A variable that is there and empty is as good as absent."""
    assert Settings.from_environ({PREFIX + name.upper(): ""}).model_dump() == DEFAULTS


def test_other_variables_are_not_looked_at():
    """What has no setting, or another prefix, counts for nothing."""
    assert Settings.from_environ({"PATH": "/bin", "LISTEN": "x", "HOOKWRIGHT_UNKNOWN": "x"}).model_dump() == DEFAULTS


@pytest.mark.parametrize(
    ("listen", "host", "port"), [("0.0.0.0:8080", "0.0.0.0", 8080), ("[::1]:80", "::1", 80), ("host:1", "host", 1)]
)
def test_address_has_host_and_port(listen, host, port):
    """Host and port of the address, an IPv6 one without its brackets."""
    found = Settings(listen=listen)
    assert (found.listen_host, found.listen_port) == (host, port)
    assert Settings(admin=listen).admin_address == (host, port)


def test_admin_server_can_be_off():
    """Without an admin server there is no address for it."""
    assert Settings(admin="off").admin_address is None


@pytest.mark.parametrize(
    ("url", "path"), [("https://x", ""), ("https://x/", ""), ("https://x/a/b/", "/a/b"), ("https://x/a%20b", "/a b")]
)
def test_path_of_the_public_url_is_as_it_arrives(url, path):
    """The path that a proxy may leave in has no slash at its end, and no escapes."""
    assert Settings.from_environ({PREFIX + "PUBLIC_URL": url}).public_path == path


def test_namespaces_are_a_list():
    """The namespaces to work in are those that are named; none means all."""
    assert Settings().places == ()
    assert Settings.from_environ({PREFIX + "NAMESPACES": "b, a"}).places == ("b", "a")


def test_settings_do_not_change():
    """Settings are read once, at the start."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().listen = "x"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(Settings.model_fields)), st.text(max_size=30))
def test_any_text_is_taken_or_refused(name, text):
    """Whatever a variable holds, it is a setting or a usage error that names the variable."""
    variable = PREFIX + name.upper()
    try:
        Settings.from_environ({variable: text})
    except UsageError as error:
        assert error.message.startswith(f"{variable}=")  # noqa: PT017 - either is right
