"""Read HubSpot: search finds changes and lags behind writes, archived and merged records are told elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from crm_sync.providers.failures import (
    HistoryGone,
)
from crm_sync.providers.hubspot import terms
from crm_sync.providers.hubspot.terms import ARCHIVE, CHANGED, MERGED_IDS, OPT_OUT, PAGE, SEARCH_PAGE, TYPES
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
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
    Merged,
    Page,
    RemoteField,
    RemoteRecord,
    Value,
)


class Reading(Provider):
    """What HubSpot tells."""

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        return [
            RemoteField(
                name=name,
                label=found.get("label") or name,
                type=self._type(found),
                is_writable=(kind, name) == (Kind.CONTACTS, OPT_OUT)
                or not (
                    found.get("modificationMetadata", {}).get("readOnlyValue", False) or found.get("calculated", False)
                ),
                is_unique=found.get("hasUniqueValue", False) or (kind, name) == (Kind.CONTACTS, "email"),
                is_custom=not found.get("hubspotDefined", False),
                max_length=65_536 if found.get("type") == "string" else None,
                choices=tuple(
                    Choice(str(option["value"]), str(option["label"])) for option in found.get("options") or ()
                ),
            )
            for name, found in self._properties(remote, kind).items()
            if not found.get("hidden") and not found.get("archived")
        ]

    def _properties(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"properties/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"/crm/properties/{terms.version(remote)}/{self.types[kind].remote_name}")
            remote.memory[key] = {found["name"]: found for found in read_body(answer)["results"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    @staticmethod
    def _type(found: Mapping[str, Any]) -> FieldType:
        if found.get("fieldType") == "checkbox" and found.get("type") == "enumeration":
            return FieldType.CHOICES
        if found.get("name") == "email":
            return FieldType.EMAIL
        if found.get("fieldType") == "phonenumber":
            return FieldType.PHONE
        return TYPES.get(str(found.get("type")), FieldType.TEXT)

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        place = read_position(position)
        if since is None:
            return self._all(remote, kind, place, names)
        return self._changed(remote, kind, place or {"from": terms.milliseconds(since)}, names)

    def _all(self, remote: Remote, kind: Kind, place: Mapping[str, Any], names: Sequence[str]) -> Page:
        """Read the list, which comes in order of ids: it vouches for changes up to its beginning only."""
        body, response = self._list(remote, kind, after=place.get("after", ""), properties=[*names, MERGED_IDS])
        started = read_time(place.get("started")) or server_time(response)
        after = body.get("paging", {}).get("next", {}).get("after", "")
        records = [self._record(remote, kind, row, names) for row in body["results"]]
        return Page(
            records=tuple(records),
            gone=tuple(terms.merges(body["results"])),
            position=write_position(after=after, started=started.isoformat()) if after else "",
            newest=started,
        )

    def _changed(self, remote: Remote, kind: Kind, place: dict[str, Any], names: Sequence[str]) -> Page:
        """Search from a time on, never deeper than one page.

        Offsets skip records that change places meanwhile, and end at 10,000. So every page begins with the last time
        of the one before; when all of a page has one time, that time's records are read by id. Ids are compared in
        HubSpot's own order, whatever it is. `from` is a time in milliseconds, `same` with `id` the walk through one.
        """
        changed = CHANGED[kind]
        if "same" in place:
            filters = [{"propertyName": changed, "operator": "EQ", "value": str(place["same"])}]
            if place["id"]:
                filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": place["id"]})
            order = "hs_object_id"
        else:
            operator = "GT" if place.get("past") else "GTE"
            filters = [{"propertyName": changed, "operator": operator, "value": str(place["from"])}]
            order = changed
        query: dict[str, Any] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": [*names, changed, MERGED_IDS],
            "limit": SEARCH_PAGE,
        }
        if place.get("after"):
            query["after"] = place["after"]
        body = self._search(remote, kind, query)
        rows = body["results"]
        after = body.get("paging", {}).get("next", {}).get("after", "")
        times = [moment for row in rows if (moment := read_time(row["properties"].get(changed)))]
        newest = max(times, default=None)
        following: dict[str, Any] = {}
        if not rows and after:
            # A page may be empty and not the last.
            following = {**place, "after": after}
        elif "same" in place:
            if after:
                following = {"same": place["same"], "id": rows[-1]["id"]}
            else:
                following = {"from": place["same"], "past": True}
        elif after and newest:
            last = terms.milliseconds(newest)
            following = {"from": last} if last > place["from"] else {"same": last, "id": ""}
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows),
            gone=tuple(terms.merges(rows)),
            position=write_position(**following) if following else "",
            newest=newest,
        )

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        place = read_position(position)
        body, response = self._list(
            remote, kind, after=place.get("after", ""), properties=["hs_object_id"], archived=True
        )
        started = read_time(place.get("started")) or server_time(response)
        if since < started - ARCHIVE:
            raise HistoryGone
        after = body.get("paging", {}).get("next", {}).get("after", "")
        found = [(str(row["id"]), read_time(row.get("archivedAt"))) for row in body["results"]]
        return GonePage(
            gone=tuple(Deleted(id, at) for id, at in found if at is None or at >= since),
            position=write_position(after=after, started=started.isoformat()) if after else "",
            newest=started,
        )

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        answer = remote.call(
            "POST",
            f"{self._path(remote, kind)}/batch/read",
            json={
                "inputs": [{"id": id} for id in ids],
                "properties": [*names, CHANGED[kind], MERGED_IDS],
                "propertiesWithHistory": [],
            },
        )
        rows = {str(row["id"]): row for row in read_body(answer)["results"]}
        into = {merged.id: merged for merged in terms.merges(rows.values())}
        gone: list[Deleted | Merged] = []
        for id in ids:
            if id not in rows:
                gone.append(into[id] if id in into else self._whereabouts(remote, kind, id))
        return Fetched(
            records=tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows), gone=tuple(gone)
        )

    def _whereabouts(self, remote: Remote, kind: Kind, id: str) -> Deleted | Merged:
        """Ask for one id: a merged one is answered with the record it lives on in."""
        answer = remote.call("GET", f"{self._path(remote, kind)}/{id}", accept=(404,))
        found = str(read_body(answer).get("id", "")) if answer.status_code != 404 else ""
        return Merged(id, found) if found and found != id else Deleted(id)

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        after = read_position(position).get("after", "")
        body, _ = self._list(remote, kind, after=after, properties=["hs_object_id"])
        after = body.get("paging", {}).get("next", {}).get("after", "")
        return IdPage(
            ids=tuple(str(row["id"]) for row in body["results"]), position=write_position(after=after) if after else ""
        )

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        groups = []
        if since is not None:
            value = str(terms.milliseconds(since))
            groups = [{"filters": [{"propertyName": CHANGED[kind], "operator": "GTE", "value": value}]}]
        total = self._search(remote, kind, {"filterGroups": groups, "properties": [], "limit": 1})["total"]
        return int(total)

    def _path(self, remote: Remote, kind: Kind) -> str:
        return f"/crm/objects/{terms.version(remote)}/{self.types[kind].remote_name}"

    def _list(
        self, remote: Remote, kind: Kind, *, after: str, properties: Sequence[str], archived: bool = False
    ) -> tuple[dict[str, Any], httpx.Response]:
        params = {"limit": str(PAGE), "properties": ",".join(properties), "archived": str(archived).lower()}
        answer = remote.call("GET", self._path(remote, kind), params={**params, "after": after} if after else params)
        return read_body(answer), answer

    def _search(self, remote: Remote, kind: Kind, query: Mapping[str, Any]) -> dict[str, Any]:
        answer = remote.call("POST", f"{self._path(remote, kind)}/search", json=query, spend={"search": 1})
        body: dict[str, Any] = read_body(answer)
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        given = row.get("properties") or {}
        properties = self._properties(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: self._read(properties.get(name, {}), given.get(name)) for name in names},
            changed_at=read_time(given.get(CHANGED[kind])) or read_time(row.get("updatedAt")),
            created_at=read_time(row.get("createdAt")),
            version=str(row.get("updatedAt", "")),
        )

    def _read(self, found: Mapping[str, Any], value: Any) -> Value:
        """Turn a property, always text with HubSpot, into what its type means."""
        if value is None or value == "":
            return None
        match self._type(found):
            case FieldType.BOOLEAN:
                return str(value).lower() == "true"
            case FieldType.CHOICES:
                return tuple(part for part in str(value).split(";") if part)
            case FieldType.NUMBER:
                try:
                    number = float(value)
                except ValueError:
                    return str(value)
                return int(number) if number.is_integer() else number
            case FieldType.TIME:
                moment = read_time(str(value))
                return moment.isoformat() if moment else str(value)
        return str(value)
