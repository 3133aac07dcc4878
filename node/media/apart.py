"""Work with FFmpeg in a process of its own: whatever that makes of a strange camera or a damaged file happens there, and the node loads no codecs.

What is asked and what is found pass as JSON through its standard input and output: a password is on no command line.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import orjson

from federation.errors import ZonghengError


async def ask(module: str, asked: Any, patience_s: float, too_long: str) -> Any:
    """What a module that can be run finds, which answers with `answer`. Raises its ZonghengError, `deadline` with the words ``too_long`` after ``patience_s`` seconds,
    `internal` where it died."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(patience_s):
            answer, _ = await process.communicate(orjson.dumps(asked))
    except TimeoutError:
        raise ZonghengError("deadline", too_long) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not answer:
        raise ZonghengError("internal")
    told = orjson.loads(answer)
    if "code" in told:
        raise ZonghengError(told["code"], told["detail"])
    return told["found"]


def answer(find: Callable[[Any], Any]) -> None:
    """In that process: find what is asked."""
    try:
        told = {"found": find(orjson.loads(sys.stdin.buffer.read()))}
    except ZonghengError as error:
        told = {"code": error.code, "detail": error.detail}
    sys.stdout.buffer.write(orjson.dumps(told))
