"""LinkedIn's Messages API, for partners it has approved
(learn.microsoft.com/linkedin/shared/integrations/communications/messages)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from comms.channels.calls import body_of, hand_over, pause
from comms.channels.channel import AccountProblem, Sender, Session
from comms.channels.values import AccountValues, Outgoing, Receipt
from vocelio.outbound import check_address, outbound_client
from vocelio.plugins import PluginError

API = "https://api.linkedin.com"
MEMBER = "urn:li:person:"


class LinkedInApi(Sender):
    """Sends in a member's name to that member's connections.

    LinkedIn forbids what is automatic or planned: a message must follow from a person's own act, who has seen it and
    could change it. So messages wait as they do without the API, and the person releases each.
    """

    slug = "linkedin_api"
    label = "LinkedIn (partner API)"
    medium = "linkedin"
    on_request = True
    settings = {"apiUrl": False}
    secrets = {"accessToken": True}
    hosts = ("api.linkedin.com",)

    def check_settings(self, settings: Mapping[str, str]) -> None:
        if settings.get("apiUrl"):
            check_address(settings["apiUrl"], self.hosts)

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        headers = {
            "Authorization": f"Bearer {account.secrets['accessToken']}",
            "X-Restli-Protocol-Version": "2.0.0",
        }
        with outbound_client(self.hosts, timeout=30, headers=headers) as client:
            yield _LinkedInSession(client, (account.settings.get("apiUrl") or API).rstrip("/"))


class _LinkedInSession:
    def __init__(self, client: httpx.Client, base: str) -> None:
        self.client, self.url = client, f"{base}/v2/messages"

    def send(self, message: Outgoing) -> Receipt:
        if not message.address.startswith(MEMBER):
            raise PluginError("LinkedIn's API needs the person's member URN.", permanent=True, code="NO_MEMBER_URN")
        body = {"recipients": [message.address], "body": message.text, "messageType": "MEMBER_TO_MEMBER"}
        response = hand_over(self.client, self.url, json=body)
        if response.status_code == 201:
            return Receipt(response.headers.get("x-restli-id", "")[:250])
        answer = body_of(response)
        code = str(answer.get("serviceErrorCode") or f"HTTP_{response.status_code}")[:60]
        reason = str(answer.get("message") or "LinkedIn refuses it.")[:300]
        if response.status_code in (401, 403):
            raise AccountProblem(reason, code=code, retry_after=pause(response))
        raise PluginError(reason, permanent=True, code=code)
