"""A report as pages (PDF, A4 across): the same tables as the workbook, with their charts above them, drawn as lines and areas.

Tables of many rows are cut, and say so: the workbook has them whole.
"""

from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.charts.linecharts import HorizontalLineChart
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, SimpleDocTemplate
from reportlab.platypus import Table as Grid

from node.reports.font import chinese_font
from node.reports.tables import NOTHING, Cell, Chart, Document, Table

MOST_ROWS: Final = 60
"""Rows of a table that the pages show."""

_PAGE: Final = landscape(A4)
_MARGIN: Final = 12 * mm
_WIDTH: Final = _PAGE[0] - 2 * _MARGIN
_DARK: Final = colors.HexColor("#1F4E79")
_LINE: Final = colors.HexColor("#BFBFBF")
_PALE: Final = colors.HexColor("#F2F6FA")
_COLOURS: Final = (colors.HexColor("#2E75B6"), colors.HexColor("#C55A11"), colors.HexColor("#7F7F7F"))
_CHART_HEIGHT: Final = 46 * mm
_BEGINNING: Final = 45 * mm
"""Room for the heading and the first rows of a table, which stay on one page."""
_NAMES: Final = 90
"""Letters that stand side by side below an axis."""


def pages(report: Document, font: str = "") -> bytes:
    """The file's content. ``font``: the file of a font, empty for one of the machine's. Raises ``ZonghengError`` as `chinese_font`."""
    paint = _Painter(chinese_font(font))
    file = BytesIO()
    made = SimpleDocTemplate(
        file,
        pagesize=_PAGE,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 4 * mm,
        title=f"{report.title} {report.subtitle}",
        author="纵横",
    )
    story = paint.cover(report)
    for table in report.tables:
        story += paint.table(table)

    def foot(canvas: Any, made: Any) -> None:
        canvas.saveState()
        canvas.setFont(paint.font, 8)
        canvas.setFillColor(colors.grey)
        canvas.drawString(_MARGIN, 9 * mm, f"{report.title}　{report.subtitle}")
        canvas.drawRightString(_PAGE[0] - _MARGIN, 9 * mm, f"第 {canvas.getPageNumber()} 页")
        canvas.restoreState()

    made.build(story, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


class _Painter:
    """Draws with one font."""

    def __init__(self, font: str) -> None:
        self.font = font

        def style(name: str, size: float, **more: Any) -> ParagraphStyle:
            # Chinese lines break anywhere.
            return ParagraphStyle(
                name, fontName=font, fontSize=size, leading=size * 1.4, wordWrap="CJK", **more
            )

        self._title = style("title", 22, textColor=_DARK)
        self._subtitle = style("subtitle", 13, textColor=colors.HexColor("#595959"), spaceAfter=4 * mm)
        self._heading = style("heading", 14, textColor=_DARK, spaceBefore=5 * mm, spaceAfter=1 * mm)
        self._note = style("note", 8.5, textColor=colors.HexColor("#595959"), spaceAfter=2 * mm)
        self._text = style("text", 9)
        self._number = style("number", 9, alignment=TA_RIGHT)
        self._head = style("head", 9, textColor=colors.white, alignment=TA_CENTER)

    def cover(self, report: Document) -> list[Flowable]:
        """Title, and what is counted."""
        facts = [[self._words(name), self._words(words)] for name, words in report.facts]
        grid = Grid(facts, colWidths=[22 * mm, _WIDTH - 22 * mm], hAlign="LEFT")
        grid.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, -1), _PALE),
                ("LINEBEFORE", (0, 0), (0, -1), 2, _DARK),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
        return [
            Paragraph(escape(report.title), self._title),
            Paragraph(escape(report.subtitle), self._subtitle),
            grid,
        ]

    def table(self, table: Table) -> list[Flowable]:
        """Heading, note, charts and rows of one table."""
        shown = table.rows[:MOST_ROWS]
        note = table.note
        if len(shown) < len(table.rows):
            note += f"此处列前{len(shown)}行，共{len(table.rows)}行，全部见电子表格。"
        top: list[Flowable] = [
            Paragraph(escape(table.name), self._heading),
            Paragraph(escape(note), self._note),
        ]
        if not shown:
            return [KeepTogether([*top, Paragraph("本期无。", self._text)])]
        charts = [self._chart(table, chart) for chart in table.charts if chart.rows]
        grid = self._grid(table, shown)
        if len(shown) <= 12:
            return [KeepTogether([*top, *charts, grid])]
        return [CondPageBreak(_BEGINNING + _CHART_HEIGHT * len(charts)), *top, *charts, grid]

    def _grid(self, table: Table, rows: tuple[tuple[Cell, ...], ...]) -> Grid:
        content = [[Paragraph(escape(words), self._head) for words in table.header]]
        content += [
            [self._words(value, share=column in table.percent) for column, value in enumerate(row)]
            for row in rows
        ]
        widths = [_WIDTH * part / sum(table.widths) for part in table.widths]
        grid = Grid(content, colWidths=widths, repeatRows=1, hAlign="LEFT")
        grid.setStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), _DARK),
                ("GRID", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, _PALE]),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
        return grid

    def _words(self, value: Cell, *, share: bool = False) -> Paragraph:
        if value is None:
            return Paragraph(NOTHING, self._number)
        if isinstance(value, str):
            return Paragraph(escape(value), self._text)
        return Paragraph(f"{value:.1f}" if share or isinstance(value, float) else str(value), self._number)

    def _chart(self, table: Table, chart: Chart) -> Drawing:
        rows = table.rows[: chart.rows]
        drawn: Any = HorizontalLineChart() if chart.kind == "line" else VerticalBarChart()
        drawn.x, drawn.y = 14 * mm, 12 * mm
        drawn.width, drawn.height = _WIDTH - 24 * mm, _CHART_HEIGHT - 26 * mm
        drawn.data = [[_amount(row[column]) for row in rows] for column in chart.series]
        step = max(1, len(rows) // 16 + (len(rows) > 16))
        axis = drawn.categoryAxis
        axis.categoryNames = [
            _short(row[chart.names], max(4, _NAMES // len(rows))) if place % step == 0 else ""
            for place, row in enumerate(rows)
        ]
        axis.labels.fontName = drawn.valueAxis.labels.fontName = self.font
        axis.labels.fontSize = drawn.valueAxis.labels.fontSize = 7.5
        axis.labels.dy = -4
        axis.strokeColor = drawn.valueAxis.strokeColor = _LINE
        drawn.valueAxis.valueMin = 0
        drawn.valueAxis.valueMax, drawn.valueAxis.valueStep = _scale(max(map(max, drawn.data)))
        drawn.valueAxis.labelTextFormat = "%d"
        drawn.valueAxis.visibleGrid = True
        drawn.valueAxis.gridStrokeColor = colors.HexColor("#E3E3E3")
        for place in range(len(chart.series)):
            if chart.kind == "line":
                drawn.lines[place].strokeColor = _COLOURS[place]
                drawn.lines[place].strokeWidth = 1.4
            else:
                drawn.bars[place].fillColor = _COLOURS[place]
                drawn.bars[place].strokeColor = None
        if chart.kind == "bar":
            drawn.barWidth, drawn.groupSpacing, drawn.barSpacing = 6, 10, 0.5
            drawn.barLabelFormat = "%d"
            drawn.barLabels.fontName, drawn.barLabels.fontSize, drawn.barLabels.nudge = self.font, 7, 5
        legend = Legend()
        legend.colorNamePairs = [
            (_COLOURS[place], table.header[column]) for place, column in enumerate(chart.series)
        ]
        legend.fontName, legend.fontSize = self.font, 8
        legend.alignment, legend.columnMaximum, legend.deltax = "right", 1, 60
        legend.dx = legend.dy = 6
        legend.boxAnchor = "ne"
        legend.x, legend.y = int(_WIDTH - 10 * mm), int(_CHART_HEIGHT - 2 * mm)
        legend.strokeColor = None
        drawing = Drawing(_WIDTH, _CHART_HEIGHT)
        drawing.add(
            String(
                14 * mm,
                _CHART_HEIGHT - 6 * mm,
                chart.title,
                fontName=self.font,
                fontSize=9.5,
                fillColor=_DARK,
            )
        )
        drawing.add(drawn)
        drawing.add(legend)
        return drawing


def _amount(value: Cell) -> float:
    return value if isinstance(value, int | float) else 0


def _scale(most: float) -> tuple[int, int]:
    """Where an axis of counts ends, and its step: whole numbers, at most five lines."""
    step = 1
    for power in range(19):
        for digit in (1, 2, 5):
            step = digit * int(f"1{'0' * power}")
            if step * 5 >= most:
                return max(step, step * -(-int(most) // step)), step
    return step * 5, step


def _short(value: Cell, most: int) -> str:
    """A name below an axis; of a day, month and day."""
    words = str(value)
    if len(words) == 10 and words[4] == words[7] == "-":
        return words[5:]
    return words if len(words) <= most else f"{words[: most - 1]}…"
