"""Write HubSpot: upserts by a unique property, in batches that tell row by row or are refused whole."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from crm_sync.providers.failures import (
    BatchRejected,
)
from crm_sync.providers.hubspot import terms
from crm_sync.providers.hubspot.reading import Reading
from crm_sync.providers.hubspot.terms import CHANGED
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
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
    """What HubSpot is told."""

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        if operation is Operation.DELETE:
            inputs: list[dict[str, Any]] = [{"id": item.remote_id} for item in items]
            remote.call("POST", f"{self._path(remote, kind)}/batch/archive", json={"inputs": inputs}, writes=True)
            return [PushResult(item.key, Outcome.DONE, remote_id=item.remote_id) for item in items]
        id_property = terms.id_property(remote)
        if operation is Operation.CREATE:
            self._need_id_property(remote, kind, id_property)
            # An upsert by e-mail would not be a partial one, hs_object_id is not taken: a property of our own.
            inputs = [
                {
                    "id": item.key,
                    "idProperty": id_property,
                    "objectWriteTraceId": item.key,
                    "properties": {**terms.written(item.values), id_property: item.key},
                }
                for item in items
            ]
        else:
            inputs = [
                {"id": item.remote_id, "objectWriteTraceId": item.key, "properties": terms.written(item.values)}
                for item in items
            ]
        action = "upsert" if operation is Operation.CREATE else "update"
        answer = remote.call(
            "POST",
            f"{self._path(remote, kind)}/batch/{action}",
            json={"inputs": inputs},
            writes=True,
            accept=(400, 404, 409),
        )
        body = read_error(answer)
        if answer.status_code >= 400:
            return self._refused(answer, body, operation, items)
        return self._outcomes(remote, kind, operation, items, body, names)

    def _need_id_property(self, remote: Remote, kind: Kind, id_property: str) -> None:
        if not self._properties(remote, kind).get(id_property, {}).get("hasUniqueValue"):
            raise PluginError(
                f"HubSpot has no property {id_property} with unique values: make it, so that nothing is sent twice.",
                permanent=True,
                code="ID_FIELD_MISSING",
            )

    def _refused(
        self, answer: httpx.Response, body: Mapping[str, Any], operation: Operation, items: Sequence[PushItem]
    ) -> Sequence[PushResult]:
        """Nothing was written. What the row is, HubSpot does not say while there are several."""
        code = str(body.get("category") or f"HTTP_{answer.status_code}")
        if len(items) > 1:
            raise BatchRejected("HubSpot refused the batch for the sake of a row of it.", code=code)
        if answer.status_code == 404 and operation is Operation.UPDATE:
            return [PushResult(items[0].key, Outcome.GONE, remote_id=items[0].remote_id, code=code)]
        return [terms.failed(items[0], body, code)]

    def _outcomes(
        self,
        remote: Remote,
        kind: Kind,
        operation: Operation,
        items: Sequence[PushItem],
        body: Mapping[str, Any],
        names: Sequence[str],
    ) -> Sequence[PushResult]:
        """Find each item's row: HubSpot answers in an order of its own, and with the winner for a merged id."""
        id_property = terms.id_property(remote)
        rows: dict[str, Mapping[str, Any]] = {}
        for row in body.get("results", ()):
            for name in (
                row.get("objectWriteTraceId"),
                row.get("properties", {}).get(id_property) if operation is Operation.CREATE else str(row["id"]),
            ):
                if name:
                    rows.setdefault(str(name), row)
        errors: dict[str, Mapping[str, Any]] = {}
        for error in body.get("errors", ()):
            context = error.get("context") or {}
            for name in (*context.get("objectWriteTraceId", ()), *context.get("ids", ()), *context.get("id", ())):
                errors.setdefault(str(name), error)
        results = []
        for item in items:
            row = rows.get(item.key) or rows.get(item.remote_id or item.key, {})
            error = errors.get(item.key) or errors.get(item.remote_id or item.key, {})
            found = str(row.get("id", ""))
            if found and operation is Operation.UPDATE and found != item.remote_id:
                results.append(PushResult(item.key, Outcome.MERGED, remote_id=found))
            elif found:
                record = self._record(remote, kind, row, names)
                results.append(PushResult(item.key, Outcome.DONE, remote_id=found, record=record))
            elif error.get("category") == "OBJECT_NOT_FOUND":
                results.append(self._lost(remote, kind, item))
            elif error:
                results.append(terms.failed(item, error, str(error.get("category") or "REJECTED")))
            else:
                # HubSpot said nothing of this row: not written, or written and left out. Upserts may be repeated.
                results.append(PushResult(item.key, Outcome.RETRY, code="NOT_TOLD"))
        return results

    def _lost(self, remote: Remote, kind: Kind, item: PushItem) -> PushResult:
        where = self._whereabouts(remote, kind, item.remote_id)
        if isinstance(where, Merged):
            return PushResult(item.key, Outcome.MERGED, remote_id=where.into)
        return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        """Read by unique properties, which unlike search knows what was written a moment ago."""
        found: dict[str, RemoteRecord] = {}
        lookups = [(terms.id_property(remote), {item.key: item.key for item in items})]
        if kind is Kind.CONTACTS:
            lookups.append(
                ("email", {str(item.values["email"]).lower(): item.key for item in items if item.values.get("email")})
            )
        for name, keys in lookups:
            left = [value for value, key in keys.items() if key not in found]
            by_value = {value.lower(): keys[value] for value in left}
            for part in parts(left, 100):
                answer = remote.call(
                    "POST",
                    f"{self._path(remote, kind)}/batch/read",
                    json={
                        "inputs": [{"id": value} for value in part],
                        "idProperty": name,
                        "properties": [*names, name, CHANGED[kind]],
                        "propertiesWithHistory": [],
                    },
                )
                for row in read_body(answer)["results"]:
                    key = by_value.get(str(row["properties"].get(name, "")).lower())
                    if key:
                        found[key] = self._record(remote, kind, row, names)
        return found
