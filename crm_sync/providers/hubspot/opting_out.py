"""Tell HubSpot who said no: its property is read only, subscriptions have an API of their own.

https://developers.hubspot.com/docs/api-reference/2026-03/communication-preferences: many at a time with Marketing Hub
Enterprise, one by one with any plan.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from crm_sync.providers.hubspot import terms
from crm_sync.providers.hubspot.terms import OPT_OUT
from crm_sync.providers.hubspot.writing import Writing
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import parts, read_body
from crm_sync.providers.values import Kind, Operation, Outcome, PushItem, PushResult

NO_ADDRESS = "HubSpot has no e-mail address to unsubscribe."
REFUSED = "HubSpot did not unsubscribe the address: the connection lacks a scope of communication_preferences."


class OptingOut(Writing):
    """Unsubscribes after the rest has been written; both may be repeated."""

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        said_no = {item.key for item in items if item.values.get(OPT_OUT)}
        if not said_no:
            return super().push(remote, kind, operation, items, names=names)
        plain = [replace(item, values={n: v for n, v in item.values.items() if n != OPT_OUT}) for item in items]
        written = [item for item in plain if item.values or operation is Operation.CREATE]
        results = list(super().push(remote, kind, operation, written, names=names)) if written else []
        told = {result.key for result in results}
        results += [
            PushResult(item.key, Outcome.DONE, remote_id=item.remote_id) for item in plain if item.key not in told
        ]
        done = [each for each in results if each.key in said_no and each.outcome is Outcome.DONE]
        others = [each for each in results if each not in done]
        return [*others, *self._unsubscribed(remote, kind, done)]

    def _unsubscribed(self, remote: Remote, kind: Kind, done: Sequence[PushResult]) -> list[PushResult]:
        """Unsubscribe the addresses HubSpot has, whoever wrote them."""
        if not done:
            return []
        found = self.fetch(remote, kind, ids=[each.remote_id for each in done], names=["email"])
        emails = {record.id: str(record.values["email"] or "") for record in found.records}
        refused = self._unsubscribe(remote, sorted({email for email in emails.values() if email}))
        results = []
        for each in done:
            email = emails.get(each.remote_id)
            if email is None:
                results.append(self._lost(remote, kind, PushItem(each.key, remote_id=each.remote_id)))
            elif not email or email in refused:
                reason = REFUSED if email else NO_ADDRESS
                results.append(
                    replace(each, outcome=Outcome.REJECTED, code="NOT_OPTED_OUT", message=reason, field=OPT_OUT)
                )
            elif each.record is None:
                results.append(each)
            else:
                # As told before the address was unsubscribed.
                values = {**each.record.values, OPT_OUT: True}
                results.append(replace(each, record=replace(each.record, values=values)))
        return results

    def _unsubscribe(self, remote: Remote, emails: Sequence[str]) -> set[str]:
        """Return those that were refused."""
        path = f"/communication-preferences/{terms.version(remote)}/statuses"
        refused: set[str] = set()
        for part in parts(emails, 100):
            answer = self._send(remote, f"{path}/batch/unsubscribe-all", json={"inputs": part})
            if answer.status_code == 403:
                refused |= {email for email in part if self._one(remote, path, email).status_code == 403}
                continue
            for error in read_body(answer).get("errors") or ():
                refused |= {str(value) for values in (error.get("context") or {}).values() for value in values}
        return refused

    def _one(self, remote: Remote, path: str, email: str) -> Any:
        return self._send(remote, f"{path}/{quote(email, safe='@')}/unsubscribe-all")

    def _send(self, remote: Remote, path: str, **body: Any) -> Any:
        # Who said no twice has said no: this may be repeated, whatever became of it.
        return remote.call("POST", path, params={"channel": "EMAIL"}, accept=(403,), **body)
