"""The one catalogue of what can go wrong: a stable code, its gRPC and HTTP status, and words in both
languages.

Programs tell errors apart by code, people by title and detail. A code never changes its meaning and is never
used again for another. Over gRPC the code travels as trailing metadata `zongheng-code` beside the status, so
that a peer that knows the status alone still does the right thing; over HTTP it becomes problem details (RFC
9457).

An exception of another part that carries a `code` of its own (the journal's, the store's) is read by `of`;
one that carries none is `internal`, and its text stays in the log: it may name a path or a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeVar

import grpc
import grpc.aio

Language = Literal["zh", "en"]

CODE_KEY: Final = "zongheng-code"
"""Trailing metadata key of the stable code."""

RETRY_KEY: Final = "zongheng-retry-after-ms"
"""Trailing metadata key of the least time, in milliseconds, before another attempt."""

_DETAIL_CHARACTERS: Final = 1_000
"""A status message travels in an HTTP/2 header, which peers limit to 8 KiB; percent-encoded Chinese takes 9
bytes.
"""

_S = grpc.StatusCode


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue."""

    code: str
    status: grpc.StatusCode
    http: int
    zh: str
    en: str

    def title(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


CATALOGUE: Final[dict[str, Fault]] = {
    fault.code: fault
    for fault in (
        # At the door.
        Fault("unreadable", _S.INVALID_ARGUMENT, 422, "无法读取", "It cannot be read"),
        Fault(
            "unattributable",
            _S.INVALID_ARGUMENT,
            422,
            "无法归属",
            "It names no case, agency or time to belong to",
        ),
        Fault("unknown_kind", _S.INVALID_ARGUMENT, 422, "事件类型未知", "The event kind is unknown"),
        Fault(
            "not_supervised",
            _S.INVALID_ARGUMENT,
            422,
            "本级不监察该领域",
            "This node does not supervise the domain",
        ),
        Fault(
            "duplicate",
            _S.ALREADY_EXISTS,
            409,
            "序号重复而内容不同",
            "The serial was used before with other content",
        ),
        Fault(
            "future",
            _S.INVALID_ARGUMENT,
            422,
            "时间晚于当前五分钟以上",
            "It is more than five minutes in the future",
        ),
        Fault("too_large", _S.INVALID_ARGUMENT, 413, "内容过大", "It is too large"),
        Fault(
            "case_elsewhere",
            _S.FAILED_PRECONDITION,
            409,
            "案件已移交，不在本节点",
            "The case was handed over and is not with this node",
        ),
        Fault(
            "classified", _S.PERMISSION_DENIED, 422, "涉密内容不得录入", "Classified content is not taken in"
        ),
        Fault(
            "withdrawn",
            _S.FAILED_PRECONDITION,
            422,
            "事项已取消，不再受理",
            "The item is withdrawn: no case of it begins any more",
        ),
        # The store.
        Fault("disk_full", _S.RESOURCE_EXHAUSTED, 507, "磁盘空间不足", "The disk is full"),
        Fault(
            "store_locked",
            _S.FAILED_PRECONDITION,
            409,
            "存储正被另一进程使用",
            "Another process uses this store",
        ),
        Fault("store_unavailable", _S.UNAVAILABLE, 503, "存储不可用", "The store cannot be reached"),
        Fault(
            "store_newer",
            _S.FAILED_PRECONDITION,
            500,
            "存储由更新的版本写入",
            "A newer version wrote this store",
        ),
        Fault("store_damaged", _S.DATA_LOSS, 500, "存储内容自相矛盾", "What is stored contradicts itself"),
        # Files, and what is sealed to a reader.
        Fault("changed", _S.DATA_LOSS, 422, "内容与登记不符", "The content is not what was entered"),
        Fault(
            "cannot_open",
            _S.FAILED_PRECONDITION,
            422,
            "无法解封：密钥不符或内容被改动",
            "It cannot be opened: another reader's, or altered",
        ),
        Fault(
            "no_recovery_key",
            _S.FAILED_PRECONDITION,
            409,
            "尚无恢复密钥",
            "There is no recovery key to seal a backup to",
        ),
        # The journal.
        Fault("gap", _S.FAILED_PRECONDITION, 409, "日志序号不连续", "The first index is not the next one"),
        Fault(
            "root_mismatch",
            _S.FAILED_PRECONDITION,
            409,
            "日志树根不符",
            "The entries do not give the signed root",
        ),
        Fault(
            "wrong_log",
            _S.PERMISSION_DENIED,
            403,
            "不是登记的日志",
            "This is not the journal that was enrolled",
        ),
        Fault("bad_signature", _S.PERMISSION_DENIED, 403, "签名无效", "The signature does not verify"),
        Fault("bad_proof", _S.DATA_LOSS, 422, "证明不成立", "The proof does not show what it claims"),
        Fault("quarantined", _S.FAILED_PRECONDITION, 409, "日志已被隔离", "The journal is in quarantine"),
        Fault(
            "sealed",
            _S.FAILED_PRECONDITION,
            409,
            "日志已封存，等待核对",
            "The journal is sealed until it is checked",
        ),
        # The link.
        Fault(
            "fenced",
            _S.ABORTED,
            409,
            "已被同一节点的新会话取代",
            "A newer session of the same node took over",
        ),
        Fault("not_enrolled", _S.PERMISSION_DENIED, 403, "节点未登记", "The node is not enrolled here"),
        Fault("untrusted", _S.UNAUTHENTICATED, 403, "身份不可信", "It cannot show that it is who it says"),
        Fault("revoked", _S.PERMISSION_DENIED, 403, "登记已撤销", "Its enrolment was revoked"),
        Fault("invitation", _S.PERMISSION_DENIED, 403, "邀请无效", "The invitation is not valid"),
        Fault("protocol", _S.INVALID_ARGUMENT, 400, "对方不遵守协议", "The other side breaks the protocol"),
        Fault(
            "busy",
            _S.RESOURCE_EXHAUSTED,
            429,
            "请求过多，请稍后再试",
            "Too much is asked at once; try again later",
        ),
        Fault(
            "at_capacity",
            _S.RESOURCE_EXHAUSTED,
            503,
            "本机已满负荷，请稍后再试",
            "This machine serves as many as it can; try again later",
        ),
        Fault(
            "parent_behind",
            _S.FAILED_PRECONDITION,
            409,
            "上级日志少于其签认过的部分",
            "The parent shows less of its journal than it signed before",
        ),
        # Questions.
        Fault("unknown_node", _S.NOT_FOUND, 404, "没有此节点", "There is no such node here"),
        Fault("deadline", _S.DEADLINE_EXCEEDED, 504, "未在期限内答复", "There was no answer in time"),
        Fault(
            "incomplete",
            _S.FAILED_PRECONDITION,
            409,
            "答复不全，不能据以定论",
            "Not everybody answered for itself: no verdict can rest on it",
        ),
        Fault("unreachable", _S.UNAVAILABLE, 503, "节点无法连通", "The node cannot be reached"),
        # Cameras.
        Fault("viewer_removed", _S.ABORTED, 403, "观看已被终止", "Somebody put this viewer out"),
        Fault("camera_lost", _S.UNAVAILABLE, 503, "摄像头没有画面", "The camera gives no picture"),
        Fault(
            "camera_refused",
            _S.FAILED_PRECONDITION,
            409,
            "摄像头拒绝登录",
            "The camera refuses the name or the password",
        ),
        Fault(
            "codec_unsupported",
            _S.FAILED_PRECONDITION,
            409,
            "摄像头的编码不能直接观看",
            "What the camera sends cannot be watched as it is coded",
        ),
        Fault(
            "b_frames",
            _S.FAILED_PRECONDITION,
            409,
            "摄像头使用 B 帧，不能直接观看",
            "The camera sends B-frames, which cannot be watched",
        ),
        Fault(
            "camera_fault",
            _S.FAILED_PRECONDITION,
            409,
            "摄像头的应答有误或不可信",
            "The camera answers with an error, or with what is not believed",
        ),
        Fault("steered", _S.ABORTED, 409, "云台正由他人操控", "Somebody else steers this camera now"),
        # Use.
        Fault("bad_request", _S.INVALID_ARGUMENT, 400, "用法有误", "This is not how to ask"),
        Fault("not_found", _S.NOT_FOUND, 404, "未找到", "There is nothing of that name"),
        Fault(
            "not_loopback", _S.PERMISSION_DENIED, 403, "仅限本机访问", "Only this machine itself may do this"
        ),
        # People.
        Fault("login_required", _S.UNAUTHENTICATED, 401, "请先登录", "Log in first"),
        Fault("login_failed", _S.UNAUTHENTICATED, 401, "工号或口令不正确", "Number or password is wrong"),
        Fault("forbidden", _S.PERMISSION_DENIED, 403, "没有此权限", "Your roles do not allow this"),
        Fault("internal", _S.INTERNAL, 500, "内部错误", "Something went wrong inside"),
    )
}
"""Every code there is."""

_OF_OTHER_PARTS: Final = {
    "JOURNAL_CHECKPOINT_INVALID": "bad_signature",
    "JOURNAL_PROOF_INVALID": "bad_proof",
    "JOURNAL_EVIDENCE_INVALID": "bad_proof",
    "JOURNAL_TILE_DAMAGED": "store_damaged",
    "STORE_FULL": "disk_full",
    "STORE_LOCKED": "store_locked",
    "STORE_UNREACHABLE": "store_unavailable",
    "STORE_DAMAGED": "store_damaged",
    "STORE_READ_ONLY": "store_locked",
    "STORE_CONFLICT": "store_damaged",
    "STORE_SEALED": "sealed",
    "STORE_SCHEMA_TOO_NEW": "store_newer",
    "STORE_SCHEMA_MISSING": "store_newer",
    "STORE_FAILED": "store_unavailable",
}
"""Codes that parts below this catalogue give their own exceptions."""


class ZonghengError(Exception):
    """Something that the other side, or the person who asked, should be told, with a code of the catalogue.

    `detail` says what happened and what to do next. `retry_after_ms` is the least time in milliseconds before
    another attempt; 0 leaves that to the other side. Raises KeyError for a code that is not in the catalogue.
    """

    def __init__(self, code: str, detail: str = "", *, retry_after_ms: int = 0) -> None:
        self.fault = CATALOGUE[code]
        self.detail = detail or self.fault.en
        self.retry_after_ms = retry_after_ms
        super().__init__(code, self.detail)

    @property
    def code(self) -> str:
        return self.fault.code

    def __str__(self) -> str:
        return self.detail


def of(error: BaseException) -> ZonghengError:
    """The catalogue's reading of any exception; what is foreign to it becomes `internal` without its text."""
    if isinstance(error, ZonghengError):
        return error
    if isinstance(error, BaseExceptionGroup):
        # A task group wraps what one of its tasks failed with; with anything unknown among it, it is unknown.
        inner = [of(one) for one in error.exceptions]
        return next((one for one in inner if one.code == "internal"), inner[0])
    code = getattr(error, "code", None)
    if isinstance(code, str):
        code = _OF_OTHER_PARTS.get(code, code)
        if code in CATALOGUE:
            return ZonghengError(code, str(error))
    return ZonghengError("internal")


_E = TypeVar("_E", bound=Exception)


def first_of(group: BaseExceptionGroup[_E]) -> _E:
    """The first exception of a group, however deep it lies."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return first_of(error)
        return error
    raise AssertionError("an exception group is never empty")


def trailing_metadata(error: ZonghengError) -> tuple[tuple[str, str], ...]:
    """What `abort` adds to the gRPC status."""
    metadata: tuple[tuple[str, str], ...] = ((CODE_KEY, error.code),)
    if error.retry_after_ms:
        metadata += ((RETRY_KEY, str(error.retry_after_ms)),)
    return metadata


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: BaseException) -> NoReturn:
    """End the RPC with the error's status, detail and code. Always raises grpc.aio's AbortError."""
    told = of(error)
    await context.abort(told.fault.status, told.detail[:_DETAIL_CHARACTERS], trailing_metadata(told))
    raise AssertionError("abort returned")


def from_rpc(error: grpc.aio.AioRpcError) -> ZonghengError:
    """What the other side aborted with; without a code of ours, the nearest reading of the bare status."""
    metadata = error.trailing_metadata() or ()
    retry_after = _text(metadata, RETRY_KEY)
    retry_after_ms = (
        min(int(retry_after), 86_400_000) if retry_after.isascii() and retry_after.isdigit() else 0
    )
    code = _text(metadata, CODE_KEY)
    if code not in CATALOGUE:
        code = _BARE.get(error.code(), "unreachable")
    return ZonghengError(code, error.details() or "", retry_after_ms=retry_after_ms)


_BARE: Final = {
    _S.DEADLINE_EXCEEDED: "deadline",
    _S.RESOURCE_EXHAUSTED: "busy",
    _S.UNIMPLEMENTED: "protocol",
    _S.INVALID_ARGUMENT: "protocol",
    _S.PERMISSION_DENIED: "not_enrolled",
    _S.UNAUTHENTICATED: "untrusted",
    _S.INTERNAL: "internal",
    _S.UNKNOWN: "internal",
}


def _text(metadata: Any, wanted: str) -> str:
    pairs: Sequence[tuple[str, str | bytes]] = tuple(metadata)
    for key, value in pairs:
        if key == wanted and isinstance(value, str):
            return value
    return ""


def problem(error: BaseException, language: Language = "zh", instance: str = "") -> dict[str, object]:
    """Problem details (RFC 9457) as a JSON object; `code` is our extension member, `instance` the request's
    path.
    """
    told = of(error)
    details: dict[str, object] = {
        "type": f"urn:zongheng:problem:{told.code}",
        "title": told.fault.title(language),
        "status": told.fault.http,
        "detail": told.detail,
        "code": told.code,
    }
    if instance:
        details["instance"] = instance
    return details
