"""CVs for tests: honest ones, and ones that mean harm."""

import io
import zipfile

import docx
import pypdf
from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

CV = """{name}
Email: {email} | Phone: +1 212 555 0142
linkedin.com/in/ada

SKILLS
Python, PostgreSQL, Kubernetes, Basket weaving

EXPERIENCE
Engineer, Analytical Engines, Jan 2015 - Dec 2019
Lead, Difference Ltd, 01/2020 - 12/2021

EDUCATION
BSc 2010 - 2014
"""


def text_of(name: str = "Ada Lovelace", email: str = "ada.lovelace@example.test") -> str:
    return CV.format(name=name, email=email)


def word(text: str | None = None) -> bytes:
    document, content = docx.Document(), io.BytesIO()
    for line in (text or text_of()).splitlines():
        document.add_paragraph(line)
    document.save(content)
    return content.getvalue()


def pdf(text: str | None = None) -> bytes:
    content = io.BytesIO()
    canvas = Canvas(content)
    for place, line in enumerate((text or text_of()).splitlines()):
        canvas.drawString(50, 800 - 15 * place, line)
    canvas.save()
    return content.getvalue()


def written(writer: pypdf.PdfWriter) -> bytes:
    content = io.BytesIO()
    writer.write(content)
    return content.getvalue()


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    writer.encrypt("secret", algorithm="AES-256")
    return written(writer)


def scripted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    script = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert('hello');")}
    )
    writer._root_object[NameObject("/OpenAction")] = script
    return written(writer)


def launching_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    action = DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")})
    writer._root_object[NameObject("/OpenAction")] = action
    return written(writer)


def endless_pdf() -> bytes:
    """Return a file that says it has 500 million pages, its tree of pages leading back to itself."""
    return pdf_of("<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 500000000 >>")


def many_pages_pdf() -> bytes:
    """Return a small file whose tree says the same page a hundred thousand times."""
    kids = "3 0 R " * 100_000
    return pdf_of(f"<< /Type /Pages /Kids [{kids}] /Count 100000 >>")


def pdf_of(pages: str) -> bytes:
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", pages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"]
    content, places = "%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(content)
    content += f"xref\n0 4\n0000000000 65535 f \n{table}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return content.encode()


def inflating_pdf() -> bytes:
    """Return a page whose content unpacks to 400 MB."""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(100, 100)
    stream = DecodedStreamObject()
    stream.set_data(b"q " * 200_000_000)
    page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
    page[NameObject("/Rotate")] = NumberObject(0)
    return written(writer)


def zip_with(base: bytes, name: str, content: bytes) -> bytes:
    """Return a package with one more part, or another in its place."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return made.getvalue()


def bomb_docx() -> bytes:
    """Return a Word file of a hundred kilobytes that unpacks to a hundred megabytes."""
    return zip_with(word(), "word/media/image1.png", b"\0" * 100_000_000)


def macro_docx() -> bytes:
    return zip_with(word(), "word/vbaProject.bin", b"macro")


def entity_docx() -> bytes:
    """Return a billion laughs."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{lines}]><w:document xmlns:w='
        '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p>'
        "</w:body></w:document>"
    )
    return zip_with(word(), "word/document.xml", document.encode())


def upload(content: bytes, name: str = "cv.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)
