"""OAuth: the way to the vendor's consent page and back, in one browser, by one person, once."""

from urllib.parse import parse_qs, urlsplit

import pytest
from crm_sync.providers.memory import SERVERS, Memory, Server  # type: ignore[import-not-found]

from crm_sync.models import CrmCredential, CrmIntegration, CrmOAuthAttempt
from crm_sync.providers.values import Credential
from tests.factories import make_person, run_jobs, unique
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def vendor(monkeypatch):
    """Let the CRM in memory take part in OAuth; return what was exchanged."""
    exchanged = []
    name = unique("server")
    SERVERS[name] = Server()

    def authorization_url(self, app, *, redirect_uri, state, code_challenge, options, endpoint_url=""):
        return f"https://login.memory.test/?client_id={app.client_id}&state={state}&code_challenge={code_challenge}"

    def exchange(self, client, app, *, code, redirect_uri, code_verifier, callback, options, endpoint_url=""):
        exchanged.append((app, code, code_verifier, dict(callback)))
        return Credential(
            name, "https://api.memory.test", refresh_token="refresh-token-abcd", kind="oauth", scopes=("contacts",)
        )

    monkeypatch.setattr(Memory, "credential_kinds", ("oauth", "key"))
    monkeypatch.setattr(Memory, "authorization_url", authorization_url)
    monkeypatch.setattr(Memory, "exchange", exchange)
    return exchanged


def start(person, **body):
    answer = person.post(
        "/v1/crm-integrations/oauth/start",
        {"crmType": "memory", "name": "By consent", "clientId": "client", "clientSecret": "hidden-app-secret"} | body,
    )
    assert answer.status == 200, answer
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.data["authorizationUrl"]).query).items()}


def back(person, state, **query):
    return person.client.get("/v1/crm-integrations/oauth/callback", {"state": state, "code": "the-code", **query})


def test_consent_makes_a_connection_that_is_then_checked(admin, vendor):
    asked = start(admin)
    response = back(admin, asked["state"], location="eu")
    assert (response.status_code, "integrationId=" in response["Location"]) == (302, True)
    run_jobs(admin.organization)
    (shown,) = admin.get("/v1/crm-integrations").data
    assert (shown["name"], shown["status"]) == ("By consent", "connected")
    assert shown["credential"]["lastFour"] == "abcd"
    (app, code, verifier, callback) = vendor[0]
    assert (app.client_id, app.client_secret, code, callback["location"]) == (
        "client",
        "hidden-app-secret",
        "the-code",
        "eu",
    )
    assert (len(asked["code_challenge"]), 43 <= len(verifier) <= 128) == (43, True)
    with organization_scope(admin.organization.id):
        assert (CrmOAuthAttempt.objects.count(), CrmCredential.objects.get().app != "") == (0, True)


def test_a_state_is_good_once(admin, vendor):
    asked = start(admin)
    back(admin, asked["state"])
    admin.client.cookies["crm_consent"] = "anything"
    assert "error=" in back(admin, asked["state"])["Location"]
    with organization_scope(admin.organization.id):
        assert CrmIntegration.objects.count() == 1


def test_another_browser_cannot_finish_what_this_one_began(admin, outsider, vendor):
    asked = start(admin)
    outsider.client.cookies["crm_consent"] = "of-another-browser"
    assert "error=" in back(outsider, asked["state"])["Location"]
    assert vendor == []


def test_a_frontend_elsewhere_finishes_as_the_same_person_alone(admin, vendor):
    asked = start(admin)
    admin.client.cookies.clear()
    assert "/crm/callback?state=" in back(admin, asked["state"])["Location"]
    body = {"state": asked["state"], "code": "the-code", "parameters": {"location": "eu"}}
    stranger = make_person(admin.organization, "admin")
    answer = stranger.post("/v1/crm-integrations/oauth/complete", body)
    assert (answer.status, answer.error["code"]) == (422, "CRM_CONSENT_FAILED")
    answer = admin.post("/v1/crm-integrations/oauth/complete", body)
    assert (answer.status, answer.data["name"]) == (200, "By consent")


def test_a_refused_consent_says_so_and_makes_nothing(admin, vendor):
    asked = start(admin)
    response = back(admin, asked["state"], code="", error="access_denied")
    assert "not+given" in response["Location"]
    with organization_scope(admin.organization.id):
        assert CrmIntegration.objects.count() == 0


def test_without_an_app_anywhere_the_client_id_is_asked_for(admin, vendor):
    answer = admin.post("/v1/crm-integrations/oauth/start", {"crmType": "memory", "name": "None"})
    assert (answer.status, answer.error["details"]["field"]) == (422, "clientId")


def test_connecting_anew_keeps_the_connection(admin, vendor):
    back(admin, start(admin)["state"])
    (shown,) = admin.get("/v1/crm-integrations").data
    asked = start(admin, integrationId=shown["id"])
    back(admin, asked["state"])
    run_jobs(admin.organization)
    assert [each["id"] for each in admin.get("/v1/crm-integrations").data] == [shown["id"]]
