"""A report as a workbook (XLSX): a sheet a table, with its charts beside it, which whoever opens it can go on with."""

from io import BytesIO
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as WrittenCell
from openpyxl.cell.cell import MergedCell
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.legend import Legend
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from node.reports.tables import NOTHING, Cell, Chart, Document, Table

HEADER_ROW: Final = 3
"""Row of a sheet in which its header stands; its title and its note are above."""

COVER: Final = "说明"

_HEAD: Final = PatternFill("solid", fgColor="1F4E79")
_LINE: Final = Side(style="thin", color="BFBFBF")
_BORDER: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_COLOURS: Final = ("2E75B6", "C55A11", "A5A5A5")
_UNITS: Final = 110
"""Characters across a sheet, over which the columns are spread."""


def workbook(report: Document) -> bytes:
    """The file's content."""
    book = Workbook()
    cover = book.active
    assert isinstance(cover, Worksheet)
    cover.title = COVER
    _cover(cover, report)
    for table in report.tables:
        _sheet(book.create_sheet(table.name), table)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _cover(sheet: Worksheet, report: Document) -> None:
    _put(sheet, 1, 1, report.title).font = Font(size=18, bold=True)
    _put(sheet, 2, 1, report.subtitle).font = Font(size=13, color="595959")
    for row, (name, words) in enumerate(report.facts, 4):
        _put(sheet, row, 1, name).font = Font(bold=True)
        _put(sheet, row, 2, words).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(row, 1).alignment = Alignment(vertical="top")
    sheet.column_dimensions["A"].width = 12
    sheet.column_dimensions["B"].width = 100
    sheet.sheet_view.showGridLines = False


def _sheet(sheet: Worksheet, table: Table) -> None:
    _put(sheet, 1, 1, table.name).font = Font(size=14, bold=True)
    _put(sheet, 2, 1, table.note).font = Font(color="595959")
    for column, words in enumerate(table.header, 1):
        cell = _put(sheet, HEADER_ROW, column, words)
        cell.font, cell.fill, cell.border = Font(bold=True, color="FFFFFF"), _HEAD, _BORDER
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        width = _UNITS * table.widths[column - 1] / sum(table.widths)
        sheet.column_dimensions[get_column_letter(column)].width = max(9.0, round(width, 1))
    for row, values in enumerate(table.rows, HEADER_ROW + 1):
        for column, value in enumerate(values, 1):
            cell = _put(sheet, row, column, NOTHING if value is None else value)
            cell.border = _BORDER
            if isinstance(value, str):
                cell.alignment = Alignment(vertical="top", wrap_text=True)
            else:
                cell.alignment = Alignment(horizontal="right", vertical="top")
            if column - 1 in table.percent and value is not None:
                cell.number_format = "0.0"
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    for place, chart in enumerate(table.charts):
        _draw(sheet, table, chart, place)


def _draw(sheet: Worksheet, table: Table, chart: Chart, place: int) -> None:
    if not chart.rows:
        return
    drawn = LineChart() if chart.kind == "line" else BarChart()
    drawn.title = chart.title
    drawn.height, drawn.width = 9, 20
    last = HEADER_ROW + chart.rows
    for column in chart.series:
        drawn.add_data(
            Reference(sheet, min_col=column + 1, min_row=HEADER_ROW, max_row=last), titles_from_data=True
        )
    drawn.set_categories(Reference(sheet, min_col=chart.names + 1, min_row=HEADER_ROW + 1, max_row=last))
    for series, colour in zip(drawn.series, _COLOURS, strict=False):
        if chart.kind == "line":
            series.graphicalProperties.line.solidFill = colour
            series.smooth = False
        else:
            series.graphicalProperties.solidFill = colour
    drawn.x_axis.delete = drawn.y_axis.delete = False
    drawn.legend = Legend()
    drawn.legend.position = "b"
    drawn.y_axis.numFmt = "0"
    sheet.add_chart(drawn, f"{get_column_letter(len(table.header) + 2)}{HEADER_ROW + place * 20}")


def _put(sheet: Worksheet, row: int, column: int, value: Cell) -> WrittenCell | MergedCell:
    """A text that begins like a formula stays a text; control characters cannot stand in a workbook."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = "".join(sign if sign >= " " or sign in "\n\t" else "�" for sign in value)
        cell.data_type = "s"
    else:
        cell.value = value
    return cell
