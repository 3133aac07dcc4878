"""A bound on what a request may carry, kept before anything of it is parsed.

One node serves everybody on one event loop: a body of a hundred megabytes would take its memory and its time from all of them. A body over
the bound is answered with 413 and not read further; one within it is handed on whole.
"""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from federation.errors import ZonghengError, problem

MOST: Final = 8 << 20
"""Bytes of one request's body: a publication of some ten thousand items."""


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        body = None if _over(announced, self._most) else await self._read(receive)
        if body is None:
            error = ZonghengError("too_large", f"send at most {self._most >> 20} MB in one request")
            told = problem(error, "en", instance=scope["path"])
            answer = JSONResponse(
                told,
                status_code=413,
                media_type="application/problem+json",
                headers={"Connection": "close"},
            )
            await answer(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(pieces)
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._most:
                return None
            if not message.get("more_body", False):
                return b"".join(pieces)


def _over(announced: bytes, most: int) -> bool:
    return announced.isdigit() and (len(announced) > 18 or int(announced) > most)
