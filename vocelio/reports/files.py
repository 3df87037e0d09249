"""Reports as files: CSV for spreadsheets, PDF for meetings."""

import csv
import io
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing as Canvas
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from vocelio.formulas import harmless
from vocelio.reports.shapes import Column, Drawing, Question, Report

PALETTE = [colors.HexColor(code) for code in ("#0d9488", "#94a3b8", "#f59e0b", "#ef4444")]
MOST_BARS = 40


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
    about = f"{organization}. {asked.first:%d %b %Y} to {asked.last:%d %b %Y}, amounts in {currency}."
    made = f"Made {timezone.now():%d %b %Y, %H:%M} UTC by {asked.principal.name or asked.principal.email}."
    story: list[Any] = [
        Paragraph(escape(report.title), styles["Title"]),
        Paragraph(escape(f"{about} {made}"), styles["Normal"]),
        Spacer(1, 6 * mm),
    ]
    chart = next((each for each in report.charts if each.labels and len(each.labels) <= MOST_BARS), None)
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
        else Paragraph("There is nothing to show for these days.", styles["Normal"])
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
        return f"{Decimal(value):,.2f}"
    if column.kind == "percent":
        return f"{value} %"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _chart(drawn: Drawing) -> Canvas:
    canvas = Canvas(265 * mm, 70 * mm)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 25 * mm, 15 * mm, 190 * mm, 50 * mm
    chart.data = [[float(value or 0) for value in line.data] for line in drawn.datasets]
    chart.categoryAxis.categoryNames = [label[:18] for label in drawn.labels]
    chart.categoryAxis.labels.angle = 25 if len(drawn.labels) > 6 else 0
    chart.categoryAxis.labels.boxAnchor = "ne" if len(drawn.labels) > 6 else "n"
    chart.categoryAxis.labels.fontSize = 7
    chart.valueAxis.labels.fontSize = 7
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = lambda value: f"{value:,.0f}"
    for index in range(len(drawn.datasets)):
        chart.bars[index].fillColor = PALETTE[index % len(PALETTE)]
        chart.bars[index].strokeColor = None
    legend = Legend()
    legend.x, legend.y, legend.fontSize, legend.alignment = 220 * mm, 60 * mm, 8, "right"
    legend.colorNamePairs = [(PALETTE[index % len(PALETTE)], line.label) for index, line in enumerate(drawn.datasets)]
    canvas.add(chart)
    canvas.add(legend)
    return canvas
