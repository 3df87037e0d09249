"""Two records become one in the CRM: so do the two contacts, with all that hangs on them."""

from contacts.models import Contact, ContactListMembership
from crm_sync.models import CrmLink, CrmOptOut
from dnc.services.verdict import refusals
from tests.factories import phone_number, run_jobs
from vocelio.organizations.scope import organization_scope


def two_linked(bench, **more):
    """Return the remote ids of a winner and a loser, both known here."""
    winner = bench.server.add(mail="k@example.test", first="Kay")
    loser = bench.server.add(mail="l@example.test", first="Lee", **more)
    bench.sync()
    return winner, loser


def by_email(bench):
    return {each.email: each for each in bench.contacts()}


def test_what_hangs_on_the_loser_moves_to_the_winner(bench):
    phone = phone_number()
    winner, loser = two_linked(bench, tel=phone)
    lee = by_email(bench)["l@example.test"]
    answer = bench.person.post("/v1/contact-lists", {"name": "Callees"})
    with organization_scope(bench.person.organization.id):
        ContactListMembership.objects.create(list_id=answer.data["id"], contact=lee)
    bench.server.merge(loser, winner)
    run = bench.sync()
    (kay,) = bench.contacts()
    assert (kay.email, kay.phone) == ("k@example.test", phone)
    with organization_scope(bench.person.organization.id):
        assert list(ContactListMembership.objects.values_list("contact_id", flat=True)) == [kay.pk]
    (item,) = bench.items(run, action="merge")
    assert (item["side"], item["outcome"], item["remoteId"]) == ("local", "done", loser)
    with organization_scope(bench.person.organization.id):
        states = dict(CrmLink.objects.values_list("remote_id", "state"))
        assert Contact.objects.get(pk=lee.pk).merged_into_id == kay.pk
    assert states == {winner: "linked", loser: "tombstoned"}
    for _ in range(3):
        bench.sync()
    assert len(bench.server.writes) <= 1


def test_merges_of_merges_end_in_the_last_winner(bench):
    winner, loser = two_linked(bench)
    third = bench.server.add(mail="m@example.test")
    bench.sync()
    bench.server.merge(loser, winner)
    bench.server.merge(winner, third)
    bench.sync()
    (left,) = bench.contacts()
    assert left.email == "m@example.test"
    with organization_scope(bench.person.organization.id):
        assert Contact.objects.filter(merged_into_id=left.pk).count() == 2


def test_who_said_no_on_the_loser_is_not_called_as_the_winner(bench):
    phone = phone_number()
    winner, loser = two_linked(bench, tel=phone, no_calls=True)
    bench.server.merge(loser, winner)
    for _ in range(2):
        bench.sync()
    (kay,) = bench.contacts()
    assert kay.phone == phone
    with organization_scope(bench.person.organization.id):
        assert CrmOptOut.objects.filter(channel="call", address=phone).exists()
        assert refusals([phone], mode="manual")
    assert bench.server.records[winner].values["no_calls"] is True


def test_a_rollback_makes_two_of_them_again(bench):
    winner, loser = two_linked(bench)
    bench.server.merge(loser, winner)
    run = bench.sync()
    assert bench.person.post(f"/v1/crm-sync-runs/{run['id']}/rollback").status == 202
    run_jobs(bench.person.organization)
    assert set(by_email(bench)) == {"k@example.test", "l@example.test"}
    bench.sync()
    assert set(by_email(bench)) == {"k@example.test", "l@example.test"}


def test_a_dry_run_says_that_two_would_become_one(bench):
    winner, loser = two_linked(bench)
    bench.server.merge(loser, winner)
    run = bench.sync(dryRun=True)
    assert run["syncDetails"]["plan"]["contacts"]["local"]["merge"] == 1
    assert len(bench.contacts()) == 2
