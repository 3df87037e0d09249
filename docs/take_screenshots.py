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

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
PASSWORD = "vocelio-demo"  # noqa: S105
SIZE = {"width": 1280, "height": 800}
# Enough rows to be seen running.
ROWS = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with signed_in(options, "manager@acme.test") as page:
        take(page, "/admin/", "dashboard")
        take(page, "/admin/contacts/contact/", "contacts")
        take(page, "/admin/contacts/contactlist/", "lists")
        take(page, "/admin/contacts/contact/?trash=yes", "trash")
        take(page, "/admin/audit/auditentry/", "audit")
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
    with signed_in(options, "admin@acme.test") as page:
        take(page, "/admin/organizations/membership/", "members")
    with signed_in(options, "root@vocelio.test") as page:
        take(page, "/admin/organization/", "choose-organization")


@contextmanager
def signed_in(options: argparse.Namespace, email: str) -> Iterator[Page]:
    """Open a browser of its own and sign in."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=options.chromium, args=flags)
        page = browser.new_page(base_url=options.url, viewport=SIZE)
        page.goto("/admin/login/")
        page.fill("input[name=username]", email)
        page.fill("input[name=password]", PASSWORD)
        if not (IMAGES / "login.png").exists():
            shoot(page, "login")
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle")
        yield page
        browser.close()


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
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


if __name__ == "__main__":
    main()
