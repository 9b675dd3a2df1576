"""Log lines: key and value, from the level that is set, in one form, and without local variables."""

from __future__ import annotations

import io
import json
import logging
import warnings

import pytest
import structlog
from pydantic import ValidationError

from hookwright.kinds import BuildTrigger, CronJob, Webhook
from hookwright.logs import MAX_FOREIGN, name_object, set_up_logs
from hookwright.settings import Settings

pytestmark = pytest.mark.usefixtures("kept_logs")


def set_up(**settings):
    stream = io.StringIO()
    set_up_logs(Settings(**settings), stream=stream)
    return stream


def lines_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail():
    password = "hush"  # noqa: F841 - what must not be seen
    raise ValueError("it broke")


def test_json_lines_are_keys_and_values():
    """With log_format json each line is one JSON object with event, level, time and what was given."""
    stream = set_up(log_format="json")
    structlog.get_logger().info("build", webhook="default/hello", delivery="d")
    (line,) = lines_of(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "build", "level": "info", "webhook": "default/hello", "delivery": "d"}


def test_console_lines_are_for_people():
    """In the console a line has the same words, and no colours where there is no terminal."""
    stream = set_up()
    structlog.get_logger().warning("build", delivery="d")
    text = stream.getvalue()
    assert [word for word in ("warning", "build", "delivery=d") if word not in text] == []
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_level_decides_what_is_written(level, written):
    """Lines below the level that is set are not written."""
    stream = set_up(log_format="json", log_level=level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)(name)
    assert [line["event"] for line in lines_of(stream)] == written


def test_lines_of_libraries_have_the_same_form():
    """What a library logs comes out as a line of ours, from warnings on."""
    stream = set_up(log_format="json")
    logging.getLogger("some.library").warning("it is %s", "odd")
    logging.getLogger("some.library").info("nobody needs this")
    (line,) = lines_of(stream)
    assert (line["event"], line["level"]) == ("it is odd", "warning")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_traceback_has_no_local_variables(log_format):
    """A traceback says where, and no value of a variable: it could be a secret. Nothing else is printed for it."""
    stream = set_up(log_format=log_format)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fail()
        except ValueError:
            structlog.get_logger().exception("worker")
            logging.getLogger("some.library").exception("library")
    text = stream.getvalue()
    assert text.count("it broke") >= 2
    assert "hush" not in text.replace('password = "hush"', "")
    if log_format == "json":
        assert ["it broke" in line["exception"] for line in lines_of(stream)] == [True, True]


def test_set_up_twice_writes_once():
    """The last set-up counts, and a line is written once."""
    first, second = set_up(log_format="json"), set_up(log_format="json")
    structlog.get_logger().info("a")
    logging.getLogger("some.library").warning("b")
    assert first.getvalue() == ""
    assert [line["event"] for line in lines_of(second)] == ["a", "b"]


def test_object_is_named_by_its_kind():
    """All lines name an object in the same way: one can be found without knowing which part wrote them."""
    stream = set_up(log_format="json")
    structlog.get_logger().info("build", **name_object("BuildTrigger", "team", "hello"), delivery="d")
    (line,) = lines_of(stream)
    assert (line["buildtrigger"], line["delivery"]) == ("team/hello", "d")


@pytest.mark.parametrize("model", [Webhook, BuildTrigger, CronJob])
def test_error_of_a_model_repeats_nothing(model):
    """What pydantic says of an object that does not fit has no value of it: it would stand in a traceback."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate({"metadata": {"name": ["hush"]}, "spec": "hush", "status": "hush"})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_library_that_says_too_much_is_cut(log_format):
    """Of a line of a library so much is written that it can be read, and no more."""
    stream = set_up(log_format=log_format)
    logging.getLogger("kopf.anything").error("the beginning %s the end", "x" * 10_000)
    said = stream.getvalue()
    assert "the beginning xxx" in said
    assert "the end" not in said
    assert len(said) < MAX_FOREIGN + 200


class Refusal(Exception):
    """As kopf raises what an API server answers."""

    status = 403


@pytest.mark.parametrize(("error", "shown"), [(Refusal("forbidden"), False), (ValueError("a mistake"), True)])
def test_librarys_traceback_is_for_mistakes(error, shown):
    """That the API server refuses something is said by a library in one line; a mistake has its traceback."""
    stream = set_up(log_format="json")
    logging.getLogger("kopf.anything").error("it has failed", exc_info=error)
    assert ("exception" in lines_of(stream)[0]) == shown
