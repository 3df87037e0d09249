"""Write Salesforce: sObject Collections, upserts by an external id field."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from crm_sync.providers.failures import BatchRejected
from crm_sync.providers.remote import Remote
from crm_sync.providers.salesforce import terms
from crm_sync.providers.salesforce.reading import Reading
from crm_sync.providers.salesforce.terms import (
    DATA,
    DUPLICATE,
    GONE,
    PAGE,
    PASSING,
)
from crm_sync.providers.texts import (
    check_names,
    clip,
    parts,
    read_body,
    read_error,
)
from crm_sync.providers.values import (
    Kind,
    Merged,
    Operation,
    Outcome,
    PushItem,
    PushResult,
    RemoteRecord,
)
from vocelio.plugins import PluginError


class Writing(Reading):
    """What Salesforce is told."""

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        type = {"type": self.types[kind].remote_name}
        id_field = terms.id_field(remote)
        if operation is Operation.DELETE:
            ids = ",".join(item.remote_id for item in items)
            answer = remote.call(
                "DELETE", f"{DATA}/composite/sobjects", params={"ids": ids, "allOrNone": "false"}, writes=True
            )
        elif operation is Operation.CREATE:
            described = self._described(remote, kind).get(id_field, {})
            if not described.get("externalId"):
                raise PluginError(
                    f"Salesforce has no external id field {id_field}: make it, so that nothing is sent twice.",
                    permanent=True,
                    code="ID_FIELD_MISSING",
                )
            records = [{"attributes": type, **terms.written(item.values), id_field: item.key} for item in items]
            answer = self._write(remote, f"{DATA}/composite/sobjects/{type['type']}/{id_field}", records)
        else:
            records = [{"attributes": type, "id": item.remote_id, **terms.written(item.values)} for item in items]
            answer = self._write(remote, f"{DATA}/composite/sobjects", records)
        rows = read_body(answer)
        if not isinstance(rows, list) or len(rows) != len(items):
            raise PluginError("Salesforce's answer cannot be read.", permanent=False, code="BAD_ANSWER")
        results = [self._outcome(item, operation, row) for item, row in zip(items, rows, strict=True)]
        return self._completed(remote, kind, operation, results, names)

    def _write(self, remote: Remote, path: str, records: Sequence[Mapping[str, Any]]) -> httpx.Response:
        """Send up to 200 records; one value of a wrong shape refuses them all."""
        body = {"allOrNone": False, "records": records}
        answer = remote.call("PATCH", path, json=body, writes=True, accept=(400,))
        if answer.status_code == 400:
            code = str(read_error(answer).get("errorCode", ""))
            if code in ("JSON_PARSER_ERROR", "INVALID_TYPE_ON_FIELD_IN_RECORD", "DUPLICATE_VALUE"):
                raise BatchRejected("Salesforce refused the batch for the sake of a row of it.", code=code)
            raise self.failure(answer)
        return answer

    def _outcome(self, item: PushItem, operation: Operation, row: Mapping[str, Any]) -> PushResult:
        if row.get("success"):
            return PushResult(item.key, Outcome.DONE, remote_id=str(row.get("id") or item.remote_id))
        error = (row.get("errors") or [{}])[0]
        code, message = str(error.get("statusCode", "REJECTED")), str(error.get("message", ""))
        field = str((error.get("fields") or [""])[0])
        if code in GONE and item.remote_id and (operation is Operation.DELETE or field in ("", "id", "Id")):
            return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id, code=code)
        if code in PASSING:
            return PushResult(item.key, Outcome.RETRY, code=code)
        if code in DUPLICATE:
            existing = re.search(r"record with id: (\w{15,18})", message)
            found = existing[1] if existing else ""
            return PushResult(item.key, Outcome.DUPLICATE, remote_id=found, code=code, message=clip(message))
        return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(message), field=field)

    def _completed(
        self, remote: Remote, kind: Kind, operation: Operation, results: list[PushResult], names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Add what Salesforce stored, and where lost records live on. The writes are done: a failure here is none."""
        ids = [
            result.remote_id
            for result in results
            if result.remote_id
            and (
                result.outcome is Outcome.GONE or (result.outcome is Outcome.DONE and operation is not Operation.DELETE)
            )
        ]
        if not ids:
            return results
        try:
            found = self.fetch(remote, kind, ids=ids, names=names)
        except PluginError:
            return results
        records = {record.id: record for record in found.records}
        into = {gone.id: gone.into for gone in found.gone if isinstance(gone, Merged)}
        completed = []
        for result in results:
            if result.outcome is Outcome.GONE and result.remote_id in into:
                result = PushResult(result.key, Outcome.MERGED, remote_id=into[result.remote_id], code=result.code)
            elif result.outcome is Outcome.DONE:
                result = PushResult(
                    result.key, Outcome.DONE, remote_id=result.remote_id, record=records.get(result.remote_id)
                )
            completed.append(result)
        return completed

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        check_names(names)
        found: dict[str, RemoteRecord] = {}
        lookups = [(terms.id_field(remote), {item.key.lower(): item.key for item in items})]
        if kind is Kind.CONTACTS:
            mails = {str(item.values["Email"]).lower(): item.key for item in items if item.values.get("Email")}
            lookups.append(("Email", mails))
        for name, keys in lookups:
            for part in parts([value for value, key in keys.items() if key not in found], 100):
                body = self._query(
                    remote,
                    f"{terms.select(['Id', 'SystemModstamp', 'CreatedDate', name, *names])} "
                    f"FROM {self.types[kind].remote_name} "
                    f"WHERE {name} IN ({', '.join(map(terms.quoted, part))}) ORDER BY CreatedDate, Id LIMIT {PAGE}",
                )
                for row in body["records"]:
                    key = keys.get(str(row[name]).lower())
                    if key:
                        found.setdefault(key, self._record(remote, kind, row, names))
        return found
