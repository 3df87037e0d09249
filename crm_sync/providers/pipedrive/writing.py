"""Write Pipedrive: one call for a record, and a look before a create is sent again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.providers.failures import (
    OutcomeUnknown,
)
from crm_sync.providers.pipedrive import terms
from crm_sync.providers.pipedrive.reading import Reading
from crm_sync.providers.pipedrive.terms import (
    CUSTOM,
    GET,
    IN_FLIGHT,
    OPT_OUT,
    PAGE,
    PRIMARY,
    REMOVE,
    SEARCH,
    SKEW,
    WRITE,
)
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    clip,
    read_body,
    read_error,
    read_time,
    write_time,
)
from crm_sync.providers.values import (
    Kind,
    Operation,
    Outcome,
    PushItem,
    PushResult,
    RemoteRecord,
    Values,
)
from vocelio.plugins import PluginError


class Writing(Reading):
    """What Pipedrive is told."""

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Send records one by one; when a call fails, those not yet sent may be sent again."""
        results: list[PushResult] = []
        for item in items:
            try:
                results.append(self._push(remote, kind, operation, item, names))
            except PluginError as failure:
                if len(items) == 1 or not (results or isinstance(failure, OutcomeUnknown)):
                    raise
                # Changes and deletions may be repeated, and creates come alone. What ails the account, the next
                # call will say again.
                left = items[len(results) :]
                results += [PushResult(waiting.key, Outcome.RETRY, code="NOT_SENT") for waiting in left]
                break
        return results

    def _push(
        self, remote: Remote, kind: Kind, operation: Operation, item: PushItem, names: Sequence[str]
    ) -> PushResult:
        path = f"/api/v2/{self.types[kind].remote_name}"
        if operation is Operation.DELETE:
            answer = remote.call(
                "DELETE", f"{path}/{item.remote_id}", spend={"day": REMOVE}, writes=True, accept=(404, 410)
            )
            outcome = Outcome.DONE if answer.is_success else Outcome.GONE
            return PushResult(item.key, outcome, remote_id=item.remote_id)
        if operation is Operation.CREATE:
            body = self._written(remote, kind, item.values, {})
            id_field = remote.options.get("id_field")
            if id_field and kind is Kind.CONTACTS:
                body.setdefault("custom_fields", {})[id_field] = item.key
            answer = remote.call("POST", path, json=body, spend={"day": WRITE}, writes=True, accept=(400, 422))
        else:
            current: Mapping[str, Any] = {}
            if kind is Kind.CONTACTS and item.values.keys() & {*PRIMARY, "first_name", "last_name"}:
                # Lists are written whole and a name has one field: what is not ours to change is read first.
                before = remote.call("GET", f"{path}/{item.remote_id}", spend={"day": GET}, accept=(404, 410))
                if not before.is_success or (current := read_body(before)["data"]).get("is_deleted"):
                    return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)
            body = self._written(remote, kind, item.values, current)
            answer = remote.call(
                "PATCH",
                f"{path}/{item.remote_id}",
                json=body,
                spend={"day": WRITE},
                writes=True,
                accept=(400, 404, 410, 422),
            )
            if answer.status_code in (404, 410):
                return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)
        if answer.status_code in (400, 422):
            error = read_error(answer)
            code = str(error.get("code") or f"HTTP_{answer.status_code}")
            return PushResult(
                item.key, Outcome.REJECTED, code=code, message=clip(error.get("error")), field=terms.field(error)
            )
        row = read_body(answer)["data"]
        if item.values.get(OPT_OUT) and row.setdefault("marketing_status", "unsubscribed") != "unsubscribed":
            # Left as it was, without an error.
            reason = "Pipedrive did not unsubscribe the person."
            return PushResult(
                item.key, Outcome.REJECTED, str(row["id"]), code="NOT_OPTED_OUT", message=reason, field=OPT_OUT
            )
        return PushResult(
            item.key, Outcome.DONE, remote_id=str(row["id"]), record=self._record(remote, kind, row, names)
        )

    def _written(self, remote: Remote, kind: Kind, values: Values, current: Mapping[str, Any]) -> dict[str, Any]:
        types = self._fields(remote, kind)
        body: dict[str, Any] = {}
        for name, value in values.items():
            if name in PRIMARY and kind is Kind.CONTACTS:
                kept = [entry for entry in current.get(PRIMARY[name][0]) or () if not entry.get("primary")]
                kept = [entry for entry in kept if entry.get("value") != value]
                label = next((e.get("label") for e in current.get(PRIMARY[name][0]) or () if e.get("primary")), "work")
                first = [{"value": value, "primary": True, "label": label}] if value else []
                if not first and kept:
                    kept = [{**kept[0], "primary": True}, *kept[1:]]
                body[PRIMARY[name][0]] = first + kept
            elif name in ("first_name", "last_name") and kind is Kind.CONTACTS:
                known = {part: values.get(part, current.get(part)) for part in ("first_name", "last_name")}
                whole = " ".join(str(part) for part in known.values() if part)
                body["name"] = whole or str(values.get("email") or values.get("phone") or "?")
            elif name == "address" and kind is Kind.COMPANIES:
                body["address"] = {"value": value} if value else None
            elif name == OPT_OUT and kind is Kind.CONTACTS:
                # Only ever set: nobody is subscribed by a sync.
                body |= {"marketing_status": "unsubscribed"} if value else {}
            elif CUSTOM.fullmatch(name):
                body.setdefault("custom_fields", {})[name] = terms.coded(value, types.get(name, {}))
            else:
                body[name] = list(value) if isinstance(value, tuple) else value
        if not current and kind is Kind.CONTACTS and "name" not in body and "emails" in body and body["emails"]:
            # A person without a name is not taken.
            body["name"] = body["emails"][0]["value"]
        return body

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        """Look through what was added since the attempt, in the list, which unlike search lags behind nothing."""
        found: dict[str, RemoteRecord] = {}
        attempts = [item.attempted_at for item in items if item.attempted_at]
        if attempts:
            for row in self._added(remote, kind, min(attempts) - SKEW):
                for item in items:
                    if item.attempted_at and item.key not in found and self._is_same(remote, kind, item, row):
                        found[item.key] = self._record(remote, kind, row, names)
                        break
        for item in items:
            if item.key not in found and (hit := self._searched(remote, kind, item)):
                found[item.key] = self._record(remote, kind, hit, names)
        waiting = [item.attempted_at for item in items if item.attempted_at and item.key not in found]
        if waiting and (left := max(waiting) + IN_FLIGHT - datetime.now(UTC)) > timedelta():
            raise PluginError(
                "Pipedrive may still be at work on it.",
                permanent=False,
                code="MAY_BE_UNDER_WAY",
                retry_after=left.total_seconds(),
            )
        return found

    def _added(self, remote: Remote, kind: Kind, start: datetime) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        params = {
            "limit": str(PAGE),
            "sort_by": "update_time",
            "sort_direction": "asc",
            "updated_since": write_time(start),
        }
        while True:
            body, _ = self._list(remote, kind, params, cursor)
            rows += [row for row in body["data"] or () if (added := read_time(row.get("add_time"))) and added >= start]
            cursor = terms.cursor(body)
            if not cursor:
                return rows

    def _is_same(self, remote: Remote, kind: Kind, item: PushItem, row: Mapping[str, Any]) -> bool:
        id_field = remote.options.get("id_field")
        if id_field and kind is Kind.CONTACTS:
            return bool((row.get("custom_fields") or {}).get(id_field) == item.key)
        sent = self._written(remote, kind, item.values, {})
        mails = {entry["value"].lower() for entry in sent.get("emails", ())}
        if mails:
            return bool(mails & {entry["value"].lower() for entry in row.get("emails") or ()})
        same_phone = {entry["value"] for entry in sent.get("phones", ())} == {
            entry["value"] for entry in row.get("phones") or ()
        }
        return same_phone and str(sent.get("name", "")).strip() == row.get("name")

    def _searched(self, remote: Remote, kind: Kind, item: PushItem) -> dict[str, Any] | None:
        term = item.values.get("email") if kind is Kind.CONTACTS else None
        if not term or len(str(term)) < 2:
            return None
        answer = remote.call(
            "GET",
            f"/api/v2/{self.types[kind].remote_name}/search",
            params={"term": str(term), "fields": "email", "exact_match": "true", "limit": "5"},
            spend={"day": SEARCH, "search": 1},
        )
        hits = [str(hit["item"]["id"]) for hit in read_body(answer)["data"]["items"]]
        if not hits:
            return None
        body, _ = self._list(remote, kind, {"ids": ",".join(hits), "limit": str(len(hits))}, "")
        rows = sorted((row for row in body["data"] or () if not row.get("is_deleted")), key=lambda row: int(row["id"]))
        return rows[0] if rows else None
