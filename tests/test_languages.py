"""English and Spanish: nothing untranslated, nothing broken by translation, and who reads what."""

import io
import re

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils.translation import override

from tests.backoffice.conftest import enter
from tests.factories import Answer, Person, make_organization, make_person, unique
from tests.users.test_auth import anonymous
from vocelio.languages.gathering import gathered
from vocelio.languages.translate import translated
from vocelio.organizations.models import Organization, Role
from vocelio.users.models import User
from vocelio.users.services.passwords import send_password_resets

SPANISH = settings.LOCALE_PATHS[0] / "es" / "LC_MESSAGES"
PLACES = re.compile(r"%\(\w+\)s|\{\d\}|%%")
IN_SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}


def catalog():
    return read_po(io.BytesIO((SPANISH / "django.po").read_bytes()), locale="es")


def test_every_text_of_the_product_is_translated():
    known = {entry.id[0] if isinstance(entry.id, tuple) else entry.id for entry in catalog() if entry.string}
    assert set(gathered()) - known == set(), "Run: python manage.py write_translations, and translate what it lists"
    assert not [entry.id for entry in catalog() if entry.id and (not entry.string or entry.fuzzy)]


def test_translations_keep_every_place_for_a_value():
    for entry in catalog():
        sources = entry.id if isinstance(entry.id, tuple) else (entry.id,)
        targets = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        for source, target in zip(sources, targets, strict=True):
            if source:
                assert sorted(PLACES.findall(source)) == sorted(PLACES.findall(target)), source


def test_the_compiled_catalog_is_that_of_the_texts():
    written = io.BytesIO()
    write_mo(written, catalog())
    assert written.getvalue() == (SPANISH / "django.mo").read_bytes(), "Run: python manage.py write_translations"


def test_texts_are_found_with_their_values_taken_out():
    with override("es"):
        assert translated("There is no account for whatsapp yet; add one first.") == (
            "Todavía no hay cuenta para whatsapp; añada una primero."
        )
        assert (
            translated("2 fields are not valid: This is required.") == "2 campos no son válidos: Esto es obligatorio."
        )
        assert translated("Nobody wrote this anywhere.") == "Nobody wrote this anywhere."
    assert translated("This is required.") == "This is required."


def test_errors_come_in_the_language_that_is_asked_for(admin: Person):
    def wrong(**headers: str) -> Answer:
        return anonymous("login", {"email": admin.user.email, "password": "wrong"}, **headers)

    assert wrong().error["message"] == "The e-mail address or the password is wrong."
    spanish = wrong(**IN_SPANISH)
    assert spanish.error["message"] == "El correo electrónico o la contraseña no son correctos."
    assert spanish.error["code"] == "INVALID_CREDENTIALS"
    field = admin.post("/v1/contacts", {"phone": "1"}, **IN_SPANISH)
    assert field.status == 422
    assert re.search(r"no es|No es", field.error["message"]), field


def test_a_persons_own_language_goes_before_the_organizations_and_that_before_the_browsers(admin: Person):
    def message(**headers: str) -> str:
        return str(admin.patch("/v1/organization", {"timeZone": "Mars/Base"}, **headers).error["message"])

    assert "time zone" in message()
    Organization.objects.filter(pk=admin.organization.pk).update(language="es")
    assert "zona horaria" in message()
    assert admin.patch("/v1/auth/me", {"language": "en", "timeZone": "Europe/Madrid"}).data["language"] == "en"
    assert "time zone" in message(**IN_SPANISH)
    assert admin.patch("/v1/auth/me", {"language": "xx"}).status == 422
    assert admin.patch("/v1/auth/me", {"timeZone": "Mars/Base"}).status == 422


def test_mails_are_written_in_the_readers_language():
    person = make_person(make_organization(), Role.AGENT)
    User.objects.filter(pk=person.user.pk).update(language="es")
    anonymous("password-reset", {"email": person.user.email})
    send_password_resets()
    assert mail.outbox[0].subject == "Establezca una nueva contraseña de Vocelio"
    assert "ha pedido una contraseña nueva" in mail.outbox[0].body


def test_the_back_office_reads_in_spanish_in_ones_own_time_zone():
    person = enter(make_person(make_organization(name=unique("Acme")), Role.ADMIN))
    saved = person.client.post("/admin/preferences/", {"language": "es", "time_zone": "America/Bogota"})
    assert saved.status_code == 302
    page = person.client.get("/admin/contacts/contact/").content.decode()
    assert '<html lang="es"' in page
    for spanish in ("Contactos", "Papelera de contactos", "Seguridad", "Comienzos de nombre"):
        assert spanish in page
    for english in (">Contacts<", ">Dashboard<", ">Lists<", ">Trash of contacts<"):
        assert english not in page
    members = person.client.get("/admin/organizations/membership/").content.decode()
    assert "Administrador" in members


def test_the_login_page_follows_the_browser():
    page = Client(SERVER_NAME="localhost", headers=IN_SPANISH).get("/admin/login/").content.decode()
    assert "Entrar con el proveedor de identidad" in page
    assert "identity provider" in Client(SERVER_NAME="localhost").get("/admin/login/").content.decode()
