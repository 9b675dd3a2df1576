"""The catalogue of reasons: each is given somewhere, none is written out elsewhere, each that hurts has a remedy."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import hookwright
from hookwright import reasons
from hookwright.reasons import CATALOGUE, Outcome, Reason

PACKAGE = Path(hookwright.__file__).parent
CATALOGUE_FILE = PACKAGE / "reasons.py"
CATALOGUE_MODULE = ("hookwright", "reasons")
# The development cluster speaks Kubernetes' words, not ours.
# and so are the conditions of a Job.
OTHER_WORDS = (*(PACKAGE / "devcluster").rglob("*.py"), PACKAGE / "builds" / "state.py")
# The conditions take words from the catalogue, but that gives no delivery its reason.
GIVES_NONE = PACKAGE / "reconcile" / "checks.py"
CONSTANTS = {name: value for name, value in vars(reasons).items() if isinstance(value, Reason)}

every_reason = pytest.mark.parametrize("reason", CATALOGUE.values(), ids=str)


@cache
def modules():
    """Give the syntax tree of every module but the catalogue."""
    files = [file for file in PACKAGE.rglob("*.py") if file != CATALOGUE_FILE]
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def uses_in(tree):
    """Give the catalogue's constants that a module uses: not what it only imports, exports or compares with."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    aliases = [(source.module, alias) for source in imports for alias in source.names]
    ours = {alias.asname or alias.name: alias.name for module, alias in aliases if module == "hookwright.reasons"}
    catalogues = {alias.asname or alias.name for module, alias in aliases if (module, alias.name) == CATALOGUE_MODULE}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ours:
            yield ours[node.id]
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in catalogues:
            yield node.attr
        if not isinstance(node, ast.Compare):
            waiting.extend(ast.iter_child_nodes(node))


@cache
def given():
    """Give the names of the constants that are used where a delivery can get its reason."""
    return {name for file, tree in modules().items() if file != GIVES_NONE for name in uses_in(tree)}


def test_every_constant_is_in_the_catalogue_under_its_name():
    """Constants and catalogue are the same reasons, and a constant's name is its reason's in capitals."""
    assert {reason.name: reason for reason in CONSTANTS.values()} == CATALOGUE
    for constant, reason in CONSTANTS.items():
        assert constant == re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=URL)(?=[A-Z])", "_", reason.name).upper()


@pytest.mark.parametrize("constant", CONSTANTS)
def test_every_reason_is_given_somewhere(constant):
    """No reason stands in the catalogue that no code gives."""
    assert constant in given()


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("from hookwright.reasons import PING\nsay(PING)", {"PING"}),
        ("from hookwright.reasons import PING as P\nsay(P.name)", {"PING"}),
        ("from hookwright import reasons\nsay(reasons.PING)", {"PING"}),
        ("from hookwright.reasons import PING\n__all__ = ['PING']", set()),
        ("from hookwright.reasons import PING\nif reason is PING: pass", set()),
        ("PING = 'ping'\nsay(PING)", set()),
        ("from elsewhere import PING, other\nsay(PING, other.PING)", set()),
    ],
)
def test_only_what_gives_a_reason_counts(source, uses):
    """A name that is only imported or compared with, or is something else's, gives no reason."""
    assert set(uses_in(ast.parse(source))) == uses


def literals_of(tree):
    """Give the constants of a module, but for those by which it exports its names."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__":
            continue
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.Constant))


def test_no_reason_is_written_out_elsewhere():
    """The name of a reason stands in the catalogue alone; everybody else uses its constant."""
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}: {node.value}"
        for file, tree in modules().items()
        if file not in OTHER_WORDS
        for node in literals_of(tree)
        if node.value in CATALOGUE
    ]
    assert found == []


@every_reason
def test_reason_is_a_camel_case_word_with_a_sentence(reason):
    """A reason is one CamelCase word, its text a sentence, its remedy another one."""
    assert re.fullmatch(r"(?:[A-Z]+[a-z]*)+", reason.name)
    assert len(reason.name) <= 64
    assert re.fullmatch(r"[A-Z].*\.", reason.sentence)
    assert re.fullmatch(r"|[A-Z].*[.?]", reason.remedy)
    assert str(reason) == reason.name


@every_reason
def test_what_hurts_has_a_remedy(reason):
    """Each reason by which a delivery is refused or fails says what to do, unless nothing can be done."""
    if reason.outcome in (Outcome.REFUSED, Outcome.FAILED) and reason is not reasons.NAMESPACE_GONE:
        assert reason.remedy


@every_reason
def test_outcome_decides_what_is_answered(reason):
    """2xx is on disk or starts nothing by right; what is refused is 4xx or 503; never 3xx, 410 or 500."""
    answers = {
        Outcome.STARTED: {202, None},
        Outcome.PENDING: {202, None},
        Outcome.DUPLICATE: {200},
        Outcome.PING: {200},
        Outcome.IGNORED: {200},
        Outcome.SUSPENDED: {200},
        Outcome.REFUSED: {400, 401, 403, 404, 405, 413, 415, 429, 503},
        Outcome.FAILED: {None},
    }
    assert reason.status in answers[reason.outcome]


def test_every_outcome_has_a_reason():
    """No outcome is promised that nothing leads to."""
    assert {reason.outcome for reason in CATALOGUE.values()} == set(Outcome)


def test_strangers_learn_one_word():
    """Reasons that say which check of authenticity failed are answered like the one that does not."""
    hidden = (
        *(reasons.SIGNATURE_MISSING, reasons.SIGNATURE_MISMATCH, reasons.TOKEN_MISSING, reasons.TOKEN_MISMATCH),
        *(reasons.TIMESTAMP_MISSING, reasons.TIMESTAMP_OUT_OF_WINDOW),
    )
    assert {reason.status for reason in hidden} == {reasons.NOT_AUTHENTIC.status}
