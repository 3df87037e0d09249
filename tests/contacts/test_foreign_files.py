"""Files other projects test with: each goes through an upload, or is refused with a clear reason.

expected.csv lists them all with what must be found in each; rows counts those below the header, bad_rows those that
cannot be read.
"""

import csv
from pathlib import Path

import pytest

from tests.contacts.uploads import upload
from tests.factories import run_jobs

FILES = Path(__file__).parent / "files"
with (FILES / "expected.csv").open(encoding="utf-8", newline="") as expected:
    EXPECTED = list(csv.DictReader(expected))


def test_every_file_is_listed():
    found = {path.relative_to(FILES).as_posix() for path in FILES.glob("*/**/*") if path.is_file()}
    assert found == {each["file"] for each in EXPECTED}


@pytest.mark.parametrize("origin", sorted({each["file"].split("/")[0] for each in EXPECTED}))
def test_a_foreign_file_is_understood_or_refused(manager, origin):
    drafts = {}
    for each in EXPECTED:
        if not each["file"].startswith(f"{origin}/"):
            continue
        path = FILES / each["file"]
        answer = upload(manager, path.read_bytes(), path.name, preview="true")
        if each["refusal"]:
            assert (answer.status, answer.error["code"]) == (422, each["refusal"]), each
            assert answer.error["message"].endswith("."), each
            continue
        assert answer.status == 202, (each, answer)
        shown = manager.get(f"/v1/uploads/contacts/{answer.data['jobId']}/preview").data
        file = shown["file"]
        assert {
            "kind": file["kind"],
            "encoding": file["encoding"] or "",
            "delimiter": (file["delimiter"] or "").replace("\t", "tab"),
            "sheet": file["sheet"] or "",
            "header_row": str(file["headerRow"]),
            "first_header": shown["columns"][0]["header"],
        }.items() <= each.items(), (each, file)
        drafts[answer.data["jobId"]] = each
        # Without a phone or an address in it nobody is imported, but every row is read and judged.
        options = {"mapping": {shown["columns"][0]["header"]: "email"}}
        assert manager.post(f"/v1/uploads/contacts/{answer.data['jobId']}/preview", options).status == 202
    run_jobs(manager.organization)
    for job_id, each in drafts.items():
        dry_run = manager.get(f"/v1/uploads/contacts/{job_id}/preview").data["dryRun"]
        assert (dry_run["status"], str(dry_run["results"]["totalRows"])) == ("completed", each["rows"]), each
        assert dry_run["results"]["rejected"] >= int(each["bad_rows"]), each
