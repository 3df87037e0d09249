"""Read Zoho: by COQL and ids, deletions from a list of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sync.providers.failures import PositionLost
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    check_names,
    parts,
    read_body,
    read_position,
    read_time,
    server_time,
    write_position,
)
from crm_sync.providers.values import (
    Choice,
    Deleted,
    Fetched,
    FieldType,
    GonePage,
    IdPage,
    Kind,
    Page,
    RemoteField,
    RemoteRecord,
)
from crm_sync.providers.zoho import terms
from crm_sync.providers.zoho.terms import ACCOUNT_NAME, CRM, FIELDS, PAGE, QUERY_CREDITS, ROWS, TYPES, UNREAD
from vocelio.plugins import PluginError


class Reading(Provider):
    """What Zoho tells."""

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = [
            RemoteField(
                name=name,
                label=str(field.get("field_label") or name),
                type=TYPES.get(str(field.get("data_type")), FieldType.TEXT),
                is_writable=not field.get("read_only", False) and not field.get("field_read_only", False),
                is_required=bool(field.get("system_mandatory")),
                is_unique=bool(field.get("unique")),
                is_custom=bool(field.get("custom_field")),
                max_length=field.get("length"),
                choices=tuple(
                    Choice(str(o["actual_value"]), str(o["display_value"])) for o in field.get("pick_list_values") or ()
                ),
            )
            for name, field in self._described(remote, kind).items()
            if field.get("data_type") not in UNREAD
        ]
        through = [RemoteField(ACCOUNT_NAME, "Account name", is_writable=False)] if kind is Kind.CONTACTS else []
        return [*found, *through]

    def _described(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"fields/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"{CRM}/settings/fields", params={"module": self.types[kind].remote_name})
            remote.memory[key] = {field["api_name"]: field for field in read_body(answer)["fields"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Query from the pair of change time and id on: no page number to run out of, no token to expire."""
        check_names(names)
        place = read_position(position)
        if place:
            time, id = place["time"], place["id"]
            condition = f"((Modified_Time = '{time}' and id > '{id}') or Modified_Time > '{time}')"
        elif since is not None:
            condition = f"Modified_Time >= '{terms.written_time(since)}'"
        else:
            condition = "Modified_Time is not null"
        own = ["id", "Modified_Time", "Created_Time"]
        first, rest = names[: FIELDS - len(own)], names[FIELDS - len(own) :]
        body = self._query(
            remote,
            kind,
            [*own, *first],
            f"where {condition} order by Modified_Time asc, id asc limit {PAGE}",
            credits=QUERY_CREDITS,
        )
        rows: list[dict[str, Any]] = body.get("data") or []
        if rest:
            ids = [str(row["id"]) for row in rows]
            more = {row["id"]: row for part in parts(ids, ROWS) for row in self._read_ids(remote, kind, part, rest)}
            # A record deleted between the two calls has no page any more.
            rows = [
                {**row, **more[row["id"]], "Modified_Time": row["Modified_Time"]} for row in rows if row["id"] in more
            ]
        newest = read_time(rows[-1]["Modified_Time"]) if rows else None
        following = ""
        if body.get("data") and body.get("info", {}).get("more_records"):
            last = body["data"][-1]
            moment = read_time(last["Modified_Time"])
            if moment is None:
                raise PluginError("Zoho's answer cannot be read.", permanent=False, code="BAD_ANSWER")
            following = write_position(time=terms.written_time(moment), id=str(last["id"]))
        return Page(tuple(self._record(remote, kind, row, names) for row in rows), (), following, newest)

    def _read_ids(self, remote: Remote, kind: Kind, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Read up to 100 records by id, in as many calls as their fields need."""
        rows: dict[str, dict[str, Any]] = {}
        own = ["Modified_Time", "Created_Time"]
        asked = [name.partition(".")[0] for name in names]
        for part in list(parts(list(dict.fromkeys(asked)), FIELDS - len(own))) or [[]]:
            answer = remote.call(
                "GET",
                f"{CRM}/{self.types[kind].remote_name}",
                params={"ids": ",".join(ids), "fields": ",".join([*own, *part])},
            )
            for row in read_body(answer).get("data") or ():
                rows.setdefault(str(row["id"]), {}).update(row)
        return list(rows.values())

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        """List what is in the recycle bin or deleted for good; what was merged away is deleted, winners are not told."""
        place = read_position(position)
        params = {"type": "all", "per_page": "200"}
        if place.get("token"):
            params["page_token"] = place["token"]
        else:
            params["page"] = str(place.get("page", 1))
        answer = remote.call(
            "GET",
            f"{CRM}/{self.types[kind].remote_name}/deleted",
            params=params,
            headers={"If-Modified-Since": terms.written_time(since)},
            accept=(304, 400),
        )
        if answer.status_code == 400:
            if place.get("token"):
                # Tokens live for a day.
                raise PositionLost
            raise self.failure(answer)
        body = read_body(answer)
        started = place.get("started") or server_time(answer).isoformat()
        info = body.get("info") or {}
        following = ""
        if info.get("more_records"):
            page = int(place.get("page", 1)) + 1
            token = info.get("next_page_token") or ""
            following = write_position(page=page, token=token, started=started)
        found = tuple(Deleted(str(row["id"]), read_time(row.get("deleted_time"))) for row in body.get("data") or ())
        return GonePage(found, following, read_time(started))

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        check_names(names)
        rows = {str(row["id"]): row for row in self._read_ids(remote, kind, ids, names)}
        return Fetched(
            tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows),
            tuple(Deleted(id) for id in ids if id not in rows),
        )

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        last = read_position(position).get("id", "")
        condition = f"id > '{last}'" if last else "id is not null"
        body = self._query(
            remote, kind, ["id"], f"where {condition} order by id asc limit {PAGE}", credits=QUERY_CREDITS
        )
        found = tuple(str(row["id"]) for row in body.get("data") or ())
        more = found and body.get("info", {}).get("more_records")
        return IdPage(found, write_position(id=found[-1]) if more else "")

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        condition = f"Modified_Time >= '{terms.written_time(since)}'" if since else "id is not null"
        rows = self._query(remote, kind, ["COUNT(id)"], f"where {condition}").get("data") or []
        return int(rows[0]["COUNT(id)"]) if rows else 0

    def _query(
        self, remote: Remote, kind: Kind, names: Sequence[str], rest: str, *, credits: int = 1
    ) -> dict[str, Any]:
        query = f"select {', '.join(names)} from {self.types[kind].remote_name} {rest}"
        answer = remote.call("POST", f"{CRM}/coql", json={"select_query": query}, spend={"credits": credits})
        body: dict[str, Any] = read_body(answer)
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        described = self._described(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: terms.read(row, name, described.get(name, {})) for name in names},
            changed_at=read_time(row.get("Modified_Time")),
            created_at=read_time(row.get("Created_Time")),
            version=str(row.get("Modified_Time", "")),
        )
