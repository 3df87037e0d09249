"""Contacts with profiles of both kinds, and what one kind tells the other."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import ContactInsight, KeptSummary
from contacts.tasks import renew_insights
from tests.contacts.test_clients import at_once, make_client
from tests.contacts.test_contacts import make_contact
from tests.factories import Person, make_person
from tests.recruitment.test_profiles import make_candidate
from tests.sales.test_profiles import make_profile
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope


def relate(person: Person, contact: Any, client: Any, **fields: Any) -> None:
    body = {"relationships": [{"clientId": client["id"], **fields}]}
    assert person.put(f"/v1/contacts/{contact['id']}/client-relationships", body).status == 200


def codes(person: Person, contact: Any) -> list[str]:
    return sorted(each["code"] for each in person.get(f"/v1/contacts/{contact['id']}/insights").data)


def test_a_contact_without_profiles_has_an_empty_summary(manager: Person):
    contact = make_contact(manager)
    assert manager.get(f"/v1/contacts/{contact['id']}/profiles").data == {
        "contactId": contact["id"],
        "isDual": False,
        "sales": [],
        "candidate": [],
    }
    summary = manager.get(f"/v1/contacts/{contact['id']}/profile-summary").data
    assert (summary["profiles"], summary["isDual"], summary["primaries"]) == (0, False, {})


def test_the_summary_view_shows_both_kinds_and_since_when(manager: Person):
    contact = make_contact(manager, firstName="Ada", lastName="Lovelace")
    sales = make_profile(manager, contact["id"], headline="Buys looms", leadStatus="qualified")
    summary = manager.get(f"/v1/contacts/{contact['id']}/profile-summary").data
    assert (summary["kinds"], summary["isDual"], summary["dualSince"]) == (["sales"], False, None)
    make_candidate(manager, contact["id"], headline="Analyst", jobSearch="not_looking")
    make_candidate(manager, contact["id"])
    summary = manager.get(f"/v1/contacts/{contact['id']}/profile-summary").data
    assert (summary["kinds"], summary["profiles"], summary["isDual"]) == (["candidate", "sales"], 3, True)
    assert summary["dualSince"] is not None
    assert summary["primaries"]["sales"] == {
        "id": sales["id"],
        "headline": "Buys looms",
        "state": "qualified",
        "isOpen": True,
    }
    assert summary["primaries"]["candidate"]["isOpen"] is False
    other = make_contact(manager)
    make_profile(manager, other["id"])
    assert [row["name"] for row in manager.get("/v1/contact-profiles?isDual=true").data] == ["Ada Lovelace"]
    assert len(manager.get("/v1/contact-profiles?kind=sales").data) == 2
    assert len(manager.get("/v1/contact-profiles?kind=candidate&cursor=").data) == 1


def test_a_candidate_at_a_prospect_is_an_opportunity_with_a_reason(manager: Person):
    client, contact = make_client(manager, status="prospect"), make_contact(manager, firstName="Ada")
    relate(manager, contact, client, role="technical")
    assert codes(manager, contact) == []
    candidate = make_candidate(manager, contact["id"], jobSearch="active")
    (insight,) = manager.get(f"/v1/contacts/{contact['id']}/insights").data
    assert (insight["code"], insight["effect"], insight["basis"]) == (
        "candidate_at_prospect",
        "opportunity",
        "relation",
    )
    assert insight["reason"] == f"Ada is open to a new job and works at {client['name']} (technical), a prospect."
    assert insight["client"]["id"] == client["id"]
    manager.patch(f"/v1/clients/{client['id']}", {"status": "active"})
    assert codes(manager, contact) == ["candidate_at_client"]
    manager.patch(f"/v1/candidate-profiles/{candidate['id']}", {"jobSearch": "not_looking"})
    assert codes(manager, contact) == []


def test_the_companys_name_counts_while_no_relation_says_more(manager: Person):
    make_client(manager, name="Müller GmbH", status="prospect")
    contact = make_contact(manager, company="MULLER gmbh")
    make_candidate(manager, contact["id"])
    (insight,) = manager.get(f"/v1/contacts/{contact['id']}/insights").data
    assert (insight["code"], insight["basis"]) == ("candidate_at_prospect", "company")
    relate(manager, contact, make_client(manager, status="inactive"))
    assert codes(manager, contact) == []


def test_a_buyer_who_looks_for_work_is_a_risk(manager: Person):
    client, contact = make_client(manager, status="active"), make_contact(manager)
    relate(manager, contact, client, role="decision_maker")
    profile = make_profile(manager, contact["id"])
    make_candidate(manager, contact["id"], jobSearch="open")
    assert codes(manager, contact) == ["buyer_looks_for_work", "candidate_at_client"]
    risks = manager.get(f"/v1/contact-insights?effect=risk&clientId={client['id']}").data
    assert {risk["code"] for risk in risks} == {"buyer_looks_for_work", "candidate_at_client"}
    manager.patch(f"/v1/sales-profiles/{profile['id']}", {"leadStatus": "lost"})
    assert codes(manager, contact) == ["candidate_at_client"]


def test_a_candidate_who_decides_and_a_buyer_who_left_are_opportunities(manager: Person):
    client = make_client(manager, status="active")
    decides, left = make_contact(manager), make_contact(manager)
    relate(manager, decides, client, role="hiring_manager")
    make_candidate(manager, decides["id"], jobSearch="placed")
    assert codes(manager, decides) == ["candidate_has_a_say"]
    make_profile(manager, left["id"])
    relate(manager, left, client, role="buyer", endedOn=str(timezone.now().date() - timedelta(days=30)))
    assert codes(manager, left) == ["buyer_left"]
    found = manager.get("/v1/contact-insights?effect=opportunity&sort=code").data
    assert [each["code"] for each in found] == ["buyer_left", "candidate_has_a_say"]
    assert manager.get("/v1/contact-insights?code=odd").status == 422


def test_insights_keep_to_contacts_and_clients_that_the_caller_may_see(manager: Person, outsider: Person):
    organization = manager.organization
    organization.visibility = Visibility.TEAM
    organization.save()
    west, east = make_person(organization, Role.AGENT, "West"), make_person(organization, Role.AGENT, "East")
    hidden = make_client(manager, status="prospect", assignedTo=str(east.user.id))
    contact = make_contact(manager, assignedTo=str(west.user.id))
    relate(manager, contact, hidden)
    make_candidate(manager, contact["id"])
    assert len(manager.get("/v1/contact-insights").data) == 1
    assert west.get("/v1/contact-insights").data == []
    assert outsider.get("/v1/contact-insights").data == []


def test_dual_analytics_count_kinds_states_months_and_insights(manager: Person):
    client = make_client(manager, status="active")
    dual, buyer, candidate = (make_contact(manager) for _ in range(3))
    for contact in (dual, buyer):
        make_profile(manager, contact["id"], leadStatus="qualified")
    for contact in (dual, candidate):
        make_candidate(manager, contact["id"], jobSearch="active")
    relate(manager, candidate, client)
    figures = manager.get("/v1/contact-profiles/analytics").data
    assert (figures["contacts"], figures["dual"], figures["dualShare"]) == (3, 1, 0.3333)
    assert {each["value"]: each["count"] for each in figures["kinds"]} == {
        "candidate": 1,
        "candidate + sales": 1,
        "sales": 1,
    }
    assert figures["states"] == [{"sales": "qualified", "candidate": "active", "count": 1}]
    assert [month["count"] for month in figures["becameDual"]] == [1]
    assert {each["value"]: each["count"] for each in figures["insights"]} == {
        "buyer_looks_for_work": 1,
        "candidate_at_client": 1,
    }


def test_lists_over_all_contacts_cost_as_many_queries_for_many_as_for_two(manager: Person):
    client = make_client(manager, status="prospect")

    def queries(path: str) -> int:
        manager.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(path).status == 200
        return len(captured)

    def add(number: int) -> None:
        for _ in range(number):
            contact = make_contact(manager)
            relate(manager, contact, client)
            make_candidate(manager, contact["id"], skills=[{"name": "Go"}])

    paths = [
        "/v1/contact-profiles",
        "/v1/contact-insights",
        "/v1/candidate-profiles",
        f"/v1/clients/{client['id']}/contacts",
    ]
    add(2)
    few = [queries(path) for path in paths]
    add(8)
    assert [queries(path) for path in paths] == few


def kept(person: Person) -> list[list[tuple[Any, ...]]]:
    """Return what the database keeps of profiles."""
    with organization_scope(person.organization.pk):
        return [list(model.objects.order_by("pk").values_list()) for model in (KeptSummary, ContactInsight)]


def test_what_is_kept_of_profiles_follows_every_change_it_rests_on(manager: Person):
    client, other = make_client(manager, status="prospect", name="Initech"), make_client(manager, status="active")
    one, two = make_contact(manager, company="INITECH"), make_contact(manager)
    make_candidate(manager, one["id"])
    second = make_candidate(manager, two["id"])
    make_profile(manager, two["id"])
    first = make_profile(manager, one["id"])
    merge = {"contactId": one["id"], "mergeIds": [two["id"]]}
    relation = {"clientId": other["id"], "role": "buyer"}
    for method, path, body in (
        ("put", f"contacts/{two['id']}/client-relationships", {"relationships": [relation]}),
        ("patch", f"clients/{other['id']}", {"status": "inactive"}),
        ("patch", f"clients/{other['id']}", {"status": "prospect"}),
        ("patch", f"clients/{client['id']}", {"name": "Initrode"}),
        ("post", "clients", {"name": "initech", "status": "active"}),
        ("patch", f"contacts/{one['id']}", {"company": "Initrode"}),
        ("delete", f"clients/{client['id']}", None),
        ("post", f"clients/{client['id']}/restore", {}),
        ("post", "contacts/merge", merge),
        ("post", f"contacts/{one['id']}/unmerge", {}),
        ("delete", f"contacts/{two['id']}", None),
        ("post", f"contacts/{two['id']}/restore", {}),
        ("patch", f"candidate-profiles/{second['id']}", {"jobSearch": "placed"}),
        ("delete", f"sales-profiles/{first['id']}", None),
        ("put", f"contacts/{two['id']}/client-relationships", {"relationships": []}),
    ):
        before = kept(manager)
        answer = manager.call(method, f"/v1/{path}", body)
        assert answer.status in (200, 201), (path, answer)
        after = kept(manager)
        assert after != before, path
        with organization_scope(manager.organization.pk), connection.cursor() as cursor:
            cursor.execute(
                "SELECT keep_profiles(organization_id, array_agg(id)) FROM contacts GROUP BY organization_id"
            )
        assert kept(manager) == after, path


def test_of_two_kinds_that_come_at_the_same_moment_the_summary_knows_both(manager: Person):
    contact = make_contact(manager)
    at_once(
        lambda: manager.post(f"/v1/contacts/{contact['id']}/sales-profile", {}),
        lambda: manager.post(f"/v1/contacts/{contact['id']}/candidate-profile", {}),
    )
    assert manager.get(f"/v1/contacts/{contact['id']}/profile-summary").data["isDual"] is True


def test_the_nightly_task_lets_pass_what_was_true_until_yesterday(manager: Person):
    contact = make_contact(manager)
    make_candidate(manager, contact["id"])
    with organization_scope(manager.organization.pk):
        ContactInsight.objects.create(
            contact_id=contact["id"], code="candidate_at_client", role="", basis="company", noticed_at=timezone.now()
        )
    assert codes(manager, contact) == ["candidate_at_client"]
    renew_insights()
    assert codes(manager, contact) == []
