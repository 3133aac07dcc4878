"""Where Tortoise finds its PostgreSQL client, which reaches the server by the URL as it stands, and the classes for it.

Tortoise takes a URL apart and hands the pieces on, and so loses what asyncpg and the store read in it (``sslmode``, session
settings, socket directories). Here asyncpg gets the whole URL: where the store reaches the server, the registry does.
"""

from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from node.models.tables import tables
from node.store.engines.postgres import CONNECT_S


class UrlClient(AsyncpgDBClient):
    """A client for ``url``; whatever Tortoise would make of host, user or schema is left to asyncpg."""

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._url = url

    async def create_pool(self, **_: Any) -> Any:
        return await asyncpg.create_pool(
            self._url, min_size=self.pool_minsize, max_size=self.pool_maxsize, timeout=CONNECT_S
        )


client_class = UrlClient
"""Where Tortoise looks for it."""

__models__ = tables("postgres").models
