"""The organization's contacts in figures."""

from datetime import timedelta

from django.utils import timezone

from tests.contacts.uploads import upload
from tests.factories import Person, phone_number, run_jobs


def test_figures_count_what_happened_in_the_days_asked_for(admin: Person, agent: Person):
    spring = admin.post("/v1/contact-lists", {"name": "=Spring"}).data["id"]
    for number in range(3):
        admin.post("/v1/contacts", {"phone": phone_number(), "source": "Fair", "listIds": [spring][: number % 2]})
    gone = admin.post("/v1/contacts", {"email": "ada@example.com", "source": "Web"}).data["id"]
    admin.delete(f"/v1/contacts/{gone}")
    upload(admin, f"phone\n{phone_number()}\n12\n".encode())
    run_jobs(admin.organization)
    figures = admin.get("/v1/analytics/contacts").data
    assert len(figures["growth"]) == 30
    assert figures["growth"][-1] == {"day": f"{timezone.now():%Y-%m-%d}", "added": 5, "deleted": 1}
    assert figures["totals"] == {"contacts": 4, "active": 4, "inactive": 0}
    assert figures["sources"] == [{"source": "Fair", "contacts": 3}, {"source": "import", "contacts": 1}]
    assert (figures["validity"]["withPhone"], figures["validity"]["withEmail"]) == (4, 0)
    assert figures["lists"] == [{"id": spring, "name": "=Spring", "contacts": 1}]
    assert (figures["imports"]["files"], figures["imports"]["imported"], figures["imports"]["invalid"]) == (1, 1, 1)
    before = timezone.now() - timedelta(days=40)
    earlier = admin.get(f"/v1/analytics/contacts?from={before:%Y-%m-%d}&to={before:%Y-%m-%d}").data
    assert earlier["growth"] == [{"day": f"{before:%Y-%m-%d}", "added": 0, "deleted": 0}]
    assert admin.get("/v1/analytics/contacts?from=2026-01-02&to=2026-01-01").status == 422
    assert admin.get("/v1/analytics/contacts?from=yesterday").status == 422
    assert agent.get("/v1/analytics/contacts").status == 403
    file = admin.get("/v1/analytics/contacts/export").response.content.decode("utf-8-sig")
    assert "lists,'=Spring,1" in file.splitlines()
