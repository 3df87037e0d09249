"""Read Pipedrive: lists by the time of change, with opaque cursors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from crm_sync.providers.failures import (
    PositionLost,
)
from crm_sync.providers.pipedrive import terms
from crm_sync.providers.pipedrive.terms import LIST, NAMES, OPT_OUT, PAGE, PRIMARY, TYPES
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    read_body,
    read_error,
    read_position,
    read_time,
    server_time,
    write_position,
    write_time,
)
from crm_sync.providers.values import (
    Choice,
    Deleted,
    Fetched,
    FieldType,
    IdPage,
    Kind,
    Page,
    RemoteField,
    RemoteRecord,
)


class Reading(Provider):
    """What Pipedrive tells."""

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = []
        for code, field in self._fields(remote, kind).items():
            if code in ("emails", "phones", "email", "phone"):
                continue
            is_custom = bool(field.get("is_custom_field"))
            found.append(
                RemoteField(
                    name=code,
                    label=str(field.get("field_name") or code),
                    type=TYPES.get(str(field.get("field_type")), FieldType.TEXT),
                    is_writable=is_custom
                    or code in ("name", "first_name", "last_name", "address", "owner_id", "org_id"),
                    is_required=code == "name" and kind is Kind.COMPANIES,
                    is_custom=is_custom,
                    max_length=255 if field.get("field_type") == "varchar" else None,
                    choices=tuple(Choice(str(o["id"]), str(o["label"])) for o in field.get("options") or ()),
                )
            )
        if kind is Kind.CONTACTS:
            found += [RemoteField(name, name.title(), type) for name, (_, type) in PRIMARY.items()]
            found.append(RemoteField(OPT_OUT, "Unsubscribed from campaigns", FieldType.BOOLEAN))
        return found

    def _fields(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"fields/{kind}"
        if key not in remote.memory:
            rows: dict[str, dict[str, Any]] = {}
            cursor = ""
            while True:
                params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
                answer = remote.call("GET", f"/api/v2/{NAMES[kind]}Fields", params=params, spend={"day": LIST})
                body = read_body(answer)
                rows |= {field["field_code"]: field for field in body["data"]}
                cursor = terms.cursor(body)
                if not cursor:
                    break
            remote.memory[key] = rows
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Follow the vendor's cursor in order of change times; a record that changes meanwhile moves to the end."""
        params = {"limit": str(PAGE), "sort_by": "update_time", "sort_direction": "asc", **terms.beside(names)}
        if since is not None:
            params["updated_since"] = write_time(since)
        body, response = self._list(remote, kind, params, read_position(position).get("cursor", ""))
        rows = body["data"] or []
        cursor = terms.cursor(body)
        times = [moment for row in rows if (moment := terms.changed(row))]
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows),
            position=write_position(cursor=cursor) if cursor else "",
            newest=max(times, default=None) or (None if since or position else server_time(response)),
        )

    def _list(
        self, remote: Remote, kind: Kind, params: dict[str, str], cursor: str
    ) -> tuple[dict[str, Any], httpx.Response]:
        answer = remote.call(
            "GET",
            f"/api/v2/{self.types[kind].remote_name}",
            params={**params, "cursor": cursor} if cursor else params,
            spend={"day": LIST},
            accept=(400,),
        )
        if answer.status_code == 400:
            if cursor and "cursor" in str(read_error(answer).get("error", "")).lower():
                raise PositionLost
            raise self.failure(answer)
        return read_body(answer), answer

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        """Deleted and merged ids look alike here: where a merged one lives on, its webhook alone says."""
        wanted = [id for id in ids if id.isdigit()]
        rows: dict[str, dict[str, Any]] = {}
        if wanted:
            body, _ = self._list(
                remote, kind, {"ids": ",".join(wanted), "limit": str(len(wanted)), **terms.beside(names)}, ""
            )
            rows = {str(row["id"]): row for row in body["data"] or [] if not row.get("is_deleted")}
        return Fetched(
            records=tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows),
            gone=tuple(Deleted(id) for id in ids if id not in rows),
        )

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        params = {"limit": str(PAGE), "sort_by": "id", "sort_direction": "asc"}
        body, _ = self._list(remote, kind, params, read_position(position).get("cursor", ""))
        cursor = terms.cursor(body)
        return IdPage(
            tuple(str(row["id"]) for row in body["data"] or ()), write_position(cursor=cursor) if cursor else ""
        )

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        types = self._fields(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: terms.read(row, name, types.get(name, {})) for name in names},
            changed_at=terms.changed(row),
            created_at=read_time(row.get("add_time")),
            version=str(row.get("update_time") or row.get("add_time") or ""),
        )
