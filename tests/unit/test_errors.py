"""The tree of errors: drawn as it is, and knowing what may be tried again."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import hookwright
from hookwright import errors
from hookwright.errors import ClusterError, HookwrightError, InvalidSpec, NotAuthentic, UsageError


def tree(kind=HookwrightError):
    return {kind.__name__: [sub.__name__ for sub in kind.__subclasses__()]} | {
        name: subs for sub in kind.__subclasses__() for name, subs in tree(sub).items()
    }


def test_tree_in_the_docstring_is_the_tree():
    """The drawing has every error of errors.py under its parent; one of another module is marked with its module."""
    drawn, parents = {}, {0: "HookwrightError"}
    for line in errors.__doc__.splitlines():
        found = re.match(r"^ {4}([│├└─ ]*[├└]── )([A-Z]\w+)( +\(in)?", line)
        if found:
            depth = len(found[1]) // 4
            parents[depth] = found[2]
            if not found[3]:
                drawn[found[2]] = parents[depth - 1]
    defined = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    assert drawn == {name: kind.__base__.__name__ for name, kind in defined.items() if kind is not HookwrightError}


def test_every_error_of_ours_descends_from_the_root():
    """Whoever catches HookwrightError at the edge catches all that is meant for users."""
    for module in pkgutil.walk_packages(hookwright.__path__, "hookwright."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert {"RowError", "UnknownKey"} <= set(tree())


def test_message_is_the_text():
    """An error's message is the text that it was made with; without one it is empty."""
    assert HookwrightError("what, where").message == "what, where"
    assert HookwrightError().message == ""
    assert UsageError("x").message == str(UsageError("x")) == "x"


def test_invalid_spec_has_code_and_field():
    """A spec's error carries AWS's code and the path of the field."""
    error = InvalidSpec("spec.x: no", code="ValidationException", field="spec.x")
    assert (error.message, error.code, error.field) == ("spec.x: no", "ValidationException", "spec.x")


def test_refusal_of_a_scheme_has_its_reason():
    """The reason is apart from the text."""
    assert NotAuthentic("x", reason="R").reason == "R"


@pytest.mark.parametrize(
    ("status", "reason", "transient"),
    [
        (0, "", True),
        (401, "Unauthorized", True),
        (408, "Timeout", True),
        (409, "Conflict", True),
        (409, "", True),
        (409, "AlreadyExists", False),
        (429, "TooManyRequests", True),
        (500, "InternalError", True),
        (503, "ServiceUnavailable", True),
        (599, "", True),
        (400, "BadRequest", False),
        (403, "Forbidden", False),
        (404, "NotFound", False),
        (410, "Gone", False),
        (413, "RequestEntityTooLarge", False),
        (422, "Invalid", False),
    ],
)
def test_transient_is_what_time_may_mend(status, reason, transient):
    """An absent, busy or broken API server may take the same request later; a refusal of the request stays one."""
    assert ClusterError("x", status=status, reason=reason).transient is transient
