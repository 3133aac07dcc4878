"""A sender to several nodes reaches the one it means, though a socket's address names a descriptor that is used again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc

from node import control


@contextmanager
def _answering(folder: Path) -> Iterator[None]:
    """A server at the folder's intake socket that says the folder's name."""
    folder.mkdir()
    name = folder.name.encode()
    handler = grpc.method_handlers_generic_handler(
        "test", {"Name": grpc.unary_unary_rpc_method_handler(lambda request, context: name)}
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
    with control.short_path(folder, control.INTAKE) as path:
        server.add_insecure_port(f"unix:{path}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()


def _asked(channel: grpc.Channel) -> bytes:
    answer: bytes = channel.unary_unary("/test/Name")(b"", timeout=10)
    return answer


def test_a_channel_to_one_folder_is_not_taken_for_another_folders(tmp_path: Path) -> None:
    with _answering(tmp_path / "village"), _answering(tmp_path / "town"):
        with control.short_path(tmp_path / "village", control.INTAKE) as first:
            village = grpc.insecure_channel(f"unix:{first}", options=control.DOOR_OPTIONS)
            assert _asked(village) == b"village"
        with control.short_path(tmp_path / "town", control.INTAKE) as second:
            assert first == second, "the number is used again, and the first channel is not closed yet"
            with grpc.insecure_channel(f"unix:{second}", options=control.DOOR_OPTIONS) as town:
                assert _asked(town) == b"town"
        village.close()
