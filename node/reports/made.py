"""A report as a file of one of the forms. What draws is loaded when the first one is asked for: most nodes' days need it not."""

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from node.views.report import ReportView

Format = Literal["xlsx", "pdf"]

MEDIA_TYPES: Final[dict[str, str]] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def made(report: "ReportView", form: Format, font: str = "") -> bytes:
    """The file's content. ``font``: the file of a font for pages, empty for one of the machine's. Raises ``ZonghengError`` where there is no font."""
    from node.reports.tables import document

    if form == "xlsx":
        from node.reports.workbook import workbook

        return workbook(document(report))
    from node.reports.pages import pages

    return pages(document(report), font)


def file_name(subtree: str, label: str, form: Format) -> str:
    """<subtree>-<period>.<form>"""
    return f"{subtree}-{label}.{form}"
