"""Frames as they are written on the trunk, and what is accepted of what was written there."""

from typing import Final

from zongheng.v1 import trunk_pb2 as wire

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, MAX_UNIT_BYTES, VIDEO, Codec, Frame

MAX_MESSAGE_BYTES: Final = MAX_UNIT_BYTES + 512 * 1024
MESSAGE_SIZES: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)

_TO_WIRE: Final = {
    Codec.H264: wire.CARRIED_CODEC_H264,
    Codec.VP8: wire.CARRIED_CODEC_VP8,
    Codec.OPUS: wire.CARRIED_CODEC_OPUS,
}
_FROM_WIRE: Final = {number: codec for codec, number in _TO_WIRE.items()}
_TRACK: Final = {Codec.H264: VIDEO, Codec.VP8: VIDEO, Codec.OPUS: AUDIO}


def fill(said: wire.CarriedFrame, frame: Frame) -> None:
    """Write a frame where it is to be: a message that is put into another one is copied."""
    said.track = frame.track
    said.seq = frame.seq
    said.pts_90k = frame.pts_90k
    said.captured_ns = frame.captured_ns
    said.keyframe = frame.keyframe
    said.codec = _TO_WIRE[frame.codec]
    said.unit = frame.unit


def carried(frame: Frame) -> wire.CarriedFrame:
    said = wire.CarriedFrame()
    fill(said, frame)
    return said


def uncarried(said: wire.CarriedFrame) -> Frame:
    """Raises ZonghengError `protocol` for what is no frame, `too_large` for one that is larger than any may be."""
    codec = _FROM_WIRE.get(said.codec)
    if codec is None or _TRACK[codec] != said.track:
        raise ZonghengError(
            "protocol", "a frame names a track and a codec of it; upgrade the node that is older"
        )
    if not said.unit or (said.track == AUDIO and not said.keyframe) or said.seq >= 1 << 62:
        raise ZonghengError("protocol", "a frame has a number and something to show")
    if len(said.unit) > MAX_UNIT_BYTES:
        raise ZonghengError("too_large", f"a frame of {len(said.unit)} bytes is no camera's")
    return Frame(said.track, said.seq, said.pts_90k, said.captured_ns, said.keyframe, codec, said.unit)


def mark(frame: Frame) -> wire.CarriedFrame:
    """What tells a frame from every other, without its unit."""
    said = carried(frame)
    said.unit = b""
    return said
