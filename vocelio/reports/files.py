"""Reports as files: CSV and Excel for spreadsheets, PDF for meetings."""

import csv
import io
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE as UNPRINTABLE
from openpyxl.chart import BarChart, LineChart, PieChart, Reference
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.charts.linecharts import HorizontalLineChart
from reportlab.graphics.shapes import Drawing as Canvas
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from vocelio.formulas import harmless
from vocelio.languages import numbers
from vocelio.organizations.models import Organization
from vocelio.reports.shapes import Column, Drawing, Question, Report

PALETTE = [colors.HexColor(code) for code in ("#0d9488", "#94a3b8", "#f59e0b", "#ef4444")]
MOST_BARS, MOST_POINTS, MOST_LABELS = 40, 400, 24
MOST_SERIES = 8


CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
NUMBERS = {"number", "money", "percent", "days"}


def report_file(kind: str, report: Report, asked: Question, *, currency: str) -> bytes:
    """Return the report as a file of a kind named in CONTENT_TYPES."""
    if kind == "csv":
        return report_csv(report).encode()
    if kind == "xlsx":
        return report_xlsx(report)
    organization = Organization.objects.values_list("name", flat=True).get(pk=asked.principal.organization_id)
    return report_pdf(report, asked, organization=organization, currency=currency)


def report_xlsx(report: Report) -> bytes:
    """Return the table as a workbook of one sheet, numbers as numbers, with its first chart beside it."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(gettext("Report"))
    sheet.freeze_panes = "A2"
    heading = Font(bold=True)
    sheet.append([_cell(sheet, column.label, heading) for column in report.columns])
    for row in report.rows:
        sheet.append(
            [
                float(row[column.key])
                if column.kind in NUMBERS and row[column.key] is not None
                else _cell(sheet, "" if row[column.key] is None else str(row[column.key]))
                for column in report.columns
            ]
        )
    figures = [index for index, column in enumerate(report.columns, 1) if column.kind in NUMBERS]
    if report.rows and figures and report.charts:
        kind = report.charts[0].kind
        chart: Any = {"line": LineChart, "doughnut": PieChart}.get(kind, BarChart)()
        chart.title, chart.width, chart.height = report.title, 24, 12
        last = len(report.rows) + 1
        for index in figures[: 1 if kind == "doughnut" else MOST_SERIES]:
            chart.add_data(Reference(sheet, min_col=index, min_row=1, max_row=last), titles_from_data=True)
        chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=last))
        sheet.add_chart(chart, f"{get_column_letter(len(report.columns) + 2)}2")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: Any, text: str, font: Font | None = None) -> Any:
    """Return a cell of text, which no spreadsheet takes for a formula."""
    cell = WriteOnlyCell(sheet, UNPRINTABLE.sub("", text))
    cell.data_type = "s"
    if font is not None:
        cell.font = font
    return cell


def report_csv(report: Report) -> str:
    """Return the table with its headings; texts that a spreadsheet would run are made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.label for column in report.columns])
    for row in report.rows:
        writer.writerow(
            [harmless("" if row[column.key] is None else str(row[column.key])) for column in report.columns]
        )
    return text.getvalue()


def report_pdf(report: Report, asked: Question, *, organization: str, currency: str) -> bytes:
    """Return a printable report: what was asked, the first chart and the table."""
    styles = getSampleStyleSheet()
    values = {
        "organization": organization,
        "first": date_format(asked.first, "j M Y"),
        "last": date_format(asked.last, "j M Y"),
        "moment": date_format(timezone.localtime(), "j M Y, H:i T"),
        "person": asked.principal.name or asked.principal.email,
        "currency": currency,
    }
    about = gettext("%(organization)s. %(first)s to %(last)s.") % values
    made = gettext("Made %(moment)s by %(person)s.") % values
    if currency:
        about = f"{about} {gettext('Amounts in %(currency)s.') % values}"
    story: list[Any] = [
        Paragraph(escape(report.title), styles["Title"]),
        Paragraph(escape(f"{about} {made}"), styles["Normal"]),
        Spacer(1, 6 * mm),
    ]
    chart = next((each for each in report.charts if each.labels and len(each.labels) <= most_points(each)), None)
    if chart is not None:
        story += [_chart(chart), Spacer(1, 6 * mm)]
    cells = [[Paragraph(escape(column.label), styles["BodyText"]) for column in report.columns]]
    cells += [
        [Paragraph(escape(_shown(row[column.key], column)), styles["BodyText"]) for column in report.columns]
        for row in report.rows
    ]
    story.append(
        Table(
            cells,
            repeatRows=1,
            style=TableStyle(
                [
                    ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e2e8f0")),
                    ("GRID", (0, 0), (-1, -1), 0.25, colors.HexColor("#cbd5e1")),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ]
            ),
        )
        if report.rows
        else Paragraph(gettext("There is nothing to show for these days."), styles["Normal"])
    )
    content = io.BytesIO()
    SimpleDocTemplate(
        content,
        pagesize=landscape(A4),
        title=report.title,
        author=organization,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=12 * mm,
        bottomMargin=12 * mm,
    ).build(story)
    return content.getvalue()


def _shown(value: Any, column: Column) -> str:
    if value is None:
        return "-"
    if column.kind == "money":
        return numbers.number(Decimal(value), 2)
    if column.kind == "percent":
        return numbers.percentage(value)
    return numbers.number(value) if isinstance(value, (int, float)) else str(value)


def most_points(chart: Drawing) -> int:
    """Return how many labels of a chart can be told apart on paper."""
    return MOST_POINTS if chart.kind == "line" else MOST_BARS


def _chart(drawn: Drawing) -> Canvas:
    canvas = Canvas(265 * mm, 70 * mm)
    is_line = drawn.kind == "line"
    chart: Any = HorizontalLineChart() if is_line else VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 25 * mm, 15 * mm, 190 * mm, 50 * mm
    chart.data = [[float(value or 0) for value in line.data] for line in drawn.datasets]
    every = -(-len(drawn.labels) // MOST_LABELS)
    chart.categoryAxis.categoryNames = ["" if index % every else label[:18] for index, label in enumerate(drawn.labels)]
    chart.categoryAxis.labels.angle = 25 if len(drawn.labels) > 6 else 0
    chart.categoryAxis.labels.boxAnchor = "ne" if len(drawn.labels) > 6 else "n"
    chart.categoryAxis.labels.fontSize = 7
    chart.valueAxis.labels.fontSize = 7
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = lambda value: numbers.number(value, 0)
    for index in range(len(drawn.datasets)):
        color = PALETTE[index % len(PALETTE)]
        if is_line:
            chart.lines[index].strokeColor = color
        else:
            chart.bars[index].fillColor, chart.bars[index].strokeColor = color, None
    legend = Legend()
    legend.x, legend.y, legend.fontSize, legend.alignment = 220 * mm, 60 * mm, 8, "right"
    legend.colorNamePairs = [(PALETTE[index % len(PALETTE)], line.label) for index, line in enumerate(drawn.datasets)]
    canvas.add(chart)
    canvas.add(legend)
    return canvas
