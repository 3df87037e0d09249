"""The page that shows the platform's operators what the doctor finds."""

from django.urls import reverse

from tests.factories import Person
from vocelio.operations import doctor
from vocelio.operations.examinations import database, outside


def test_the_platforms_operator_sees_the_findings_in_the_back_office(operator: Person, admin: Person, monkeypatch):
    monkeypatch.setattr(doctor, "EXAMINATIONS", [database.versions, outside.address])
    page = operator.client.get(reverse("admin:health"))
    assert page.status_code == 200
    assert "PostgreSQL" in page.content.decode()
    assert "Health of the installation" in operator.client.get(reverse("admin:index")).content.decode()
    assert admin.client.get(reverse("admin:health")).status_code == 403
    assert "Health of the installation" not in admin.client.get(reverse("admin:index")).content.decode()
