"""Files of every kind through the door: taken, or refused with a clear reason, quickly and in little memory."""

import io
import time
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest

from tests.contacts.uploads import contacts_of, import_file, upload
from tests.factories import run_jobs

ROWS = "First Name{0}Last Name{0}Mobile{0}E-mail Address\r\nZoë{0}Müller{0}(212) 555-0101{0}zoe@example.com\r\n"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
HEADER = "first_name,phone,email\n"


def xlsx(*rows: Sequence[object]) -> bytes:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def bomb() -> bytes:
    """Return a small workbook whose sheet inflates to a gigabyte."""
    content = io.BytesIO(xlsx(["phone"], ["2125550101"]))
    with zipfile.ZipFile(content) as original:
        entries = {name: original.read(name) for name in original.namelist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, data)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1024):
                sheet.write(b" " * 1024 * 1024)
    return made.getvalue()


def cut(content: bytes, part: float) -> bytes:
    return content[: int(len(content) * part)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_in_any_usual_dialect(manager, delimiter, encoding):
    job = import_file(manager, ROWS.format(delimiter).encode(encoding))
    assert job["results"]["imported"] == 1, job
    (zoe,) = contacts_of(manager)
    assert (zoe.name, zoe.phone, zoe.email) == ("Zoë Müller", "+12125550101", "zoe@example.com")


def test_a_workbook(manager):
    job = import_file(manager, xlsx(["Name", "Phone", "ZIP"], ["Zoë Müller", 2125550101, "02108"]), name="c.xlsx")
    assert (job["importType"], job["results"]["imported"]) == ("excel", 1)
    (zoe,) = contacts_of(manager)
    assert (zoe.name, zoe.phone, zoe.zip) == ("Zoë Müller", "+12125550101", "02108")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\xef\xbb\xbf \r\n\r\n", "EMPTY_FILE"),
        (PDF, "UNSUPPORTED_FILE"),
        (b"<!doctype html><html><body>", "UNSUPPORTED_FILE"),
        (b'[{"phone": "2125550101"}]', "UNSUPPORTED_FILE"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "UNSUPPORTED_FILE"),
    ],
    ids=["nothing", "blank", "pdf", "web page", "json", "gzip"],
)
def test_what_is_no_table_is_refused_at_once(manager, content, code):
    answer = upload(manager, content)
    assert (answer.status, answer.error["code"]) == (422, code), answer
    assert answer.error["details"]["field"] == "file"
    assert manager.get("/v1/uploads").data == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ((b"first_name,city\nAnn,Boston\n"), "NO_CONTACT_COLUMNS"),
        ((",".join(f"c{number}" for number in range(5_000)) + "\n").encode(), "TOO_MANY_COLUMNS"),
        (cut(xlsx(["phone"], *[[f"212555{number:04d}"] for number in range(3000)]), 0.7), "MALFORMED_FILE"),
        (b"PK\x03\x04 is not all of a zip archive", "MALFORMED_FILE"),
        (bomb(), "FILE_TOO_LARGE"),
    ],
    ids=["no phone or email", "5,000 columns", "cut off", "no archive", "bomb"],
)
def test_what_cannot_be_read_fails_the_import_before_anything_is_written(manager, content, code):
    started = time.monotonic()
    answer = upload(manager, content)
    run_jobs(manager.organization)
    job = manager.get(f"/v1/uploads/contacts/{answer.data['jobId']}").data
    assert (job["status"], job["error"]["code"]) == ("failed", code), job
    assert job["error"]["message"]
    assert job["results"]["totalRows"] == 0
    assert contacts_of(manager) == []
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("A\0nn,2125550109,\n", "NUL"),
        ("x" * 100_000 + ",2125550109,\n", "longer than"),
        ("Ann,2125550109,,,,more,cells\n", "more cells"),
        ('"Ann,2125550109,\n', "quot"),
    ],
    ids=["NUL byte", "huge cell", "too many cells", "unclosed quote"],
)
def test_a_bad_row_is_rejected_and_its_neighbours_are_imported(manager, row, error):
    job = import_file(manager, HEADER + "Before,2125550101,\n" + row + "After,2125550102,\n")
    results = job["results"]
    assert (results["imported"], results["invalidContacts"], results["totalRows"]) == (2, 1, 3), job
    assert error in job["validationErrors"][0]["error"]
    assert len(str(job["validationErrors"])) < 1_000


def test_a_cell_of_ten_megabytes_is_rejected_within_seconds(manager):
    started = time.monotonic()
    job = import_file(manager, HEADER + f'"{"x" * 10_000_000}",2125550101,\n' + "After,2125550102,\n")
    assert job["results"]["imported"] >= 1
    assert job["results"]["totalRows"] == job["results"]["imported"] + job["results"]["skipped"]
    assert time.monotonic() - started < 10


def test_duplicate_headers_lose_no_column(manager):
    import_file(manager, "phone,Note to self,Note to self\n2125550101,one,two\n")
    (contact,) = contacts_of(manager)
    assert contact.custom_fields == {"Note to self": "one", "Note to self (2)": "two"}


def test_special_characters_of_copy_survive(manager):
    import_file(manager, 'phone,company,tags,Weird\n2125550101,"a\\b\tc\nd","x""y;\\N;z",{"\n')
    (contact,) = contacts_of(manager)
    assert (contact.company, contact.tags) == ("a\\b\tc\nd", ['x"y', "\\N", "z"])


def test_a_form_without_file_is_422(manager):
    answer = manager.client.post(
        "/v1/uploads/contacts", {"listName": "x"}, headers={"Authorization": f"Bearer {manager.token}"}
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "file"


def test_what_is_neither_form_nor_json_is_415(manager):
    headers = {"Authorization": f"Bearer {manager.token}"}
    answer = manager.client.post("/v1/uploads/contacts", b"phone\n", content_type="text/csv", headers=headers)
    assert answer.status_code == 415
    assert manager.post("/v1/uploads/contacts", {"file": "x"}).status == 422
    assert manager.post("/v1/uploads/contacts", ["x"]).status == 422


@pytest.mark.parametrize(
    "fields", [{"listId": "nonsense"}, {"skipDuplicates": "maybe"}, {"nonsense": "1"}, {"listName": "x" * 256}]
)
def test_fields_that_make_no_sense_are_422(manager, fields):
    answer = upload(manager, HEADER, **fields)
    assert (answer.status, answer.error["details"]["field"]) == (422, next(iter(fields))), answer


def test_blank_rows_of_a_workbook_do_not_stay_in_the_total(manager):
    job = import_file(manager, xlsx(["phone"], ["2125550101"], [""], [None], ["2125550102"]), name="c.xlsx")
    assert (job["total"], job["results"]["totalRows"], job["results"]["imported"]) == (2, 2, 2)
