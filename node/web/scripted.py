"""Pages that run scripts of their own: what they are given, and what they may.

A page's scripts bear a nonce that is made for each answer, nothing is loaded from anywhere, and it talks to this node alone. Pages on which
somebody is seen or heard may ask for camera and microphone; every other page of the node may not.
"""

import json
import secrets
from typing import Any

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from node.web.page import environment


def scripted(
    template: str, given: dict[str, Any], *, devices: bool = False, pictures: bool = False, **values: Any
) -> HTMLResponse:
    """The page of a template, whose scripts find ``given`` (JSON); ``devices``: it may ask for camera and microphone; ``pictures``: it shows
    pictures of this node."""
    nonce = secrets.token_urlsafe(16)
    # Inside a script element nothing is unescaped, and "<" is the one letter that could end it.
    text = Markup(json.dumps(given).replace("<", "\\u003c"))
    page = environment().get_template(template).render(nonce=nonce, given=text, **values)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; connect-src 'self'; "
        "media-src blob: mediastream:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
    )
    if pictures:
        policy += "; img-src 'self' data:"
    headers = {"Content-Security-Policy": policy}
    if devices:
        headers["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=()"
    return HTMLResponse(page, headers=headers)
