"""An error that is told with another status than the catalogue's: where a protocol that others speak asks for one."""

from federation.errors import ZonghengError


class Restated(ZonghengError):
    """The error with this status; ``retry_after_ms`` where it says when to ask again and the error does not."""

    def __init__(self, error: ZonghengError, status: int, retry_after_ms: int = 0) -> None:
        super().__init__(error.code, error.detail, retry_after_ms=error.retry_after_ms or retry_after_ms)
        self.status = status
