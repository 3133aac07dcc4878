"""Logs: one event a line with named fields, as JSON where no person is watching."""

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog


class _Enduring:
    """Standard error, where a line that cannot be written is lost: a full disk must not end the node that says so."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure(level: int = logging.INFO) -> None:
    """Set structlog up: ISO times in UTC, to standard error. Tracebacks are plain: local values may be persons."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Enduring())),
    )
