"""The verdict on numbers, through POST /dnc/check."""

from datetime import UTC, datetime, timedelta

import pytest

from contacts.signals import opted_out
from dnc.models import NumberFact, Permission, RegistryArea
from dnc.services.verdict import judge, refusals
from tests.dnc.registries import TODAY, check, company_list, days_ago, forget, fresh_code, load_lines, subscribe
from vocelio.organizations.scope import organization_scope


def reasons(verdict):
    return {reason["code"] for reason in verdict["reasons"]}


@pytest.fixture(scope="module")
def code():
    """An area code of which 555-0100 to 555-0119 are listed."""
    chosen = fresh_code()
    load_lines(chosen, list(range(5550100, 5550120)))
    return chosen


def test_a_listed_number_is_refused_and_a_clean_one_is_not_in_the_order_asked(manager, code):
    subscribe(manager, code)
    answers = check(manager, f"({code}) 555-0150", "nonsense", f"+1{code}5550101", "+1999", f"{code}5550150")
    assert [answer["code"] for answer in answers] == ["C", "M", "D", "M", "C"]
    clean, _, listed, _, _ = answers
    assert clean["phoneNumber"] == f"+1{code}5550150"
    assert clean["isCallable"]
    assert clean["timeZones"]
    registry = next(reason for reason in listed["reasons"] if reason["code"] == "registry")
    assert registry["list"] == "National Do Not Call Registry"
    assert registry["versionDate"] == str(TODAY)
    assert [mode["allowed"] for mode in listed["modes"].values()] == [False] * 4
    # A line that may be wireless is dialled by hand alone until there is consent.
    assert clean["modes"]["manual"]["allowed"]
    assert not clean["modes"]["autodialer"]["allowed"]
    assert "consent_needed" in reasons(clean)


def test_without_a_subscription_nothing_is_clean(manager, agent, code):
    assert [answer["code"] for answer in check(manager, f"+1{code}5550150")] == ["B"]
    subscribe(manager, "999")
    (answer,) = check(agent, f"+1{code}5550150")
    assert answer["code"] == "B"
    assert reasons(answer) >= {"outside_subscription"}
    subscribe(manager, validTo=str(days_ago(1)))
    assert check(manager, f"+1{code}5550150")[0]["code"] == "B"
    subscribe(manager)
    assert check(manager, f"+1{code}5550150")[0]["code"] == "C"


def test_what_is_not_loaded_is_blocked(manager):
    subscribe(manager)
    (answer,) = check(manager, f"+1{fresh_code()}5550150")
    assert answer["code"] == "B"
    assert "registry_missing" in reasons(answer)


@pytest.mark.parametrize(("age", "expected"), [(30, "C"), (31, "C"), (32, "B")])
def test_a_version_proves_something_for_31_days(manager, age, expected):
    area = fresh_code()
    load_lines(area, [5550100], days_ago(age))
    subscribe(manager)
    (answer,) = check(manager, f"+1{area}5550150")
    assert answer["code"] == expected
    assert ("registry_stale" in reasons(answer)) == (expected == "B")


def test_countries_without_a_known_registry_are_blocked(manager):
    subscribe(manager)
    jamaica, germany, britain = check(manager, "+18765550123", "+4930901820", "+442079460018")
    assert {jamaica["code"], germany["code"], britain["code"]} == {"B"}
    assert "no_registry_list" in reasons(britain)
    assert "no_registry" in reasons(germany)


def test_an_invalid_number_is_not_taken_for_a_clean_one(manager):
    (answer,) = check(manager, "+12125550")
    assert answer["code"] in "IM"
    (unknown,) = check(manager, "+13575550123")
    assert unknown["code"] == "I"
    assert not unknown["isCallable"]


def permit(manager, phone, kind, day, **fields):
    answer = manager.post("/v1/dnc/permissions", {"phoneNumber": phone, "kind": kind, "occurredOn": str(day), **fields})
    assert answer.status == 201, answer
    return answer.data


def months_before(day, months):
    """Return the day from which that many months end on the given day, or the last one before."""
    month = day.month - 1 - months
    for last in (day.day, 30, 29, 28):
        try:
            return day.replace(year=day.year + month // 12, month=month % 12 + 1, day=last)
        except ValueError:
            continue
    raise AssertionError


@pytest.mark.parametrize(("kind", "months"), [("purchase", 18), ("inquiry", 3)])
def test_a_business_relationship_counts_to_its_last_day(manager, code, kind, months):
    subscribe(manager)
    last_day, late = f"+1{code}5550102", f"+1{code}5550103"
    first = months_before(TODAY, months)
    permit(manager, last_day, kind, first + timedelta(days=0 if first.day == TODAY.day else 1))
    permit(manager, late, kind, first - timedelta(days=1))
    answers = check(manager, last_day, late)
    assert [answer["code"] for answer in answers] == ["O", "D"]
    assert answers[0]["permission"]["until"] >= str(TODAY)
    assert "relationship_expired" in reasons(answers[1])


def test_states_may_shorten_or_void_a_relationship(manager):
    # 214 is in Texas: twelve months. 405 is in Oklahoma: none.
    load_lines(forget("214"), [5550100, 5550101], days_ago(1), accept_shrink=True)
    load_lines(forget("405"), [5550100], days_ago(1), accept_shrink=True)
    subscribe(manager)
    permit(manager, "+12145550100", "purchase", days_ago(360))
    permit(manager, "+12145550101", "purchase", days_ago(370))
    permit(manager, "+14055550100", "purchase", days_ago(2))
    answers = check(manager, "+12145550100", "+12145550101", "+14055550100")
    assert [answer["code"] for answer in answers] == ["O", "D", "D"]


def test_consent_overrides_the_registry_and_opens_autodialer_and_texts(manager, code):
    subscribe(manager)
    phone = f"+1{code}5550104"
    permission = permit(manager, phone, "consent", days_ago(10), reference="scan-17.pdf", person="Ada")
    (answer,) = check(manager, phone)
    assert answer["code"] == "O"
    assert all(mode["allowed"] for mode in answer["modes"].values())
    assert manager.post(f"/v1/dnc/permissions/{permission['id']}/revoke").status == 200
    assert check(manager, phone)[0]["code"] == "D"
    assert manager.post(f"/v1/dnc/permissions/{permission['id']}/revoke").status == 409


def test_the_companys_own_list_wins_over_consent_and_relationship(manager, code):
    subscribe(manager)
    phone = f"+1{code}5550160"
    permit(manager, phone, "consent", days_ago(10))
    permit(manager, phone, "purchase", days_ago(10))
    assert check(manager, phone)[0]["code"] == "E"
    assert manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone]}).status == 201
    (answer,) = check(manager, phone)
    assert answer["code"] == "P"
    assert not any(mode["allowed"] for mode in answer["modes"].values())


def test_an_opt_out_of_one_channel_ends_that_channel_and_a_second_one_widens_it(manager, agent, code):
    subscribe(manager)
    phone = f"+1{code}5550161"
    permit(manager, phone, "consent", days_ago(10))
    assert agent.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone], "channel": "sms"}).data["added"] == 1
    modes = check(manager, phone)[0]["modes"]
    assert (modes["sms"]["allowed"], modes["manual"]["allowed"]) == (False, True)
    assert agent.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone], "channel": "call"}).data["updated"] == 1
    modes = check(manager, phone)[0]["modes"]
    assert (modes["sms"]["allowed"], modes["manual"]["allowed"]) == (False, False)


def test_opt_outs_name_every_bad_number_and_store_nothing_then(manager, code):
    answer = manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [f"+1{code}5550162", "12", "x"], "emails": ["no"]})
    assert answer.status == 422
    fields = {error["field"] for error in answer.error["details"]["errors"]}
    assert fields == {"phoneNumbers.1", "phoneNumbers.2", "emails.0"}
    assert manager.get("/v1/dnc-entries").json["pagination"]["total"] == 0


def test_an_opt_out_that_another_app_announces_is_stored_with_its_cause(manager, code):
    subscribe(manager)
    phone = f"+1{code}5550163"
    with organization_scope(manager.organization.id):
        opted_out.send(
            sender=None,
            organization_id=manager.organization.id,
            phone_numbers=[phone],
            emails=["Ada@Example.test"],
            channel="whatsapp",
            source="WhatsApp",
            reason="STOP",
            user_id=None,
        )
        assert refusals([phone], mode="whatsapp") == {phone: refusals([phone], mode="whatsapp")[phone]}
        assert judge([phone])[0].allows("manual")
    entry = manager.get("/v1/dnc-entries").data[0]
    assert (entry["source"], entry["reason"], entry["channels"]) == ("WhatsApp", "STOP", ["whatsapp"])
    assert entry["honourBy"] > str(TODAY)


def test_a_beginning_with_a_star_covers_every_number_that_begins_so(manager, code):
    subscribe(manager)
    list_id = company_list(manager)
    answer = manager.post("/v1/dnc-entries", {"listId": list_id, "phoneNumber": f"+1{code}55501*"})
    assert answer.data["phoneNumber"] == f"+1{code}55501*"
    inside, outside = check(manager, f"+1{code}5550164", f"+1{code}5550264")
    assert (inside["code"], outside["code"]) == ("P", "C")


def test_an_expired_entry_no_longer_forbids(manager, code):
    subscribe(manager)
    list_id, phone = company_list(manager), f"+1{code}5550165"
    soon = datetime.now(UTC) + timedelta(days=2)
    manager.post("/v1/dnc-entries", {"listId": list_id, "phoneNumber": phone, "expiryDate": soon.isoformat()})
    assert check(manager, phone)[0]["code"] == "P"
    assert check(manager, phone, at=(soon + timedelta(seconds=1)).isoformat())[0]["code"] == "C"


def test_state_lists_give_way_to_consent_and_industry_lists_do_not(manager, code):
    subscribe(manager)
    state, industry = company_list(manager, type="state", state="TX"), company_list(manager, type="industry")
    in_state, in_industry = f"+1{code}5550166", f"+1{code}5550167"
    manager.post("/v1/dnc-entries", {"listId": state, "phoneNumber": in_state})
    manager.post("/v1/dnc-entries", {"listId": industry, "phoneNumber": in_industry})
    for phone in (in_state, in_industry):
        assert check(manager, phone)[0]["code"] == "D"
        permit(manager, phone, "consent", days_ago(1))
    assert [answer["code"] for answer in check(manager, in_state, in_industry)] == ["O", "D"]
    # Texas lets entries expire after three years.
    expiry = next(e for e in manager.get("/v1/dnc-entries").data if e["listId"] == state)["expiryDate"]
    assert expiry[:4] == str(TODAY.year + 3)


def test_wireless_reassigned_and_ported_numbers(manager):
    code = forget("303")
    texas = "+12145550190"
    load_lines(code, [5550100])
    load_lines(forget("214"), [5550100, 5550102], accept_shrink=True)
    subscribe(manager)
    wireless, ported, settled, reassigned = (f"+1{code}555017{digit}" for digit in range(4))
    facts = [
        (wireless, "line_type", "wireless", None),
        (ported, "line_type", "wireless", days_ago(15)),
        (settled, "line_type", "wireless", days_ago(16)),
        (reassigned, "reassigned", "yes", days_ago(100)),
        (texas, "line_type", "wireless", None),
    ]
    with organization_scope(manager.organization.id):
        NumberFact.objects.bulk_create(
            NumberFact(
                number=int(phone),
                kind=kind,
                value=value,
                since=since,
                reported_on=TODAY,
                organization=manager.organization,
            )
            for phone, kind, value, since in facts
        )
    answers = check(manager, wireless, ported, settled, reassigned, texas)
    assert [answer["code"] for answer in answers] == ["W", "C", "W", "S", "L"]
    assert [answer["modes"]["autodialer"]["allowed"] for answer in answers] == [False, True, False, False, False]


def test_the_third_attempt_in_a_day_is_the_last_where_a_state_says_so(manager):
    load_lines(forget("305"), [5550100])
    subscribe(manager)
    now = datetime.now(UTC)
    for hours in (25, 20, 3):
        moment = (now - timedelta(hours=hours)).isoformat()
        body = {"phoneNumber": "+13055550150", "attemptedAt": moment, "disposition": "no answer", "campaign": "autumn"}
        assert manager.post("/v1/dnc/attempts", body).status == 201
    assert check(manager, "+13055550150")[0]["code"] == "C"
    manager.post("/v1/dnc/attempts", {"phoneNumber": "+13055550150", "attemptedAt": now.isoformat()})
    (answer,) = check(manager, "+13055550150")
    assert (answer["code"], answer["contactedLast24Hours"]) == ("B", 3)
    assert "frequency_cap" in reasons(answer)


@pytest.mark.parametrize(
    ("code", "moment", "is_open", "seconds"),
    [
        # New York, 8 to 21, both edges; the clocks went forward on 8 March 2026 and back on 1 November.
        ("212", "2026-03-06T12:59:59Z", False, 1),
        ("212", "2026-03-06T13:00:00Z", True, 0),
        ("212", "2026-03-07T01:59:59Z", True, 0),
        ("212", "2026-03-07T02:00:00Z", False, 39600),
        ("212", "2026-03-08T11:59:59Z", False, 1),
        ("212", "2026-03-08T12:00:00Z", True, 0),
        ("212", "2026-11-01T12:59:59Z", False, 1),
        ("212", "2026-11-01T13:00:00Z", True, 0),
        # 850 is in two zones and in Florida, 8 to 20: from 8 in Chicago to 20 in New York.
        ("850", "2026-06-10T12:59:59Z", False, 1),
        ("850", "2026-06-10T13:00:00Z", True, 0),
        ("850", "2026-06-10T23:59:59Z", True, 0),
        ("850", "2026-06-11T00:00:00Z", False, 46800),
        # Texas: Sundays from noon.
        ("214", "2026-06-14T16:59:59Z", False, 1),
        ("214", "2026-06-14T17:00:00Z", True, 0),
        # Alabama: neither Sundays nor holidays; 3 July 2026 is a Friday, the 4th a Saturday.
        ("205", "2026-06-14T17:00:00Z", False, 72000),
        ("205", "2026-07-04T17:00:00Z", False, 158400),
        ("205", "2026-07-03T17:00:00Z", True, 0),
    ],
)
def test_calling_hours_hold_at_both_edges(manager, code, moment, is_open, seconds):
    subscribe(manager)
    RegistryArea.objects.filter(area="1" + code).exists() or load_lines(code, [5550100])
    (answer,) = check(manager, f"+1{code}5550150", at=moment)
    assert answer["callingWindow"]["isOpen"] is is_open
    at = datetime.fromisoformat(moment)
    opens = datetime.fromisoformat(answer["callingWindow"]["opensAt"])
    assert (0 if is_open else (opens - at).total_seconds()) == seconds


def test_ten_thousand_numbers_are_answered_at_once_and_more_are_refused(manager, code):
    subscribe(manager)
    numbers = [f"+1{code}{5550000 + index:07d}" for index in range(10_000)]
    answers = check(manager, *numbers)
    assert [answer["input"] for answer in answers] == numbers
    assert sum(answer["code"] == "D" for answer in answers) == 20
    assert manager.post("/v1/dnc/check", {"phoneNumbers": [*numbers, "1"]}).status == 422
    assert manager.post("/v1/dnc/check", {"phoneNumbers": []}).status == 422


def test_another_organizations_entries_and_permissions_mean_nothing_here(manager, outsider, code):
    phone = f"+1{code}5550150"
    for person in (manager, outsider):
        subscribe(person)
    outsider.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone]})
    assert check(outsider, phone)[0]["code"] == "P"
    assert check(manager, phone)[0]["code"] == "C"
    permit(outsider, f"+1{code}5550105", "consent", days_ago(3))
    assert check(manager, f"+1{code}5550105")[0]["code"] == "D"
    with organization_scope(manager.organization.id):
        assert Permission.objects.count() == 0
