"""Read Salesforce: by SOQL over the pair of change time and id."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sync.providers.failures import HistoryGone
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.salesforce import terms
from crm_sync.providers.salesforce.terms import DATA, IDS, PAGE, THROUGH, TYPES, UNREAD
from crm_sync.providers.texts import (
    check_names,
    parts,
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
    GonePage,
    IdPage,
    Kind,
    Merged,
    Page,
    RemoteField,
    RemoteRecord,
)


class Reading(Provider):
    """What Salesforce tells."""

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = [
            RemoteField(
                name=name,
                label=described["label"],
                type=TYPES.get(described["type"], FieldType.TEXT),
                is_writable=described["updateable"],
                is_required=described["createable"]
                and not described["nillable"]
                and not described.get("defaultedOnCreate", False),
                is_unique=described.get("unique", False),
                is_custom=described.get("custom", False),
                max_length=described.get("length") or None,
                choices=tuple(
                    Choice(option["value"], option.get("label") or option["value"])
                    for option in described.get("picklistValues") or ()
                    if option.get("active", True)
                ),
            )
            for name, described in self._described(remote, kind).items()
            if described["type"] not in UNREAD
        ]
        through = [RemoteField(name, label, is_writable=False) for name, label in THROUGH.get(kind, ())]
        return [*found, *through]

    def _described(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"describe/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"{DATA}/sobjects/{self.types[kind].remote_name}/describe")
            remote.memory[key] = {field["name"]: field for field in read_body(answer)["fields"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Read by the pair of change time and id: any number of records may share one time."""
        check_names(names)
        place = read_position(position)
        conditions = ""
        if place:
            time, id = place["time"], terms.quoted(place["id"])
            conditions = f"WHERE (SystemModstamp = {time} AND Id > {id}) OR SystemModstamp > {time}"
        elif since is not None:
            conditions = f"WHERE SystemModstamp >= {write_time(since)}"
        body = self._query(
            remote,
            f"{terms.select(['Id', 'SystemModstamp', 'CreatedDate', *names])} FROM {self.types[kind].remote_name} "
            f"{conditions} ORDER BY SystemModstamp, Id LIMIT {PAGE}",
        )
        rows = body["records"]
        newest = read_time(rows[-1]["SystemModstamp"]) if rows else None
        following = ""
        # Wide rows come in smaller pages. Their locator ends with the user's next ten queries; the pair never does.
        if rows and newest and (len(rows) == PAGE or not body["done"]):
            following = write_position(time=write_time(newest), id=rows[-1]["Id"])
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows), position=following, newest=newest
        )

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        """List deletions of up to 15 days; which of them were merges, the records themselves tell."""
        place = read_position(position)
        start = read_time(place.get("time")) or since
        path = f"{DATA}/sobjects/{self.types[kind].remote_name}/deleted/"
        # Seconds are ignored, and the period must be a minute at least. On the vendor's clock, not ours.
        end = read_time(place.get("end"))
        if end is None:
            end = server_time(remote.call("GET", DATA + "/")) + timedelta(minutes=1)
        if end - start < timedelta(minutes=2):
            start = end - timedelta(minutes=2)
        if start < end - timedelta(days=29):
            raise HistoryGone
        answer = remote.call("GET", path, params={"start": write_time(start), "end": write_time(end)}, accept=(400,))
        if answer.status_code == 400:
            if read_error(answer).get("errorCode") in ("INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"):
                raise HistoryGone
            raise self.failure(answer)
        body = read_body(answer)
        earliest = read_time(body.get("earliestDateAvailable"))
        if earliest and earliest > since:
            # The log was emptied past the place where we left off.
            raise HistoryGone
        last = (place.get("time", ""), place.get("id", ""))
        rows = sorted((row["deletedDate"], row["id"]) for row in body["deletedRecords"])
        rows = [row for row in rows if row > last][:PAGE]
        winners: dict[str, str] = {}
        for part in parts([id for _, id in rows], IDS):
            winners |= {
                row["Id"]: row["MasterRecordId"]
                for row in self._rows(remote, kind, part, ["MasterRecordId"])
                if row.get("MasterRecordId")
            }
        found: list[Deleted | Merged] = []
        for date, id in rows:
            at = read_time(date)
            found.append(Merged(id, winners[id], at) if id in winners else Deleted(id, at))
        following = ""
        if len(rows) == PAGE:
            following = write_position(time=rows[-1][0], id=rows[-1][1], end=write_time(end))
        return GonePage(tuple(found), following, read_time(body.get("latestDateCovered")) or end)

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        check_names(names)
        rows = {
            row["Id"]: row
            for row in self._rows(
                remote, kind, ids, ["IsDeleted", "MasterRecordId", "SystemModstamp", "CreatedDate", *names]
            )
        }
        gone: list[Deleted | Merged] = []
        records = []
        for id in ids:
            row = rows.get(id)
            if row is None:
                gone.append(Deleted(id))
            elif row.get("MasterRecordId"):
                gone.append(Merged(id, row["MasterRecordId"], read_time(row["SystemModstamp"])))
            elif row["IsDeleted"]:
                gone.append(Deleted(id, read_time(row["SystemModstamp"])))
            else:
                records.append(self._record(remote, kind, row, names))
        return Fetched(tuple(records), tuple(gone))

    def _rows(self, remote: Remote, kind: Kind, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Read records by id, those in the recycle bin and those merged away included."""
        body = self._query(
            remote,
            f"{terms.select(['Id', *names])} FROM {self.types[kind].remote_name} "
            f"WHERE Id IN ({', '.join(map(terms.quoted, ids))})",
            all_rows=True,
        )
        rows: list[dict[str, Any]] = body["records"]
        while not body["done"]:
            body = read_body(remote.call("GET", body["nextRecordsUrl"]))
            rows += body["records"]
        return rows

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        last = read_position(position).get("id", "")
        condition = f"WHERE Id > {terms.quoted(last)}" if last else ""
        body = self._query(
            remote, f"SELECT Id FROM {self.types[kind].remote_name} {condition} ORDER BY Id LIMIT {PAGE}"
        )
        found = tuple(row["Id"] for row in body["records"])
        more = found and (len(found) == PAGE or not body["done"])
        return IdPage(found, write_position(id=found[-1]) if more else "")

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        condition = f"WHERE SystemModstamp >= {write_time(since)}" if since else ""
        body = self._query(remote, f"SELECT COUNT() FROM {self.types[kind].remote_name} {condition}")
        return int(body["totalSize"])

    def _query(self, remote: Remote, soql: str, *, all_rows: bool = False) -> dict[str, Any]:
        path = f"{DATA}/queryAll" if all_rows else f"{DATA}/query"
        body: dict[str, Any] = read_body(remote.call("GET", path, params={"q": " ".join(soql.split())}))
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        described = self._described(remote, kind)
        return RemoteRecord(
            id=row["Id"],
            values={
                name: terms.read(described.get(name, {}).get("type", ""), terms.inner(row, name)) for name in names
            },
            changed_at=read_time(row["SystemModstamp"]),
            created_at=read_time(row["CreatedDate"]),
            version=row["SystemModstamp"],
        )
