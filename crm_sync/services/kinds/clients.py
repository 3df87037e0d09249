"""Companies of a CRM are our clients: known by name and domain, which together are unique."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contacts.incoming.domains import domain_of
from contacts.models import Client
from contacts.services import batches
from contacts.services.client_announcements import announce_clients
from contacts.services.client_merges import merge_clients, unmerge_client
from crm_sync.providers.values import Kind, Value
from crm_sync.services.fields import Fields
from crm_sync.services.kinds.kind import Ours, RecordKind
from vocelio.errors import Conflict, Invalid

if TYPE_CHECKING:
    from crm_sync.services.comparison import Comparison, Row

TAKEN = "Another client has this name and domain."
# What a client is known by, or what its domain follows from.
IDENTITY = ("name", "domain", "website")


class ClientKind(RecordKind):
    kind = Kind.COMPANIES
    noun = "client"
    model = Client
    mappings = "company_mappings"
    setting = "companies"
    fields = Fields(
        texts={
            "name": ("name", 255),
            "legalName": ("legal_name", 255),
            "domain": ("domain", 253),
            "website": ("website", 500),
            "linkedinUrl": ("linkedin_url", 500),
            "industry": ("industry", 100),
            "taxId": ("tax_id", 50),
            "email": ("email", 320),
            "address": ("address", 1_000),
            "city": ("city", 100),
            "state": ("state", 50),
            "zip": ("zip", 20),
            "country": ("country", 2),
            "notes": ("notes", 20_000),
        },
        others=("phone", "tags"),
        needed=("name",),
        identity=IDENTITY,
        no_phone="",
    )
    need = "Map name: a client needs one."
    writer = batches.CLIENTS

    def locked(self, record_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Ours]:
        return batches.locked_clients(record_ids)

    def whole_row(self, record_id: uuid.UUID, ours: Ours | None, changes: Mapping[str, Value]) -> dict[str, Any]:
        """The domain is that of the website, unless it is one of its own."""
        row = super().whole_row(record_id, ours, changes)
        if "website" in changes and "domain" not in changes:
            before = domain_of(ours.website) if isinstance(ours, Client) else ""
            if row["domain"] in ("", before):
                row["domain"] = domain_of(row["website"])
        return row

    def choices(self, rows: Sequence["Row"]) -> list[list[uuid.UUID]]:
        """Take the client of this name and domain, else the only one of the domain, else the only one of the name
        whose domain says nothing against it."""
        new = [row for row in rows if row.is_first]
        found: dict[int, list[uuid.UUID]] = {}
        companies = [(row.text("name"), _domain(row)) for row in new]
        for row, (_, domain), alike in zip(new, companies, batches.clients_like(companies), strict=True):
            both = [each.client_id for each in alike if each.same_name and each.domain == domain]
            by_domain = [each.client_id for each in alike if domain and each.domain == domain]
            by_name = [each.client_id for each in alike if each.same_name and not (domain and each.domain)]
            found[id(row)] = [*both, *(ids[0] for ids in (by_domain, by_name) if len(ids) == 1)]
        return [found.get(id(row), []) for row in rows]

    def check_paired(self, rows: Sequence["Row"]) -> None:
        """Nothing of a company belongs to one alone but its name and domain together, which `settle` sees to."""

    def tell(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        """Companies say yes or no to nothing."""

    def settle(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        for row in rows:
            if row.ours is None and not row.after("name"):
                row.problem = ("NO_NAME", "name", "; ".join(row.notes) or "The company has no name.")
            elif not row.after("name") and "name" in row.local:
                row.withhold("name", "A client needs a name.")
        renamed = [row for row in rows if row.problem is None and row.merge.to_local.keys() & set(self.fields.identity)]
        rivals = self._rivals(renamed)
        for row in renamed:
            if not rivals[id(row)]:
                continue
            if row.ours is None:
                row.problem = ("NAME_TAKEN", "name", TAKEN)
            else:
                for name in self.fields.identity:
                    row.withhold(name, TAKEN)

    def _rivals(self, rows: Sequence["Row"]) -> dict[int, bool]:
        """Say of each row whether another client, or an earlier row of the page, has its name and domain."""
        wanted = []
        for row in rows:
            after = self.whole_row(uuid.UUID(int=0), row.ours, row.merge.to_local)
            wanted.append((after["name"], after["domain"]))
        seen: Counter[tuple[str, str]] = Counter()
        found: dict[int, bool] = {}
        for row, pair, alike in zip(rows, wanted, batches.clients_like(wanted), strict=True):
            own = row.ours.pk if row.ours else None
            others = [each for each in alike if each.same_name and each.domain == pair[1] and each.client_id != own]
            key = (pair[0].casefold(), pair[1])
            found[id(row)] = bool(others) or bool(seen[key])
            seen[key] += 1
        return found

    def free_to_restore(self, records: Sequence[Ours]) -> list[uuid.UUID]:
        clients = [each for each in records if isinstance(each, Client)]
        alike = batches.clients_like([(each.name, each.domain) for each in clients])
        return [
            each.pk
            for each, others in zip(clients, alike, strict=True)
            if not any(other.same_name and other.domain == each.domain for other in others)
        ]

    def announce(self, action: str, record_ids: Iterable[uuid.UUID], *, owners_of_ids: Iterable[uuid.UUID]) -> None:
        owners = Client.objects.filter(pk__in=list(owners_of_ids)).values_list("assigned_to_id", flat=True)
        announce_clients(action, record_ids, {None, *owners})

    def merge(self, survivor: Ours, absorbed: Ours) -> None:
        assert isinstance(survivor, Client)  # noqa: S101 - of this kind
        assert isinstance(absorbed, Client)  # noqa: S101 - of this kind
        merge_clients(survivor=survivor, others=[absorbed], principal=None)

    def unmerge(self, absorbed: Ours) -> None:
        assert isinstance(absorbed, Client)  # noqa: S101 - of this kind
        unmerge_client(client=absorbed, principal=None)

    def check_value(self, record_id: uuid.UUID, name: str, row: Mapping[str, Any]) -> None:
        if not row["name"]:
            raise Invalid.field("value", "A client needs a name.", constraint="required")
        if name in self.fields.identity:
            (alike,) = batches.clients_like([(row["name"], row["domain"])])
            if any(each.same_name and each.domain == row["domain"] and each.client_id != record_id for each in alike):
                raise Conflict(TAKEN, field="value", constraint="unique")


def _domain(row: "Row") -> str:
    return row.text("domain") or domain_of(row.text("website"))
