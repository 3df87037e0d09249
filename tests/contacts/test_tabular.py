import csv
import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from contacts.tabular import TableError, TableErrorCode, limits, open_table

FILES = Path(__file__).parent / "files"
PROJECT = Path(__file__).parents[2]
HEADER = "first_name,last_name,phone,email\n"
ANN = "Ann,Lee,2125550123,ann@example.com\n"
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


@pytest.fixture
def table(tmp_path):
    def open_text(content, name="contacts.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return open_table(path, name)

    return open_text


@pytest.fixture
def workbook(tmp_path):
    """Write a workbook of raw XML: what no library would write, a stranger may."""

    def write(sheet, **others):
        path = tmp_path / "contacts.xlsx"
        relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                "xl/workbook.xml",
                f'<workbook xmlns:r="{relation}"><sheets><sheet name="Leads" sheetId="1" r:id="r1"/></sheets></workbook>',
            )
            archive.writestr(
                "xl/_rels/workbook.xml.rels",
                f'<Relationships><Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/>'
                f'<Relationship Id="r2" Type="{relation}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
            )
            archive.writestr("xl/worksheets/sheet1.xml", sheet)
            for name, content in others.items():
                archive.writestr(f"xl/{name}.xml", content)
        return path

    return write


def cells_of(table):
    return [row.cells for row in table.rows()]


def refusal(function, *arguments):
    with pytest.raises(TableError) as caught:
        list(function(*arguments).rows())
    return caught.value.code


def read_within(megabytes, path):
    """Read the file in a process that may not take more memory, and return the number of rows or the error's code."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom contacts.tabular import TableError, open_table\n"
        "try:\n    print(sum(1 for row in open_table(Path(sys.argv[1]), 'file').rows()))\n"
        "except TableError as error:\n    print(error.code)"
    )
    limit = megabytes * limits.MEGABYTE
    ended = subprocess.run(  # noqa: S603 (the script above)
        [sys.executable, "-c", script, path],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=30,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    return ended.stdout.strip()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_even_beside_others_in_the_cells(table, delimiter):
    rows = [["name", "note", "phone"], ["Lee, Ann", "a;b|c\td, and\nmore", "1"], ["Ray; Bo", 'says "hi"', "2"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    found = table(text.getvalue())
    assert found.dialect.delimiter == delimiter
    assert [found.headers, *cells_of(found)] == rows
    assert [row.number for row in found.rows()] == [2, 4]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252"],
)
def test_the_encoding_is_found(table, encoding):
    text = "first_name,city\r\nZoë,Köln\r\nJosé,São Paulo\r\n" * 20
    found = table(text.encode(encoding))
    assert cells_of(found)[:2] == [["Zoë", "Köln"], ["José", "São Paulo"]]


def test_files_from_other_projects_are_read_as_their_authors_meant():
    def read(name):
        found = open_table(FILES / name, name)
        return [found.headers, *cells_of(found)]

    assert read("test_utf16_big.csv") == read("test_utf16_little.csv") == [list("abc"), list("123"), ["4", "5", "ʤ"]]
    assert read("test_utf8_bom.csv")[0] == ["foo", "bar", "baz"]
    assert read("test_latin1.csv")[2] == ["4", "5", "©"]
    assert len(read("iris-utf-32.csv")) > 100
    assert read("mac_newlines.csv")[2] == ["Once upon\ra time", "5", "6"]
    assert read("quotes_and_newlines.csv")[1] == ["1", 'ha \n"ha" \nha']
    assert read("test_skip_lines.csv") == [list("abc"), list("123")]
    assert read("skip-rows.csv")[0] == ["id", "name"]
    assert read("all-strings-skip-header-author.csv")[0] == ["Blog Post", "Date", "Subject", "Field"]
    assert read("blank-headers.csv")[0] == ["id", "Column 2", "age"]
    assert read("duplicate-headers.csv")[0] == ["id", "name", "id (2)", "age", "id (3)"]
    assert read("table.tsv")[1] == ["1", "english"]
    assert read("sheet2.xlsx")[2] == ["2", "中国人"]
    assert read("header-row.xlsx")[0] == ["Columns", "Column A", "Column B", "Column C"]
    assert read("merge_cells.xlsx")[1] == ["Column Merge", "Chunk Merged", ""]
    assert read("richtext-namespaced.xlsx")[0][0] == "inline string Line 2 Line 3"
    assert read("adjust_floating_point_error.xlsx")[2][3] == "274.66"
    assert [row[0] for row in read("date.xls")[1:3]] == ["2021-01-01", "2021-01-02"]
    assert [row[0] for row in read("date_1904.xlsx")[1:3]] == ["2021-01-01", "2021-01-02"]
    assert read("date_iso.xlsx")[2] == ["2021-01-01T10:10:10"]


def test_a_declared_separator_is_obeyed_and_counted_as_a_line(table):
    found = table("sep=;\nname;phone\nAnn, Bo and Co;1\n")
    assert (found.headers, found.header_row) == (["name", "phone"], 2)
    assert [tuple(row) for row in found.rows()] == [(3, ["Ann, Bo and Co", "1"], "")]


def test_a_title_above_the_header_is_skipped(table):
    found = table("Our customers\n\nexported,2026-11-21\n" + HEADER + ANN)
    assert (found.header_row, found.headers[0]) == (4, "first_name")


def test_a_file_without_header_gets_numbered_columns_and_keeps_its_first_row(table):
    found = table(ANN * 3)
    assert (found.header_row, found.headers) == (0, ["Column 1", "Column 2", "Column 3", "Column 4"])
    assert len(cells_of(found)) == 3


def test_a_header_alone_is_a_table_without_rows(table):
    assert cells_of(table(HEADER)) == []


def test_ragged_rows_are_padded_and_too_long_ones_reported(table):
    found = list(table(HEADER + "Ann\n" + ANN + "a,b,c,d,,\n" + "a,b,c,d,e\n" + "\n,,,\n").rows())
    assert [(row.number, len(row.cells), bool(row.problem)) for row in found] == [
        (2, 4, False),
        (3, 4, False),
        (4, 4, False),
        (5, 5, True),
    ]


def test_reading_goes_on_after_any_row(table):
    found = table(HEADER + ANN * 50)
    assert [row.number for row in found.rows(start_after=48)] == [49, 50, 51]


def test_bytes_that_cannot_be_decoded_spoil_their_row_only(table):
    text = HEADER + "Zoë,Müller,1,z@example.com\n" * 50_000
    found = list(table(text.encode() + b"Jos\xe9,Li,1,j@example.com\n" + ANN.encode()).rows())
    bad = [row for row in found if row.problem]
    assert [(row.number, row.cells[0]) for row in bad] == [(50_002, "Jos\ufffd")]
    assert "encoding" in bad[0].problem
    assert found[-1].cells[0] == "Ann"


def test_nul_bytes_spoil_their_row_only(table):
    found = list(table(HEADER + ANN + "A\0nn,Lee,1,a@example.com\n" + ANN).rows())
    assert [row.problem for row in found] == ["", "contains a NUL byte", ""]
    assert found[1].cells[0] == "Ann"
    null_byte = open_table(FILES / "null_byte.csv", "null_byte.csv")
    assert null_byte.headers == ["a", "b", "c"]


@pytest.mark.parametrize("size", [40_000, 200_000, 10_000_000])
def test_a_giant_cell_spoils_its_row_only(table, size):
    found = list(table(HEADER + ANN + f"Ann,{'x' * size},1,a@example.com\n" + ANN).rows())
    assert [(row.number, bool(row.problem)) for row in found] == [(2, False), (3, True), (4, False)]
    assert max(len(cell) for cell in found[1].cells) <= limits.MAX_CELL_CHARS


@pytest.mark.parametrize("lines_after", [5, 5_000, 100_000])
def test_an_unclosed_quotation_mark_spoils_its_row_only(table, lines_after):
    found = list(table(HEADER + ANN + 'Bo,"Ray,1,bo@example.com\n' + ANN * lines_after).rows())
    assert [row.number for row in found if row.problem] == [3]
    assert found[1].problem == "a quotation mark is not closed"
    assert found[1].cells[0] == "Bo"
    assert len(found) == lines_after + 2


def test_a_file_of_unclosed_quotation_marks_is_refused_soon(tmp_path):
    path = tmp_path / "quotes.csv"
    path.write_text(HEADER + 'a","b\n' * 8_000_000, encoding="utf-8")
    assert read_within(200, path) == TableErrorCode.MALFORMED_FILE


def test_fifty_megabytes_behind_an_open_quotation_mark_take_little_memory(tmp_path):
    path = tmp_path / "quote.csv"
    path.write_text(HEADER + 'a,"' + "x" * 50_000_000, encoding="utf-8")
    assert read_within(200, path) == "1"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "EMPTY_FILE", "empty"),
        (b"\xef\xbb\xbf \r\n", "EMPTY_FILE", "empty"),
        (b"\n\n,,,\n", "EMPTY_FILE", "empty"),
        (b"%PDF-1.7\n%...", "UNSUPPORTED_FILE", "PDF"),
        (b"\x89PNG\r\n\x1a\n....", "UNSUPPORTED_FILE", "PNG"),
        (b"<html><table><tr><td>Ann</td></tr></table></html>", "UNSUPPORTED_FILE", "web page"),
        (b'[{"name": "Ann"}]', "UNSUPPORTED_FILE", "JSON"),
        (b"BEGIN:VCARD\nFN:Ann\nEND:VCARD", "UNSUPPORTED_FILE", "vCard"),
        (bytes(range(256)) * 100, "UNSUPPORTED_FILE", "not a text file"),
        (bytes(10_000), "EMPTY_FILE", "empty"),
        (b"PK\x03\x04 and nothing more", "MALFORMED_FILE", "damaged"),
        (",".join(f"h{n}" for n in range(5_000)).encode() + b"\n", "TOO_MANY_COLUMNS", "5,000 columns"),
    ],
)
def test_what_is_no_contact_table_is_refused_with_a_reason(table, content, code, words):
    with pytest.raises(TableError) as caught:
        table(content)
    assert caught.value.code == code
    assert words in caught.value.message


def test_encrypted_workbooks_damaged_ones_and_plain_archives_are_told_apart(tmp_path):
    assert refusal(open_table, FILES / "pass_protected.xlsx", "x") == "ENCRYPTED_FILE"
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("contacts.csv", HEADER)
    assert refusal(open_table, plain, "x") == "UNSUPPORTED_FILE"
    whole = (FILES / "sheet2.xlsx").read_bytes()
    (tmp_path / "half.xlsx").write_bytes(whole[: len(whole) // 2])
    assert refusal(open_table, tmp_path / "half.xlsx", "x") == "MALFORMED_FILE"
    (tmp_path / "half.xls").write_bytes((FILES / "date.xls").read_bytes()[:3000])
    assert refusal(open_table, tmp_path / "half.xls", "x") == "MALFORMED_FILE"


def test_a_file_over_the_size_limit_is_refused_unread(tmp_path):
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(limits.MAX_FILE_BYTES + 1)
    assert refusal(open_table, path, "big.csv") == "FILE_TOO_LARGE"


def test_a_workbook_reads_as_a_person_sees_it(tmp_path):
    path = tmp_path / "contacts.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["name", "phone", "zip", "since", "met", "vip", "score", "mail"])
    sheet.append(["Ann\nLee", 2125550123, 2139, "x", "x", True, 0.1 + 0.2, "=A2"])
    sheet["C2"].number_format = "00000"
    sheet["D2"].value, sheet["D2"].number_format = 45658, "dd/mm/yyyy"
    sheet["E2"].value, sheet["E2"].number_format = 45658.5, 'yyyy-mm-dd "at" hh:mm'
    sheet["A5"] = "Bo"
    book.create_sheet("Hidden").sheet_state = "hidden"
    book.save(path)
    found = open_table(path, path.name)
    assert (found.kind, found.sheet, found.header_row) == ("xlsx", "Sheet", 1)
    first, last = found.rows()
    assert first.cells == ["Ann\nLee", "2125550123", "02139", "2025-01-01", "2025-01-01T12:00:00", "TRUE", "0.3", ""]
    assert (last.number, last.cells[0]) == (5, "Bo")


def test_cells_out_of_all_proportion_are_a_problem_of_their_row(workbook):
    cells = '<c r="A2"><v>1</v></c><c r="XFD2"><v>2</v></c>'
    path = workbook(
        SHEET.format(
            '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
            f'<row r="2">{cells}</row><row r="3"><c t="s"><v>99</v></c><c t="str"><v>{"x" * 100_000}</v></c></row>'
            '<row r="1048576"><c r="A1048576"><v>9</v></c></row></sheetData>'
        )
    )
    found = list(open_table(path, path.name).rows())
    assert [(row.number, bool(row.problem)) for row in found] == [(2, True), (3, True), (1048576, False)]


@pytest.mark.parametrize(
    "sheet",
    [
        "<worksheet><sheetData><row>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + SHEET.format("<sheetData>&a;</sheetData>"),
        SHEET.format("<c>" * 1_000),
        SHEET.format("".join(f"<t{n}/>" for n in range(50_000))),
        SHEET.format("".join(f'<c a{n}=""/>' for n in range(50_000))),
        SHEET.format("".join(f'<c xmlns:n{n}="u"/>' for n in range(50_000))),
        SHEET.format('<row r="1048577"><c><v>1</v></c></row>'),
        "not xml",
    ],
)
def test_malformed_and_malicious_sheets_are_refused(workbook, sheet):
    assert refusal(open_table, workbook(sheet), "x") == "MALFORMED_FILE"


def test_zip_bombs_are_refused_before_they_are_opened(workbook, tmp_path):
    assert refusal(open_table, workbook(SHEET.format(" " * 20_000_000)), "x") == "FILE_TOO_LARGE"
    path = workbook(SHEET.format(""), **{f"entry{n}": "" for n in range(limits.MAX_ZIP_ENTRIES)})
    assert refusal(open_table, path, "x") == "FILE_TOO_LARGE"
    # A directory of 4 GB, as far as its end record says.
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rfind(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    (tmp_path / "directory.xlsx").write_bytes(content)
    assert refusal(open_table, tmp_path / "directory.xlsx", "x") == "FILE_TOO_LARGE"


def test_workbooks_take_little_memory_whatever_is_in_them(workbook):
    noise = os.urandom(600_000).hex()
    comment = f"<!--{noise * 20}-->"
    assert read_within(200, workbook(SHEET.format(comment))) == TableErrorCode.MALFORMED_FILE
    text = "".join(f"<si><t>{noise[n : n + 40]}</t></si>" for n in range(0, 1_000_000, 5))
    row = '<row r="{0}"><c t="s"><v>{0}</v></c><c><v>{0}</v></c></row>'
    sheet = SHEET.format("<sheetData>" + "".join(row.format(n) for n in range(1, 30_001)) + "</sheetData>")
    assert read_within(200, workbook(sheet, sharedStrings=f"<sst>{text}</sst>")) == "30000"
