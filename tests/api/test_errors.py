"""Every error has the document's shape."""

import psycopg
import pytest
from django.test import Client


def assert_shape(answer, status: int, code: str) -> None:
    assert answer.status == status
    assert set(answer.json) == {"error"}
    assert set(answer.error) == {"code", "message", "details", "timestamp", "requestId"}
    assert answer.error["code"] == code
    assert answer.headers["X-Request-ID"] == answer.error["requestId"]


def test_every_bad_field_is_reported_and_the_first_stands_in_front(admin):
    answer = admin.post("/v1/contact-lists", {"name": "x" * 300, "tags": "vip", "descripton": "typo"})
    assert_shape(answer, 422, "VALIDATION_ERROR")
    answer = admin.post("/v1/contact-lists", {"name": "", "tags": "vip"})
    assert_shape(answer, 422, "VALIDATION_ERROR")
    details = answer.error["details"]
    assert (details["field"], details["value"], details["constraint"]) == ("name", "", "blank")
    assert [error["field"] for error in details["errors"]] == ["name", "tags"]


def test_what_is_no_choice_is_told_what_there_is_to_choose(admin):
    answer = admin.post("/v1/contacts", {"email": "a@example.test", "status": "gone"})
    assert answer.error["message"] == '"gone" is not one of: active, inactive.'
    answer = admin.get("/v1/contact-lists?status=gone", **{"Accept-Language": "es"})
    assert answer.error["message"].startswith('"gone" no es ninguno de: ')


def test_an_unknown_field_is_refused_rather_than_lost(admin):
    answer = admin.post("/v1/contact-lists", {"name": "Leads", "descripton": "typo"})
    assert answer.error["details"]["field"] == "descripton"


@pytest.mark.parametrize("body", ["{", "[" * 10_000, '{"name": "\\ud800"}', b"\xff\xfe"])
def test_what_does_not_parse_is_400(admin, body):
    assert_shape(admin.call("post", "/v1/contact-lists", body), 400, "BAD_REQUEST")


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1"])
def test_json_that_is_no_object_is_422(admin, body):
    assert_shape(admin.call("post", "/v1/contact-lists", body), 422, "VALIDATION_ERROR")


def test_nul_characters_are_422(admin):
    assert_shape(admin.post("/v1/contact-lists", {"name": "a\0b"}), 422, "VALIDATION_ERROR")
    assert_shape(admin.post("/v1/contact-lists", {"name": "a", "settings": {"k": "\0"}}), 422, "VALIDATION_ERROR")


def test_a_value_beyond_the_databases_range_is_422(admin):
    answer = admin.get("/v1/audit-log?from=3821-09-09T00:12:14.7744%2B19:25")
    assert_shape(answer, 422, "VALIDATION_ERROR")


def test_conflicts_name_what_is_there(admin):
    first = admin.post("/v1/contact-lists", {"name": "Leads"})
    answer = admin.post("/v1/contact-lists", {"name": "Leads"})
    assert_shape(answer, 409, "LIST_EXISTS")
    assert answer.error["details"]["existingId"] == first.data["id"]


def test_unknown_addresses_methods_and_media_types(admin):
    assert_shape(admin.get("/v1/nothing"), 404, "NOT_FOUND")
    assert_shape(admin.get("/v1/contact-lists/not-a-uuid"), 404, "NOT_FOUND")
    assert_shape(admin.call("delete", "/v1/contact-lists"), 405, "METHOD_NOT_ALLOWED")
    answer = admin.client.post(
        "/v1/contact-lists", "<a/>", content_type="text/xml", headers={"Authorization": f"Bearer {admin.token}"}
    )
    assert answer.status_code == 415


def test_a_request_id_of_the_caller_comes_back_and_a_hostile_one_does_not(admin):
    assert admin.get("/v1/contact-lists", **{"X-Request-ID": "trace-7"}).headers["X-Request-ID"] == "trace-7"
    assert admin.get("/v1/contact-lists", **{"X-Request-ID": "a b"}).headers["X-Request-ID"].startswith("req_")


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "e30.e30.e30"])
def test_bad_tokens_are_401(token):
    response = Client(SERVER_NAME="localhost").get("/v1/contact-lists", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_both_trees_and_a_trailing_slash_answer_alike(admin):
    for path in ("/v1/contact-lists", "/v1/contact-lists/", "/api/contact-lists", "/api/contact-lists/"):
        assert admin.get(path).status == 200
        assert admin.post(path, {"name": path}).status == 201


def test_a_statement_that_takes_too_long_is_stopped_and_says_so(admin, settings):
    settings.REQUEST_STATEMENT_TIMEOUT = "200ms"
    with psycopg.connect(settings.DATABASE_OWNER_URL) as other:
        other.execute("LOCK TABLE contact_lists IN ACCESS EXCLUSIVE MODE")
        assert_shape(admin.get("/v1/contact-lists"), 503, "TOO_SLOW")
    settings.REQUEST_STATEMENT_TIMEOUT = "30s"
    assert admin.get("/v1/contact-lists").status == 200
