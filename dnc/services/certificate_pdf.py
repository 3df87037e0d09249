"""A certificate as a page for people: auditors, lawyers, regulators."""

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from dnc.models import Certificate
from dnc.services.decision import CODES
from vocelio.organizations.models import Organization

# Of the versions of several hundred area codes, a page shows ranges of dates.
GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.25, colors.HexColor("#cccccc")),
        ("BACKGROUND", (0, 0), (0, -1), colors.HexColor("#f4f4f5")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTSIZE", (0, 0), (-1, -1), 9),
    ]
)


def render_pdf(certificate: Certificate) -> bytes:
    """Return the certificate as PDF."""
    styles = getSampleStyleSheet()
    content = certificate.content
    organization = Organization.objects.values_list("name", flat=True).get(pk=certificate.organization_id)

    def text(value: Any) -> Paragraph:
        return Paragraph(escape(str(value)).replace("\n", "<br/>"), styles["BodyText"])

    def table(rows: list[tuple[str, Any]]) -> Table:
        return Table([[text(name), text(value)] for name, value in rows], colWidths=[50 * mm, 120 * mm], style=GRID)

    versions = [
        f"{slug}: {len(areas)} area codes, versions of {min(areas.values())} to {max(areas.values())}"
        for slug, areas in content.get("versions", {}).items()
        if areas
    ]
    outcomes = [(f"{code}  {CODES.get(code, '')}", f"{count:,}") for code, count in content["outcomes"].items()]
    page = io.BytesIO()
    document = SimpleDocTemplate(
        page,
        pagesize=A4,
        title=f"Do-Not-Call certificate {certificate.number}",
        author="Vocelio",
        leftMargin=20 * mm,
        rightMargin=20 * mm,
    )
    document.build(
        [
            Paragraph(f"Do-Not-Call certificate {certificate.number}", styles["Title"]),
            text(f"{organization}. Kind: {certificate.get_kind_display()}."),
            Spacer(1, 6 * mm),
            table(
                [
                    ("Certificate", certificate.pk),
                    ("Issued", content["issuedAt"]),
                    ("Judged for", content["judgedAt"]),
                    ("By", content["userId"] or content["door"]),
                    ("Numbers", f"{content['numbers']:,}"),
                    ("Lists", "\n".join(f"{each['name']} ({each['type']})" for each in content["lists"]) or "none"),
                    ("Registry versions", "\n".join(versions) or "none was in force for these numbers"),
                    ("Subscriptions (SAN)", ", ".join(content["subscriptions"]) or "none"),
                    ("Rules", f"version {content['rules']}"),
                ]
            ),
            Spacer(1, 6 * mm),
            Paragraph("Outcome", styles["Heading2"]),
            table(outcomes or [("none", "0")]),
            Spacer(1, 6 * mm),
            Paragraph("Proof", styles["Heading2"]),
            table(
                [
                    ("Results, SHA-256", content["resultsSha256"]),
                    ("Hash before", bytes(certificate.previous_hash).hex()),
                    ("Hash", bytes(certificate.hash).hex()),
                ]
            ),
            Spacer(1, 4 * mm),
            text(
                "The hash covers this certificate's content and the hash before it. The results' hash covers every"
                " number with its code; `manage.py verify_dnc` recomputes both."
            ),
        ]
    )
    return page.getvalue()
