"""Write Zoho: upserts by a unique field, row by row."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    check_names,
    clip,
    parts,
    read_body,
)
from crm_sync.providers.values import (
    Kind,
    Operation,
    Outcome,
    PushItem,
    PushResult,
    RemoteRecord,
)
from crm_sync.providers.zoho import terms
from crm_sync.providers.zoho.reading import Reading
from crm_sync.providers.zoho.terms import CRM, PAGE, ROWS, ROWS_PER_CREDIT
from vocelio.plugins import PluginError


class Writing(Reading):
    """What Zoho is told."""

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        module = f"{CRM}/{self.types[kind].remote_name}"
        credits = {"credits": -(-len(items) // ROWS_PER_CREDIT)}
        if operation is Operation.DELETE:
            ids = ",".join(item.remote_id for item in items)
            answer = remote.call("DELETE", module, params={"ids": ids}, spend=credits, writes=True, accept=(400,))
        elif operation is Operation.CREATE:
            id_field = terms.id_field(remote)
            if not self._described(remote, kind).get(id_field, {}).get("unique"):
                raise PluginError(
                    f"Zoho has no field {id_field} without duplicates: make it, so that nothing is sent twice.",
                    permanent=True,
                    code="ID_FIELD_MISSING",
                )
            # A plain create sent twice makes two records.
            body = {
                "data": [{**terms.written(item.values), id_field: item.key} for item in items],
                "duplicate_check_fields": [id_field],
            }
            answer = remote.call("POST", f"{module}/upsert", json=body, spend=credits, writes=True, accept=(400,))
        else:
            body = {"data": [{**terms.written(item.values), "id": item.remote_id} for item in items]}
            answer = remote.call("PUT", module, json=body, spend=credits, writes=True, accept=(400,))
        # Rows are answered with 200, 201, 202, 207 or 400, as it falls; a refusal of all has no rows.
        rows = read_body(answer).get("data")
        if not isinstance(rows, list) or len(rows) != len(items):
            raise self.failure(answer)
        results = [self._outcome(item, operation, row) for item, row in zip(items, rows, strict=True)]
        return results if operation is Operation.DELETE else self._completed(remote, kind, results, names)

    def _outcome(self, item: PushItem, operation: Operation, row: Mapping[str, Any]) -> PushResult:
        details = row.get("details") or {}
        code = str(row.get("code", "REJECTED"))
        if row.get("status") == "success":
            return PushResult(item.key, Outcome.DONE, remote_id=str(details.get("id") or item.remote_id))
        field = str(details.get("api_name") or "")
        if (
            item.remote_id
            and code in ("INVALID_DATA", "RECORD_NOT_FOUND")
            and field in ("id", "")
            and (field == "id" or operation is Operation.DELETE)
        ):
            return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id, code=code)
        if code == "DUPLICATE_DATA":
            existing = str(details.get("id") or (details.get("duplicate_record") or {}).get("id") or "")
            return PushResult(item.key, Outcome.DUPLICATE, remote_id=existing, code=code, field=field)
        if code in ("RECORD_LOCKED", "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR"):
            return PushResult(item.key, Outcome.RETRY, code=code)
        return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(row.get("message")), field=field)

    def _completed(
        self, remote: Remote, kind: Kind, results: list[PushResult], names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Add what Zoho stored. The writes are done: a failure here is none."""
        ids = [result.remote_id for result in results if result.outcome is Outcome.DONE]
        if not ids:
            return results
        try:
            records = {record.id: record for record in self.fetch(remote, kind, ids=ids, names=names).records}
        except PluginError:
            return results
        return [
            PushResult(r.key, r.outcome, remote_id=r.remote_id, record=records.get(r.remote_id))
            if r.outcome is Outcome.DONE
            else r
            for r in results
        ]

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        check_names(names)
        ids: dict[str, str] = {}
        lookups = [(terms.id_field(remote), {item.key.lower(): item.key for item in items})]
        if kind is Kind.CONTACTS:
            mails = {str(item.values["Email"]).lower(): item.key for item in items if item.values.get("Email")}
            lookups.append(("Email", mails))
        for name, keys in lookups:
            for part in parts([value for value, key in keys.items() if key not in ids], 50):
                values = ", ".join(terms.quoted(value) for value in part)
                body = self._query(
                    remote, kind, ["id", name], f"where {name} in ({values}) order by id asc limit {PAGE}"
                )
                for row in body.get("data") or ():
                    key = keys.get(str(row.get(name)).lower())
                    if key:
                        ids.setdefault(key, str(row["id"]))
        records: dict[str, RemoteRecord] = {}
        for part in parts(list(dict.fromkeys(ids.values())), ROWS):
            records |= {record.id: record for record in self.fetch(remote, kind, ids=part, names=names).records}
        return {key: records[id] for key, id in ids.items() if id in records}
