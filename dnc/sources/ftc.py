"""The FTC's web service: full lists of area codes, or the changes since the last full one.

Each file is given once a day, so an answer is kept as it came before it is decoded, and a file of today that is there
is not asked for again. Answers are SOAP; names of the elements inside are not published, so they are read by content.
"""

import base64
import binascii
import html
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import httpx

from dnc.sources import Errand, Fetched, Place, PluginError
from vocelio.errors import VocelioError
from vocelio.outbound import outbound_client

ENDPOINT = "https://telemarketing.donotcall.gov/DownloadSvc/DownloadSvc.asmx"
NAMESPACE = "https://telemarketing.donotcall.gov/DownloadSvc/"
MOST_BYTES = 512 * 1024 * 1024
TEXT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>([^<]+)</")
# A token of another day is of no use; these end a run until tomorrow, the others are tried again.
PERMANENT = {
    *("LoginFailed", "LoginDisabled", "InvalidCompanyID", "CertificationNotAgreed", "NoFullDownloadPerformed"),
    *("FileNotValidForDownload", "InvalidRequest"),
}
TODAY = "AlreadyDownloadedToday"
TEMPORARY = {"InvalidSessionToken", "SessionExpired", "DownloadFailed"}
PENDING_SECONDS = 60


class FtcService(Place):
    """`changes` true asks for change lists; `areaCodes` narrows full lists; `endpoint` is for tests and proxies."""

    slug = "ftc"
    label = "FTC web service"
    required = ("companyId",)
    optional = ("userType", "areaCodes", "changes", "endpoint", "fileFormat")
    needs_secret = True
    for_operators = True

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        settings = errand.settings
        endpoint = settings.get("endpoint") or ENDPOINT
        host = urlsplit(endpoint).hostname or ""
        with outbound_client([host], max_bytes=MOST_BYTES, max_seconds=3600, timeout=120) as client:
            session = _Session(client, endpoint, str(settings["companyId"]))
            session.login(errand.secret, settings.get("userType", "Downloader"))
            if settings.get("changes"):
                urls = session.change_urls(errand.state)
                today = datetime.now(UTC).date()
                name = f"NoChanges@{today}"
                if not urls and not errand.is_known(name):
                    yield Fetched(name, f"{today}_changes_none-{today}.txt", b"NoChanges\n")
            else:
                urls = session.full_urls(settings.get("fileFormat", "Flat"))
            wanted = {str(code) for code in settings.get("areaCodes", ())}
            for url in urls:
                filename = PurePosixPath(urlsplit(url).path).name
                code = re.search(r"_(\d{3})_", filename)
                if wanted and code and code[1] not in wanted:
                    continue
                name = f"{url}@{datetime.now(UTC).date()}"
                if errand.is_known(name):
                    continue
                raw = session.download(url)
                if raw is not None:
                    yield Fetched(name, filename, raw, is_raw=True)
            errand.state.pop("request", None)

    def covers(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Return the subscription's area codes: a change list is over all of them since the last download."""
        codes = tuple(str(code) for code in settings.get("areaCodes", ()))
        return (codes or ("all",)) if settings.get("changes") else ()

    def decode(self, raw: bytes) -> bytes:
        """Return the zip within the answer, proven whole by its checksums."""
        texts = [text for _, text in TEXT.findall(raw.decode())]
        content = max(texts, key=len, default="")
        try:
            archive = base64.b64decode("".join(html.unescape(content).split()), validate=True)
            with zipfile.ZipFile(BytesIO(archive)) as opened:
                broken = opened.testzip()
        except (binascii.Error, zipfile.BadZipFile, EOFError) as error:
            raise PluginError("The answer holds no whole zip file.", permanent=False, code="damaged") from error
        if broken:
            raise PluginError(f"{broken} is damaged.", permanent=False, code="damaged")
        return archive


class _Session:
    def __init__(self, client: httpx.Client, endpoint: str, company_id: str) -> None:
        self.client, self.endpoint, self.company_id = client, endpoint, company_id
        self.token = ""

    def login(self, password: str, user_type: str) -> None:
        texts = self.call("Login", strCoID=self.company_id, strCoPwd=password, userType=user_type, enumCertify="Agree")
        if "LoginOK" not in texts:
            raise PluginError("The FTC did not sign us in.", permanent=True, code="LoginFailed")
        self.token = next((text for text in texts if text != "LoginOK"), "")

    def full_urls(self, file_format: str) -> list[str]:
        texts = self.call("GetURLS", fileFormat=file_format, strSessionToken=self.token, strCoID=self.company_id)
        # "714:File was already downloaded Today" stands in the place of an address.
        return [text for text in texts if text.startswith(("http://", "https://"))]

    def change_urls(self, state: dict[str, str]) -> list[str]:
        """Ask for a change list, or for the one asked for in an earlier run; PluginError while it is being made."""
        if not state.get("request"):
            texts = self.call("SubmitDeltaFileRequest", strSessionToken=self.token, strCoID=self.company_id)
            if "SubmitOK" not in texts:
                raise PluginError("The FTC did not take the request.", permanent=False, code="SubmitFailed")
            state["request"] = next((text for text in texts if text != "SubmitOK"), "")
        asked = {"strSessionToken": self.token, "strCoID": self.company_id, "strRequestToken": state["request"]}
        status = self.call("GetDeltaFileRequestStatus", **asked)
        if "NoChanges" in status:
            state.pop("request")
            return []
        if "RequestCompleted" not in status:
            raise PluginError(
                "The change list is being made.", permanent=False, code="RequestPending", retry_after=PENDING_SECONDS
            )
        texts = self.call("GetDeltaFileUrl", **asked)
        return [text for text in texts if text.startswith(("http://", "https://"))]

    def download(self, url: str) -> bytes | None:
        """Return the answer as it came; None when the file was given today already."""
        raw = self.post("GetDNCFileByUrl", fileUrl=url, strSessionToken=self.token, strCoID=self.company_id)
        texts = set(self.read(raw.decode(errors="replace"), but_for=TODAY))
        if TODAY in texts:
            return None
        if "DownloadOK" not in texts:
            raise PluginError("The FTC did not give the file.", permanent=False, code="DownloadFailed")
        return raw

    def call(self, operation: str, **parameters: str) -> list[str]:
        return self.read(self.post(operation, **parameters).decode(errors="replace"))

    def post(self, operation: str, **parameters: str) -> bytes:
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in parameters.items())
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<{operation} xmlns="{NAMESPACE}">{inner}</{operation}></soap:Body></soap:Envelope>'
        )
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NAMESPACE}{operation}"'}
        try:
            response = self.client.post(self.endpoint, content=body.encode(), headers=headers)
        except VocelioError as error:
            raise PluginError(error.message, permanent=True, code=error.code) from error
        except httpx.HTTPError as error:
            raise PluginError(f"The FTC cannot be reached: {error}.", permanent=False, code="unreachable") from error
        if response.status_code != httpx.codes.OK:
            raise PluginError(f"The FTC answers {response.status_code}.", permanent=False, code="server")
        return response.content

    def read(self, text: str, but_for: str = "") -> list[str]:
        """Return the texts of an answer's elements; raise PluginError when one is a refusal."""
        texts = [html.unescape(found).strip() for _, found in TEXT.findall(text)]
        for refusal in texts:
            if refusal in PERMANENT | TEMPORARY | {TODAY} and refusal != but_for:
                raise PluginError(f"The FTC answers {refusal}.", permanent=refusal in PERMANENT, code=refusal)
        return texts
