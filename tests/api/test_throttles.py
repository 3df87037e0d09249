"""Rate limits of the document's tiers."""

import pytest
import redis

from tests.factories import make_organization, make_person
from vocelio.api import throttles
from vocelio.organizations.models import Tier


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttles.LIMITS, Tier.FREE, {"api_calls": (3, 86400)})


def test_the_limits_are_the_documents():
    assert throttles.LIMITS == {
        "free": {"contacts": (1000, 3600), "imports": (5, 86400), "api_calls": (10_000, 86400)},
        "pro": {"contacts": (10_000, 3600), "imports": (50, 86400), "api_calls": (100_000, 86400)},
        "enterprise": {"api_calls": (1_000_000, 86400)},
    }


def test_past_the_limit_calls_are_429_with_retry_after_and_headers(tight):
    person = make_person(make_organization(Tier.FREE))
    remaining = [person.get("/v1/contact-lists").headers["RateLimit-Remaining"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    answer = person.get("/v1/contact-lists")
    assert (answer.status, answer.error["code"]) == (429, "RATE_LIMITED")
    assert 0 < int(answer.headers["Retry-After"]) <= 86401
    assert answer.headers["RateLimit-Limit"] == "3"


def test_one_organizations_limit_does_not_touch_another(tight):
    busy, quiet = (make_person(make_organization(Tier.FREE)) for _ in range(2))
    for _ in range(5):
        busy.get("/v1/contact-lists")
    assert quiet.get("/v1/contact-lists").status == 200


def test_requests_are_served_while_redis_is_away(tight, monkeypatch):
    monkeypatch.setattr(throttles, "_redis", redis.Redis(unix_socket_path="/nowhere/redis.sock"))
    monkeypatch.setattr(throttles, "_redis_back_at", 0.0)
    person = make_person(make_organization(Tier.FREE))
    answers = [person.get("/v1/contact-lists") for _ in range(5)]
    assert {answer.status for answer in answers} == {200}
    assert answers[0].headers["RateLimit-Limit"] == "3"
