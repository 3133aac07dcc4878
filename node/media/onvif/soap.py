"""SOAP 1.2 as ONVIF devices speak it (ONVIF Core Specification 5.1): requests are written, answers read. Pure.

A device is not believed: an answer is UTF-8 of at most `LARGEST` bytes without a document type (so that it has no entities to unfold), nothing in it is
fetched, and libxml2's own bounds on depth and amplification stay on. Elements are found by their local names, since devices differ in prefixes and some in namespaces.
"""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from federation.errors import ZonghengError

LARGEST: Final = 512 << 10

DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
MEDIA: Final = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2: Final = "http://www.onvif.org/ver20/media/wsdl"
PTZ: Final = "http://www.onvif.org/ver20/ptz/wsdl"
SCHEMA: Final = "http://www.onvif.org/ver10/schema"

_ENVELOPE: Final = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_UTILITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
)
_BASE64: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

_DECLARES: Final = re.compile(rb"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST)", re.IGNORECASE)

_NOT_LET_IN: Final = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "SenderNotAuthorized")

Element = etree._Element


class Fault(Exception):
    """The device says no, in SOAP: `codes` from the outer to the inner, and its own words."""

    def __init__(self, codes: tuple[str, ...], words: str) -> None:
        super().__init__(words)
        self.codes = codes
        self.words = words

    @property
    def not_let_in(self) -> bool:
        return any(code in _NOT_LET_IN for code in self.codes)


def token(user: str, password: str, nonce: bytes, created: datetime) -> str:
    """The security header of a request (WS-Security UsernameToken Profile 1.0): a digest over nonce, time and password.

    `created` is aware, by the device's own clock: it refuses what lies too far from that. SHA-1 is what the profile has; the password itself is not sent.
    """
    at = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    digest = base64.b64encode(sha1(nonce + at.encode() + password.encode()).digest()).decode()
    return (
        f'<wsse:Security xmlns:wsse="{_SECURITY}" xmlns:wsu="{_UTILITY}" s:mustUnderstand="1">'
        f"<wsse:UsernameToken><wsse:Username>{escape(user)}</wsse:Username>"
        f'<wsse:Password Type="{_DIGEST}">{digest}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{at}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def envelope(body: str, header: str = "", names: str = "") -> bytes:
    """A request; `names` declares prefixes for all of it: some devices look for elements by their bare text."""
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_ENVELOPE}"{names}>{head}<s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def document(content: bytes) -> Element:
    """XML from a device. Raises ZonghengError `camera_fault` for what is none, or is made to hurt its reader."""
    if len(content) > LARGEST:
        raise ZonghengError(
            "camera_fault", f"the device answers with more than {LARGEST >> 10} KB: it is not read on"
        )
    if b"\0" in content or _DECLARES.search(content):
        raise ZonghengError(
            "camera_fault", "the device's answer has a document type, or is no UTF-8: neither is read"
        )
    parser = _parser(recover=False)
    try:
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError:
            # A prefix that is declared nowhere is a mistake that devices make, and harmless where local names count.
            if any(each.domain != etree.ErrorDomains.NAMESPACE for each in parser.error_log):
                raise
            return etree.fromstring(content, _parser(recover=True))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ZonghengError("camera_fault", f"the device's answer is no XML: {str(error)[:200]}") from error


def _parser(*, recover: bool) -> etree.XMLParser:
    # The encoding is ours to say: a declaration could hide what is in there from who looks for declarations first.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
        encoding="utf-8",
    )


def answered(content: bytes) -> Element:
    """The first element in an answer's body. Raises `Fault` for a refusal, ZonghengError `camera_fault` for what is no SOAP."""
    root = document(content)
    body = child(root, "Body")
    if local(root) != "Envelope" or body is None or len(body) == 0:
        raise ZonghengError("camera_fault", "what answers there is no ONVIF device: it speaks no SOAP")
    first: Element = body[0]
    if local(first) == "Fault":
        codes = tuple(text(each).rpartition(":")[2] for each in found(first, "Value"))
        words = text(next(found(first, "Text"), None)) or text(next(found(first, "faultstring"), None))
        raise Fault(codes, words[:300] or "/".join(codes)[:300])
    return first


def local(element: Element) -> str:
    """An element's name without its namespace, and without a prefix that is declared nowhere."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def child(element: Element | None, *path: str) -> Element | None:
    """The first child of that name, and so on along a path."""
    for name in path:
        element = None if element is None else next((e for e in element if local(e) == name), None)
    return element


def found(element: Element, name: str) -> Iterator[Element]:
    """Everything of that name in it, however deep."""
    return (each for each in element.iter() if local(each) == name)


def text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
