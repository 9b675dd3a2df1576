"""operator/docs/events.md: every cell of its tables is what the dialects make of true payloads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel, to_snake

from hookwright.filters import compile_expression
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.dialect import MAX_CHANGES
from hookwright.providers.fields import MAX_FILES
from hookwright.providers.github import events as github
from hookwright.scm import EventType, Fact, Provider, ScmEvent
from support.deliveries import DELIVERIES

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "events.md").read_text(encoding="utf-8")
# Of which deliveries a column speaks.
COLUMNS = {
    "push": ["push", "push_of_a_person", "push_of_app", "push_of_changes", "push_of_old", "rewound"],
    "tag": ["tag", "tag_of_changes", "moved_tag"],
    "branch deleted": ["branch_deleted"],
    "pull request": ["opened", "updated", "reopened", "closed", "merged", "squashed", "from_fork"],
    "release": ["release", "prerelease"],
    "job": ["job", "job_of_merge_request"],
}
# Fields that only some pull requests have.
ONLY_OF = {"before": {"updated"}, "merge_commit": {"merged", "squashed"}, "head_repository": {"from_fork"}}
# Fields that are not to be had of some that are no pull requests.
HIDDEN_OF = {"head_ref": {"job_of_merge_request"}}
OF_FORKS = {"from_fork", "job_of_merge_request"}
FACTS = {"files": Fact.FILES, "message": Fact.MESSAGE}
ZEROS = "0" * 40


def split_row(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def read_tables(text):
    """Give each table as its head and its rows."""
    blocks = re.findall(r"(?:^\|.*\n)+", text + "\n", flags=re.MULTILINE)
    for block in blocks:
        head, _, *rows = block.splitlines()
        yield split_row(head), [split_row(row) for row in rows]


def read_section(title):
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def list_cells():
    """Give provider, column, field and cell of every cell in the tables of fields."""
    for section in read_section("Which field is where").split("### ")[1:]:
        (((_, *columns), rows),) = read_tables(section)
        for provider in section.splitlines()[0].split(", "):
            for name, *cells in rows:
                field = to_snake(name)
                assert name == to_camel(field)
                for column, cell in zip(columns, cells, strict=True):
                    yield pytest.param(Provider(provider), column, field, cell, id=f"{provider}-{column}-{field}")


def find(path, payload):
    """Give what a path of the page finds in a payload, as text."""
    if not path.startswith("$"):
        return [path]
    return [None if value is None or value == ZEROS else value for value in compile_expression(path).find(payload)]


def evaluate(cell, payload):
    """Give the one text that a cell finds in a payload: texts joined by +, of the first alternative with any."""
    for alternative in cell.split(" else "):
        found = [find(path, payload) for path in re.findall(r"`([^`]+)`", alternative)]
        if all(len(values) == 1 and values[0] not in {None, ""} for values in found):
            return "".join(str(values[0]) for values in found)
    return None


def evaluate_rule(cell, payload):
    """Say whether what a cell states is so."""
    if " ≠ " in cell:
        one, other = (evaluate(side, payload) for side in cell.split(" ≠ "))
        return one != other
    if " begins with " in cell:
        path, begin = re.findall(r"`([^`]+)`", cell)
        return evaluate(f"`{path}`", payload).startswith(begin)
    path, _, wanted = cell.partition(" is ")
    (value,) = compile_expression(path.strip("`")).find(payload)
    return value == {"": True, "zeros": ZEROS, "null": None}.get(wanted, wanted)


def show(value):
    return getattr(value, "full_name", value if value is None else str(value))


def list_samples(provider, column):
    """Give the events of a column's deliveries, and which each is of."""
    for what in COLUMNS[column]:
        if (provider, what) in DELIVERIES:
            event = DELIVERIES[provider, what].read_one()
            assert isinstance(event, ScmEvent)
            yield what, DELIVERIES[provider, what].payload, event


@pytest.mark.parametrize(("provider", "column", "field", "cell"), list(list_cells()))
def test_cell_says_where_the_field_is(provider, column, field, cell):
    """What stands in the payload at the place in the cell is what the event has."""
    samples = list(list_samples(provider, column))
    assert samples
    for what, payload, event in samples:
        value = getattr(event, field)
        of_others = column == "pull request" and what not in ONLY_OF.get(field, {what})
        if cell == "-" or of_others or what in HIDDEN_OF.get(field, ()):
            assert value in {None, False}
            assert FACTS.get(field) not in event.lacks()
        elif cell == "API" or (cell.endswith("API") and value is None):
            assert FACTS[field] in event.lacks()
        elif field in {"fork", "deleted"}:
            assert value is evaluate_rule(cell, payload) is (what in {*OF_FORKS, "branch_deleted"})
        elif field == "files":
            paths = re.findall(r"`([^`]+)`", cell)
            assert set(value) == {path for each in paths for path in find(each, payload)}
        elif cell.startswith("all before"):
            assert value == event.repository.full_name.rpartition("/")[0]
        else:
            assert (show(value) or None) == evaluate(cell, payload)
    if cell not in {"-", "API"}:
        assert any(getattr(event, field) for _, _, event in samples)


def list_paths():
    """Give every place that a cell names, of each provider and field once."""
    found = {}
    for provider, column, field, cell in (each.values for each in list_cells()):
        for place in re.findall(r"`(\$[^`]+)`", cell) if field == "files" else cell.split(" else "):
            if "$" in place:
                found.setdefault((provider, field, place), []).append(column)
    return [pytest.param(*key, columns, id="-".join(key)) for key, columns in found.items()]


@pytest.mark.parametrize(("provider", "field", "place", "columns"), list_paths())
def test_every_place_is_looked_at(provider, field, place, columns):
    """No place stands on the page where nothing is ever found: some delivery has its field from there alone."""
    samples = [sample for column in columns for sample in list_samples(provider, column)]
    if field in {"fork", "deleted"}:
        assert any(evaluate_rule(place, payload) and getattr(event, field) for _, payload, event in samples)
    elif field == "files":
        assert any(set(find(place, payload)) & set(event.files or ()) for _, payload, event in samples)
    else:
        found = [(evaluate(place, payload), show(getattr(event, field))) for _, payload, event in samples]
        assert any(value == wanted is not None for value, wanted in found)


@pytest.mark.parametrize("provider", Provider)
def test_every_field_of_every_event_has_a_cell(provider):
    """Each provider's table has a row for every field, and a column for every kind of event that it sends."""
    cells = [each.values[1:3] for each in list_cells() if each.values[0] is provider]
    columns = dict.fromkeys(column for column, _ in cells)
    kinds = {
        DELIVERIES[provider, what].read_one().event
        for c in columns
        for what in COLUMNS[c]
        if (provider, what) in DELIVERIES
    }
    assert kinds == DIALECTS[provider].events
    fields = set(ScmEvent.__slots__) - {"event", "index"}
    assert sorted(cells) == sorted((column, field) for column in columns for field in fields)


def list_event_cells():
    (((_, *providers), rows),) = read_tables(read_section("Which event is which"))
    for event, *cells in rows:
        for names, cell in zip(providers, cells, strict=True):
            for provider in names.split(", "):
                yield pytest.param(Provider(provider), EventType(event), cell, id=f"{provider}-{event}")


@pytest.mark.parametrize(("provider", "event", "cell"), list(list_event_cells()))
def test_cell_says_how_the_event_is_called(provider, event, cell):
    """Deliveries of an event have the names in its cell and no others; an event that is never sent has none."""
    assert (cell != "-") is (event in DIALECTS[provider].events)
    words = re.findall(r"`([^`]+)`", cell)
    sent = set()
    for (of, _), delivery in DELIVERIES.items():
        for reading in delivery.read() if of is provider else ():
            if isinstance(reading, ScmEvent) and reading.event is event:
                name = next(value for key in DIALECTS[of].event_headers if (value := delivery.headers.get(key)))
                attributes = delivery.payload.get("object_attributes", {})
                action = attributes.get("action") or delivery.payload.get("action")
                kind = delivery.payload.get("object_kind")
                assert {name, action, kind} - {None} <= set(words)
                sent.add(name)
    assert sent == {word for word in words if word in sent or ":" in word or word.endswith("Hook")}


def test_events_are_all_there():
    """The table has every event and every provider."""
    cells = {each.values[:2] for each in list_event_cells()}
    assert cells == {(provider, event) for provider in Provider for event in EventType}


def test_deliveries_of_gogs_are_what_the_page_says():
    """Each row on Gogs is of some delivery, each delivery has its row, and is the event or has the reason there."""
    ((_, rows),) = read_tables(read_section("Gogs"))
    written = {tuple(re.findall(r"`([^`]+)`", cell)): re.findall(r"`([^`]+)`", says) for cell, says in rows}
    seen = {}
    for delivery in DELIVERIES.values():
        name = delivery.headers.get("x-gogs-event")
        if name is not None and "x-gitea-event" not in delivery.headers:
            detail = delivery.payload.get("ref_type", delivery.payload.get("action"))
            key = (name,) if (name,) in written else (name, detail)
            reading = delivery.read_one()
            seen.setdefault(key, []).append(reading)
            assert (reading.event if isinstance(reading, ScmEvent) else reading.reason.name) in written[key]
    assert set(seen) == set(written)
    # What the cells say of files is so.
    for key in (("push",), ("create", "tag")):
        assert all(event.files is None for event in seen[key])
    assert all(event.deleted for key, events in seen.items() if key[0] == "delete" for event in events)


def test_other_hooks_of_gitlab_are_named():
    """The page says of each hook of GitLab that tells of no event that it is none."""
    (line,) = re.findall(r"- All other hooks of GitLab are none.*?\.\n", PAGE, flags=re.DOTALL)
    hooks = {}
    for (provider, _), delivery in DELIVERIES.items():
        if provider is Provider.GITLAB:
            name = delivery.headers["x-gitlab-event"].removesuffix(" Hook").removeprefix("Confidential ")
            hooks.setdefault(name, []).extend(delivery.read())
    others = {name for name, read in hooks.items() if not any(isinstance(each, ScmEvent) for each in read)}
    words = {"Note": "comment", "Resource Access Token": "access token", "Vulnerability": "vulnerabilities"}
    assert len(others) > 10
    assert [name for name in others if words.get(name, name).lower() not in line.replace("\n  ", " ")] == []


def test_headers_are_those_that_are_read():
    """The table of headers has those of every dialect, in their order."""
    ((_, rows),) = read_tables(read_section("Headers"))
    written = {
        Provider(provider): tuple(tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells)
        for names, *cells in rows
        for provider in names.split(", ")
    }
    assert written == {p: (d.event_headers, d.delivery_headers) for p, d in DIALECTS.items()}


@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_delivery_id_is_found(key):
    """The id of every delivery is found in the provider's own header."""
    delivery = DELIVERIES[key]
    assert DIALECTS[delivery.provider].find_delivery_id(delivery.headers.get) == "id"


def test_limits_are_those_of_the_code():
    """The numbers on the page are those that are kept."""
    for number in (MAX_CHANGES, MAX_FILES, github.MAX_COMMITS, github.MAX_FILES):
        assert f"{number:,} " in PAGE
