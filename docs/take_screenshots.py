"""Take the pictures of README.md and docs/user-manual.md from a running installation with demo data.

Needs playwright==1.65.2 and Chromium beside the project's own requirements:

    bin/up                                   # in another terminal
    python docs/take_screenshots.py          # http://127.0.0.1:8000, /usr/bin/chromium
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
PASSWORD = "vocelio-demo"  # noqa: S105
SIZE: ViewportSize = {"width": 1280, "height": 800}
# Enough rows to be seen running.
ROWS = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with signed_in(options, "admin@acme.test") as page:
        page.set_viewport_size({"width": SIZE["width"], "height": 1250})
        take(page, "/admin/security/", "security")
        page.set_viewport_size(SIZE)
        page.goto("/admin/two-step/")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[value=begin]")
        page.wait_for_selector("img[src^='data:image/svg']")
        shoot(page, "two-step")
    with signed_in(options, "manager@acme.test", "es-ES") as page:
        take(page, "/admin/contacts/contact/", "spanish")
    with signed_in(options, "manager@acme.test") as page:
        take(page, "/admin/", "dashboard")
        take(page, "/admin/contacts/contact/", "contacts")
        take(page, "/admin/contacts/contactlist/", "lists")
        take(page, "/admin/contacts/contact/?trash=yes", "trash")
        take(page, "/admin/audit/auditentry/", "audit")
        take(page, "/admin/contacts/client/", "clients")
        page.click("#result_list a[href*='/contacts/client/']")
        show(page, "Add a person", "client")
        take(page, "/admin/recruitment/candidateprofile/?job_search__exact=active", "candidates")
        page.click("#result_list a[href*='/candidateprofile/']")
        page.click("a[href*='/contacts/contact/'][href*='/change']")
        show(page, "Add a sales profile", "profiles")
        page.goto("/admin/ai_matching/match/explorer/")
        page.select_option("select[name=job]", index=1)
        page.wait_for_selector("text=Compared by")
        shoot(page, "match-explorer")
        take(page, "/admin/ai_matching/leadscore/", "lead-scores")
        take(page, "/admin/contacts/contact/figures/", "contact-figures")
        take(page, "/admin/sales/deal/figures/", "sales-figures")
        take(page, "/admin/recruitment/jobopening/figures/?days=180", "recruitment-figures")
        take_reports(page)
        take_job_board(page)
        take_board(page)
        take_steps(page)
        take_duplicates(page)
        take_messages(page)
        take(page, "/admin/dnc/scrub/add/", "dnc-scrub")
        take(page, "/admin/dnc/dnclist/look-up/?number=%2B12125550147", "dnc-look-up")
        take(page, "/admin/dnc/dnclist/registries/", "dnc-registries")
        take(page, "/admin/dnc/dnclist/compliance/", "dnc-compliance")
        page.goto("/admin/contacts/contactimport/add/")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "autumn-leads.csv"
            write_leads(file)
            page.set_input_files("input[type=file]", file)
            page.fill("input[name=list_name]", "Autumn leads")
            shoot(page, "upload")
            page.click("form .drop ~ * button, form button[type=submit] >> nth=-1")
            page.wait_for_function("parseInt(document.querySelector('.job-text')?.textContent) >= 20", timeout=120_000)
            shoot(page, "import")
            known = Path(folder) / "partners.csv"
            page.goto("/admin/contacts/contactexport/add/?status__exact=active")
            page.click("text=Write the file")
            with page.expect_download() as download:
                page.click("a[href*='/download/']", timeout=120_000)
            download.value.save_as(Path(folder) / "contacts.csv")
            take(page, "/admin/contacts/contactexport/", "exports")
            write_partners(Path(folder) / "contacts.csv", known)
            page.goto("/admin/contacts/contactimport/add/")
            page.set_input_files("input[type=file]", known)
            page.click("text=Look first")
            page.select_option("select[name=policy]", "overwrite")
            page.click("text=Look again")
            page.wait_for_selector("ins", timeout=60_000)
            shoot(page, "import-preview")
            page.click("text=Start the import")
            page.click("text=Undo the import", timeout=60_000)
            page.wait_for_selector("text=Completed >> nth=1", timeout=60_000)
            page.wait_for_load_state("networkidle")
            shoot(page, "import-undo")
    with signed_in(options, "admin@acme.test") as page:
        take(page, "/admin/organizations/membership/", "members")
        take_webhooks(page)
        take_crm(page)
    with signed_in(options, "root@vocelio.test") as page:
        take(page, "/admin/organization/", "choose-organization")


@contextmanager
def signed_in(options: argparse.Namespace, email: str, locale: str = "en-US") -> Iterator[Page]:
    """Open a browser of its own and sign in."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=options.chromium, args=flags)
        page = browser.new_page(base_url=options.url, viewport=SIZE, locale=locale)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/admin/login/")
        page.fill("input[name=username]", email)
        page.fill("input[name=password]", PASSWORD)
        if not (IMAGES / "login.png").exists():
            shoot(page, "login")
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle")
        yield page
        browser.close()


def take_duplicates(page: Page) -> None:
    """Take the queue, a merge before and after, the history it leaves, and a change of many contacts."""
    take(page, "/admin/contacts/contactduplicate/", "duplicates")
    page.click("#result_list th a >> nth=0")
    page.wait_for_load_state("networkidle")
    shoot(page, "merge")
    page.click("button[name=merge]")
    page.wait_for_load_state("networkidle")
    show(page, "What happened", "history")
    page.click("button:has-text('Take the merge of')")
    page.goto("/admin/contacts/bulkjob/add/")
    page.fill("input[name=filter]", "state=CA")
    page.fill("input[name=tags]", "west-coast")
    page.click("button[name=preview]")
    page.wait_for_load_state("networkidle")
    shoot(page, "bulk")
    page.click("button[name=start]")
    page.click("text=Undo this change", timeout=60_000)
    page.wait_for_load_state("networkidle")


def take_reports(page: Page) -> None:
    """Take a report with its form, its mailing, and a dashboard that follows what happens."""
    page.goto("/admin/reports/savedreport/")
    page.click("#result_list a:has-text('Won by owner and month')")
    page.wait_for_load_state("networkidle")
    shoot(page, "report")
    show(page, "By mail", "report-mailing")
    page.goto("/admin/dashboards/dashboard/")
    page.click("#result_list a:has-text('Acme this quarter')")
    page.wait_for_selector(".board-live.is-live")
    page.set_viewport_size({"width": 1280, "height": 1250})
    shoot(page, "dashboard-tiles")
    page.set_viewport_size(SIZE)


def take_job_board(page: Page) -> None:
    """Take the board of a job, and the page where strangers apply to it."""
    page.goto("/admin/recruitment/jobopening/")
    page.click("#result_list a[href$='/board/']")
    page.wait_for_selector(".board-live.is-live")
    page.wait_for_selector(".board-card")
    shoot(page, "job-board")
    for card in range(2):
        page.check(f".board-column >> nth=0 >> .board-card >> nth={card} >> .board-choose")
    shoot(page, "board-chosen")
    page.click("a.board-add")
    page.click("a[href^='/careers/']")
    shoot(page, "careers")
    page.goto("/admin/recruitment/hiringprocess/")
    page.click("#result_list th a >> nth=0")
    shoot(page, "hiring-process")
    page.goto("/admin/recruitment/offer/")
    page.click("#result_list th a >> nth=0")
    shoot(page, "offer")


def take_board(page: Page) -> None:
    """Take the board, and what it asks when a deal is dragged to where something is missing."""
    page.goto("/admin/sales/deal/board/")
    page.wait_for_selector(".board-live.is-live")
    page.wait_for_selector(".board-card")
    shoot(page, "deals-board")
    page.drag_and_drop(".board-column >> nth=0 >> .board-card >> nth=0", '.board-column[data-kind="lost"] .board-head')
    page.wait_for_selector("dialog[open]")
    shoot(page, "deals-gate")
    page.click("dialog button[value=cancel]")


def take_steps(page: Page) -> None:
    """Take the pages that convert a lead and complete a call, and leave both undone."""
    page.goto("/admin/sales/salesprofile/?lead_status__exact=new")
    page.click("#result_list a[href*='/salesprofile/']")
    page.click("text=Convert into a client and a deal")
    shoot(page, "lead-convert")
    page.goto("/admin/sales/activity/?state=open&kind__exact=call")
    page.click("#result_list a[href*='/activity/']")
    page.click("a[href$='/complete/']")
    shoot(page, "activity-complete")


def take_messages(page: Page) -> None:
    """Take the pages that write to one and to many, and the mail that stayed here; nothing is sent."""
    page.goto("/admin/comms/communication/caught/")
    address = str(page.locator(".rows td").first.text_content())
    page.click(".rows a >> nth=0")
    page.wait_for_load_state("networkidle")
    shoot(page, "caught-one")
    page.goto("/admin/comms/communication/add/")
    page.fill("input[name=contact]", address)
    page.select_option("select[name=template]", label="Invitation to an interview")
    shoot(page, "composer")
    page.goto("/admin/comms/messagebatch/add/")
    page.select_option("select[name=contact_list]", index=1)
    page.select_option("select[name=template]", label="First contact")
    shoot(page, "batch")
    page.goto("/admin/comms/communicationtemplate/")
    page.click("#result_list a:has-text('First contact')")
    page.wait_for_load_state("networkidle")
    show(page, "As it arrives", "template")
    page.goto("/admin/comms/sequence/")
    page.click("#result_list a:has-text('Outreach in two steps')")
    page.wait_for_load_state("networkidle")
    shoot(page, "sequence")


def take_webhooks(page: Page) -> None:
    """Take the log of an endpoint at an address that nobody answers, and remove it."""
    page.goto("/admin/webhooks/webhookendpoint/add/")
    page.fill("input[name=url]", "https://hooks.example.com/vocelio")
    page.fill("input[name=description]", "Warehouse")
    page.check("input[name=events][value='contact.*']")
    page.click("button[name=_save], input[name=_save]")
    for _ in range(2):
        page.goto("/admin/webhooks/webhookendpoint/")
        page.check("input[name=_selected_action] >> nth=0")
        page.select_option("select[name=action]", "test")
        page.click("button[name=index]")
    take(page, "/admin/webhooks/webhookdelivery/", "webhooks")
    page.goto("/admin/webhooks/webhookendpoint/")
    page.click("#result_list th a >> nth=0")
    page.click("a:has-text('Delete webhook endpoint')")
    page.click("form:has(input[name=post]) [type=submit]")


def take_crm(page: Page) -> None:
    """Show how to connect, the newest connection, its fields, its newest sync and dry run, and what waits for a person."""
    page.goto("/admin/crm_sync/crmintegration/add/")
    page.select_option("select[name=crm_type]", "hubspot")
    shoot(page, "crm-connect")
    take(page, "/admin/crm_sync/crmconflict/", "crm-conflicts")
    take(page, "/admin/crm_sync/crmlink/?state__exact=quarantined", "crm-records")
    page.goto("/admin/crm_sync/crmintegration/")
    page.click("#result_list th a >> nth=0")
    page.wait_for_load_state("networkidle")
    address = page.url
    shoot(page, "crm-connection")
    page.goto(address.replace("/change/", "/mapping/"))
    page.wait_for_load_state("networkidle")
    shoot(page, "crm-mapping")
    for name, query in (("crm-run", "?is_dry__exact=0"), ("crm-dry-run", "?is_dry__exact=1")):
        page.goto(f"/admin/crm_sync/crmsyncrun/{query}")
        page.click("#result_list th a >> nth=0")
        page.wait_for_load_state("networkidle")
        shoot(page, name)


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    shoot(page, name)


def show(page: Page, text: str, name: str) -> None:
    """Take what stands around a text further down the page."""
    page.locator("#content").get_by_text(text).first.scroll_into_view_if_needed()
    shoot(page, name)


def shoot(page: Page, name: str) -> None:
    # Charts grow into place.
    page.wait_for_timeout(1200)
    page.screenshot(path=IMAGES / f"{name}.png")


def write_leads(path: Path) -> None:
    """Write people whom no mail reaches, some of them without any address."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["First Name", "Last Name", "E-mail Address"])
        for number in range(ROWS):
            writer.writerow(["Lead", f"Number {number}", f"lead{number}@leads.example" if number % 40 else ""])


def write_partners(contacts: Path, path: Path) -> None:
    """Write some known people with other companies, some new ones, and one nobody can call."""
    with contacts.open(encoding="utf-8-sig", newline="") as file:
        known = [row for row in csv.DictReader(file) if row["Phone"]][:60]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Vorname", "Nachname", "Firma", "Telefon", "Position", "Stand"])
        for number, row in enumerate(known):
            company = row["Company"] + " Inc." * (number % 3 > 0)
            writer.writerow(
                [row["First name"], row["Last name"], company, row["Phone"], row["Job title"], f"B{number}"]
            )
        for number in range(40):
            writer.writerow(["New", f"Partner {number}", "Fresh Co", f"(646) 555-01{number:02}", "Buyer", ""])
        writer.writerow(["Bad", "Number", "Fresh Co", "212-55", "", ""])


if __name__ == "__main__":
    main()
