"""A font with Chinese letters for pages: one of this machine's, never one of ours.

Fonts come with system packages under their own free licences. Where none is installed, pages cannot be made, and the error says which package to
install; a workbook needs none.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from federation.errors import ZonghengError

NAME: Final = "Report"

PLACES: Final = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
)
"""Where Debian, Ubuntu, openEuler and Fedora put fonts with TrueType outlines; those with other outlines cannot be embedded."""

INSTALL: Final = (
    "install fonts-wqy-zenhei (on openEuler and Fedora: wqy-zenhei-fonts), or name a TrueType font in node.toml: "
    '[reports] font = "…"; a workbook (--format xlsx) needs none'
)


def chinese_font(own: str = "") -> str:
    """The name of a registered font; ``own`` is the file the settings name, empty for none.

    Raises ``ZonghengError`` ``not_found`` where there is none, ``bad_request`` where the one that is named cannot be used.
    """
    if own:
        return _registered(own)
    for place in PLACES:
        if Path(place).is_file():
            return _registered(place)
    raise ZonghengError("not_found", f"there is no font with Chinese letters on this machine: {INSTALL}")


@lru_cache
def _registered(place: str) -> str:
    name = f"{NAME}-{Path(place).stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, place))
    except (OSError, TTFError) as error:
        raise ZonghengError(
            "bad_request", f"{place} cannot be used for pages ({error}): {INSTALL}"
        ) from error
    return name
