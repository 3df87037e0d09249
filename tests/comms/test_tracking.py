"""What became of messages: clicks and opens where a template asks for them, figures, and two versions compared."""

import re
from urllib.parse import urlsplit

from comms.models import Communication, TemplateVersion
from tests.factories import unique
from vocelio.organizations.scope import organization_scope

HTML = '<p>Dear {{first_name}}, <a href="https://vendor.example/offer?a=1&amp;b=2">look</a></p>'


def sent_html(desk, **fields):
    template = desk.template(bodyHtml=HTML, **fields)
    contact = desk.contact()
    message = desk.write(contact, templateId=template["id"])
    assert desk.send() == 1
    return message, desk.mailbox.to(contact["email"])[-1].get_body(("html",)).get_content()


def path_of(address):
    parts = urlsplit(address.replace("&amp;", "&"))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_nothing_is_followed_unless_the_template_asks_for_it(desk):
    _, html = sent_html(desk)
    assert 'href="https://vendor.example/offer?a=1&amp;b=2"' in html
    assert "<img" not in html


def test_a_click_is_counted_and_led_on_and_nowhere_else(desk):
    message, html = sent_html(desk, trackClicks=True)
    path = path_of(re.search(r'href="([^"]+/m/c/[^"]+)"', html)[1])
    answer = desk.person.client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "https://vendor.example/offer?a=1&b=2")
    shown = desk.show(message)
    assert shown["clickedAt"]
    assert shown["readAt"] == shown["clickedAt"], "Whoever clicks has read."
    assert shown["status"] == "read"
    forged = path.partition("?")[0] + "?to=https%3A%2F%2Fevil.example"
    assert desk.person.client.get(forged).status_code == 404
    assert "/m/c/" not in desk.show(message)["bodyHtml"], "What is kept is what was written."


def test_an_opened_mail_is_noted_once_where_the_template_wants_it(desk):
    message, html = sent_html(desk, trackOpens=True)
    path = path_of(re.search(r'src="([^"]+/m/o/[^"]+)"', html)[1])
    answers = [desk.person.client.get(path) for _ in range(2)]
    assert [(each.status_code, each["Content-Type"]) for each in answers] == [(200, "image/gif")] * 2
    first = desk.show(message)["readAt"]
    assert first
    assert desk.person.client.get("/m/o/forged.gif").status_code == 200, "It tells a guesser nothing."
    assert desk.show(message)["readAt"] == first


def fill(desk, template, version, sent, replied):
    """Put so many sent messages of a version there, some of them answered."""
    with organization_scope(desk.person.organization.id):
        row = TemplateVersion.objects.get(template_id=template["id"], number=version)
        Communication.objects.bulk_create(
            Communication(
                channel="email", address="a@example.test", version=row, status="sent", purpose="bulk",
                sent_at="2026-01-01T00:00Z", replied_at="2026-01-02T00:00Z" if index < replied else None,
            )
            for index in range(sent)
        )  # fmt: skip


def figures(desk, template):
    return desk.person.get(f"/v1/communications/templates/{template['id']}/analytics").data


def test_two_versions_are_compared_with_what_may_honestly_be_said(desk):
    template = desk.template()
    desk.person.put(f"/v1/communications/templates/{template['id']}", {"subject": "Another"})
    fill(desk, template, 1, sent=20, replied=2)
    fill(desk, template, 2, sent=20, replied=6)
    found = figures(desk, template)
    assert [(each["version"], each["sent"], each["replied"]) for each in found["versions"]] == [(1, 20, 2), (2, 20, 6)]
    (replies, *_) = found["comparisons"]
    assert (replies["measure"], replies["pValue"]) == ("replied", None)
    assert replies["note"].startswith("Too few messages to tell")
    fill(desk, template, 1, sent=180, replied=8)
    fill(desk, template, 2, sent=180, replied=34)
    (replies, *_) = figures(desk, template)["comparisons"]
    # 10 of 200 against 40 of 200, by scipy.stats: z = 4.535574, p = 5.7e-06.
    assert (replies["difference"], replies["pValue"]) == (0.15, 0.0)
    assert replies["interval"][0] > 0
    assert replies["note"].startswith("Version 2 was replied more")
    assert [each["measure"] for each in figures(desk, template)["comparisons"]] == ["replied", "unsubscribed"]
    assert (found["opensTracked"], found["clicksTracked"]) == (False, False)


def test_a_batch_shares_two_versions_and_figures_count_by_channel(desk):
    template = desk.template()
    path = f"/v1/communications/templates/{template['id']}"
    desk.person.put(path, {"subject": "Another"})
    tag = unique("tag")
    for _ in range(8):
        desk.contact(tags=[tag])
    body = {"filter": {"tags": tag}, "templateId": template["id"], "inWindow": False}
    same = desk.person.post("/v1/communications", {**body, "batch": {"versionB": 2}})
    assert same.status == 422
    answer = desk.person.post("/v1/communications", {**body, "batch": {"versionB": 1, "shareA": 50}})
    assert answer.status == 202, answer
    desk.jobs()
    assert desk.send() == 8
    counted = [each["sent"] for each in figures(desk, template)["versions"]]
    assert sum(counted) == 8
    (channel,) = desk.person.get("/v1/communications/analytics?days=7").data["channels"]
    assert (channel["channel"], channel["total"], channel["sent"]) == ("email", 8, 8)
    assert desk.person.get("/v1/communications/analytics?days=0").status == 422
    versions = desk.person.get(f"{path}/versions").data["versions"]
    assert [each["number"] for each in versions] == [2, 1]
    assert desk.person.put(path, {"version": 1}).data["subject"] == "Hello {{first_name|there}}"


def test_a_preview_shows_the_contact_what_is_missing(desk):
    template = desk.template(bodyText="Dear {{first_name}}, {{offer}}")
    contact = desk.contact()
    body = {"contactId": contact["id"], "templateId": template["id"]}
    shown = desk.person.post("/v1/communications/preview", body).data
    assert shown["bodyText"] == "Dear Ada, "
    assert [each["code"] for each in shown["problems"]] == ["MISSING_VARIABLE"]
    assert desk.person.post("/v1/communications", body).status == 422, "It blocks what would be sent."
    whole = desk.person.post("/v1/communications/preview", {**body, "variables": {"offer": "free"}}).data
    assert (whole["bodyText"], whole["problems"]) == ("Dear Ada, free", [])
    assert desk.rows() == []
