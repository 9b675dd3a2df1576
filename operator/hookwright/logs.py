"""How log lines look: key and value, for people or as JSON; lines of libraries come out in the same form."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog

from hookwright.settings import Settings

# So much of a library's line is written.
MAX_FOREIGN = 400
_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def set_up_logs(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all log lines of this process to `stream`, in the form and from the level that the settings say.

    Without `stream`, to standard error as it is now.
    """
    stream = stream or sys.stderr
    renderer: structlog.typing.Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_format_exception)
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_leave_out_traceback)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, _cut],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def name_object(kind: str, namespace: str, name: str) -> dict[str, str]:
    """Give the key and value that name an object in a line: webhook=team/hello."""
    return {kind.lower(): f"{namespace}/{name}"}


def _leave_out_traceback(record: logging.LogRecord) -> bool:
    """Leave out where in a library an API server's refusal was met: that is nobody's mistake in the code."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(getattr(error, "status", None), int):
        record.exc_info = None
    return True


def _cut(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Cut what a library says at length: kopf repeats an API server's whole answer several times."""
    text = str(line["event"])
    return line if len(text) <= MAX_FOREIGN else {**line, "event": text[: MAX_FOREIGN - 1] + "…"}


def _format_exception(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback as Python does: no local variables, which could be secrets."""
    structlog.dev.plain_traceback(stream, exc_info)
