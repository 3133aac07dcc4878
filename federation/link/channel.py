"""gRPC channel arguments of the link, for both ends.

Keepalive alone does not notice a peer whose kernel still acknowledges while its process is frozen: without
`grpc.http2.ping_timeout_ms` that took 70 s. A server refuses to share its port (`grpc.so_reuseport`):
otherwise a second node started on the same address would take every other connection without a word.
"""

from typing import Final

from federation.identity.credentials import Options

MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024
"""Largest message either end takes: a batch of 1 MiB, or one leaf of up to about 7 MiB."""

KEEPALIVE_MS: Final = 10_000
KEEPALIVE_TIMEOUT_MS: Final = 5_000

TAKES_PINGS: Final = ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 10)
"""For a server whose clients look whether it lives while there is nothing to say; unasked, gRPC ends such a connection at the third ping as a flood. A busy server
reads pings late, and then close together."""

_BOTH: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
)

CHILD_OPTIONS: Final[Options] = (
    *_BOTH,
    # Our own backoff decides when to dial again; gRPC's would add its minute on top.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
    # Channels with equal arguments share one connection, and a new session must not inherit a broken one.
    ("grpc.use_local_subchannel_pool", 1),
)

PARENT_OPTIONS: Final[Options] = (
    *_BOTH,
    TAKES_PINGS,
    ("grpc.so_reuseport", 0),
)
