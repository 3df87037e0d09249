"""A worker process killed by SIGKILL at every step: the run is finished without a duplicate or a loss."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from contacts.models import Client
from tests.crm_sync.test_sync_vendors import VendorBench, connect_vendor
from tests.crm_sync.vendor_accounts import VendorAccount
from tests.factories import Person, phone_number
from vocelio.organizations.scope import organization_scope


def survive(bench: VendorBench, **options: Any) -> tuple[Any, list[str]]:
    """Run a sync by workers that die; return its log and where they died."""
    answer = bench.person.post(f"{bench.path}/sync", {"options": options})
    assert answer.status == 202, answer
    trusted = f"127.0.0.1:{bench.account.fake.server_port}"
    command = [sys.executable, "-m", "tests.crm_sync.dying_worker"]
    ended = subprocess.run(  # noqa: S603 - our own program
        [*command, str(bench.person.organization.id), answer.data["syncJobId"]],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "vocelio.settings", "OUTBOUND_TRUSTED": trusted},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-1500:]
    return bench.run(answer.data["syncJobId"]), ended.stdout.splitlines()


def test_a_worker_killed_at_every_step_makes_no_duplicate_and_loses_nothing(
    admin: Person, vendor: Callable[..., VendorAccount]
) -> None:
    # The vendor that makes two records of a create that is sent twice.
    crm = connect_vendor(admin, vendor("pipedrive"))
    crm.person.put(crm.path, {"syncSettings": {"companies": True, "localDeletes": "delete"}})
    fake = crm.account.fake
    fake.add_people(3)
    for number in range(2):
        crm.contact(firstName=f"Ours{number}", lastName="Here", email=f"o{number}@ours.example", phone=phone_number())
    crm.sync()
    # New, changed and deleted records of both sides, in one run.
    mine = {each.first_name: each for each in crm.contacts()}
    gone, changed = (
        next(link.remote_id for link in crm.links() if link.contact_id == mine[name].pk)
        for name in ("Person1", "Person2")
    )
    crm.contact(firstName="New", lastName="Here", email="new@ours.example")
    crm.edit(str(mine["Ours0"].pk), firstName="Edited")
    crm.person.delete(f"/v1/contacts/{mine['Ours1'].pk}")
    crm.person.post("/v1/clients", {"name": "Ours Ltd"})
    fake.advance(1)
    fake.delete(gone)
    fake.edit(changed, {"name": "Renamed There"})
    fake.add_people(1)
    fake.add_people(1, "companies")

    run, moments = survive(crm, fullSync=True, confirmMassChange=True)
    assert run["status"] == "success", run
    for step in ("fields GET", "pull GET", "missing GET", "push POST", "push PATCH", "push DELETE"):
        phase, _, what = step.partition(" ")
        assert {f"{phase} {when} {each}" for when in ("before", "after") for each in (what, "commit")} <= {*moments}
    for phase in ("changed", "trashed", "end"):
        assert {f"{phase} before commit", f"{phase} after commit"} <= {*moments}
    names = sorted(each.first_name for each in crm.contacts())
    assert names == ["Edited", "New", "Person3", "Person6", "Renamed"]
    assert sorted(record.values["name"].split()[0] for record in fake.live()) == names
    with organization_scope(crm.person.organization.id):
        clients = sorted(Client.objects.alive().values_list("name", flat=True))
    assert clients == sorted(record.values["name"] for record in fake.live("companies")) == ["Company 1", "Ours Ltd"]
    # Two before, and now one of each kind, however often a worker died over it.
    assert fake.creates == 4
    writes = sum(fake.writes.values())
    again = crm.sync(fullSync=True)
    assert again["contactsProcessed"] == again["contactsSkipped"]
    assert sum(fake.writes.values()) == writes
