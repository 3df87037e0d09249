"""manage.py doctor: what it finds well, and what it says of each thing that is broken."""

import json
import time
from io import StringIO
from typing import Any

import psycopg
import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db.models.functions import Now

from tests.factories import Person, unique
from vocelio.db.ids import uuid7
from vocelio.db.models import OutgoingHold, ScheduleTick
from vocelio.jobs.models import Doorbell
from vocelio.jobs.tasks import sweep_jobs
from vocelio.operations import doctor
from vocelio.operations.examinations import database, keys, machinery, outside, work
from vocelio.operations.findings import Level


def found(examination: Any) -> dict[str, tuple[Level, str]]:
    """Return the findings of one examination by their names; none is bad without advice."""
    findings = list(examination())
    assert all(finding.advice or finding.level == Level.OK for finding in findings)
    return {finding.name: (finding.level, f"{finding.text} {finding.advice}") for finding in findings}


def level(examination: Any, name: str) -> Level:
    return found(examination)[name][0]


@pytest.fixture
def owner() -> Any:
    with psycopg.connect(django_settings.DATABASE_OWNER_URL, autocommit=True) as connection:
        yield connection


def test_an_examination_of_everything_never_fails_and_says_what_is_wrong(monkeypatch):
    monkeypatch.setattr(current_app.control, "inspect", lambda **kwargs: Inspection({}))
    output = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("doctor", "--json", stdout=output)
    report = json.loads(output.getvalue())
    assert end.value.code == 1
    assert report["verdict"] == "FAIL"
    by_name = {finding["name"]: finding for finding in report["findings"]}
    assert by_name["workers"]["level"] == "FAIL"
    assert "celery -A vocelio worker" in by_name["workers"]["advice"]
    assert by_name["policies"]["level"] == by_name["migrations"]["level"] == "OK"


def test_a_server_that_is_away_is_a_finding(monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(doctor, "EXAMINATIONS", [machinery.redis_server, database.versions])
    findings = doctor.examine()
    assert [(finding.name, finding.level) for finding in findings[:2]] == [
        ("redis server", Level.FAIL),
        ("PostgreSQL", Level.OK),
    ]


def test_a_table_without_its_walls_is_found(owner):
    assert found(database.policies)["policies"][0] == Level.OK
    for damage, repair, reason in [
        ("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "not enabled and forced"),
        ("DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY", "not enabled and forced"),
    ]:
        owner.execute(f"ALTER TABLE contacts {damage}")
        try:
            assert reason in found(database.policies)["policies"][1]
        finally:
            owner.execute(f"ALTER TABLE contacts {repair}")
    owner.execute("CREATE POLICY everybody ON contacts USING (true)")
    try:
        assert "more policies" in found(database.policies)["policies"][1]
    finally:
        owner.execute("DROP POLICY everybody ON contacts")


def test_a_role_that_the_policies_do_not_bind_is_found(owner):
    name = owner.execute("SELECT current_user").fetchone()[0]
    assert level(database.role, "database role") == Level.OK
    app = django_settings.DATABASE_APP_ROLE
    owner.execute(f'GRANT CREATE ON SCHEMA public TO "{app}"')
    try:
        assert "may create objects" in found(database.role)["database role"][1]
    finally:
        owner.execute(f'REVOKE CREATE ON SCHEMA public FROM "{app}"')
    assert name != app


def test_a_migration_that_was_not_applied_is_found(owner):
    owner.execute("DELETE FROM django_migrations WHERE app = 'crypto' AND name = '0002_rotation'")
    try:
        assert found(database.migrations)["migrations"] == (
            Level.FAIL,
            "1 not applied, the first is crypto.0002_rotation VOCELIO_DB_ROLE=owner python manage.py migrate",
        )
    finally:
        owner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('crypto', '0002_rotation', now())")


class Inspection:
    def __init__(self, queues: dict[str, list[str]]) -> None:
        self.queues = queues

    def active_queues(self) -> dict[str, list[dict[str, str]]] | None:
        return {worker: [{"name": name} for name in names] for worker, names in self.queues.items()} or None


def test_queues_that_nobody_serves_are_named(monkeypatch, settings):
    every = settings.CELERY_TASK_QUEUES_BY_APP
    for queues, expected in [
        ({"one": every[:-1]}, (Level.FAIL, "nobody serves comms")),
        ({"one": every[:4], "two": every[4:]}, (Level.OK, "2 answer")),
    ]:
        monkeypatch.setattr(current_app.control, "inspect", lambda queues=queues, **kwargs: Inspection(queues))
        verdict, text = found(machinery.workers)["workers"]
        assert verdict == expected[0]
        assert expected[1] in text


def test_a_long_queue_is_found(monkeypatch, settings):
    monkeypatch.setattr(current_app.control, "inspect", lambda **kwargs: Inspection({}))
    monkeypatch.setattr(machinery, "LONG_QUEUE", 1)
    server = redis.Redis.from_url(settings.REDIS_URL)
    queue = settings.CELERY_TASK_QUEUES_BY_APP[-1]
    server.rpush(queue, "a", "b")
    try:
        assert level(machinery.workers, "queues") == Level.WARN
    finally:
        server.delete(queue)


def test_a_silent_schedule_is_found():
    ScheduleTick.objects.update_or_create(schedule=sweep_jobs.name, defaults={"ticked_at": Now()})
    assert level(machinery.beat, "beat") == Level.OK
    ScheduleTick.objects.filter(schedule=sweep_jobs.name).delete()
    assert found(machinery.beat)["beat"][0] == Level.FAIL


@pytest.mark.parametrize(("apart", "expected"), [(0, Level.OK), (5, Level.WARN), (-3600, Level.FAIL)])
def test_clocks_that_differ_are_found(monkeypatch, apart: int, expected: Level):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + apart)
    assert {verdict for name, (verdict, _) in found(machinery.clocks).items()} == {expected}


def test_a_redis_that_may_throw_work_away_is_found(settings):
    server = redis.Redis.from_url(settings.REDIS_URL)
    before = server.config_get("maxmemory-policy")["maxmemory-policy"]
    server.config_set("maxmemory-policy", "allkeys-lru")
    try:
        verdict, text = found(machinery.redis_server)["Redis eviction"]
    finally:
        server.config_set("maxmemory-policy", before)
    assert verdict == Level.FAIL
    assert "noeviction" in text


def test_little_disk_is_found(monkeypatch):
    monkeypatch.setattr(machinery, "LOWEST_DISK", 1.0)
    assert level(machinery.disk, "disk") == Level.FAIL


def test_work_that_waits_too_long_and_work_that_is_held_are_found():
    bell = Doorbell.objects.create(
        job_id=uuid7(), organization_id=uuid7(), task=unique("task"), due_at="2020-01-01T00:00:00Z"
    )
    OutgoingHold.objects.create(held_at="2026-01-01T00:00:00Z", taken_at="2026-01-01T00:00:00Z", reason="A restore.")
    try:
        assert level(work.stuck_jobs, "jobs") == Level.FAIL
        verdict, text = found(work.held_back)["outgoing work"]
        assert verdict == Level.WARN
        assert "release_outgoing" in text
    finally:
        bell.delete()
        OutgoingHold.objects.all().delete()


def test_weak_or_shared_secrets_are_found(settings):
    settings.DEBUG = False
    assert level(keys.secrets, "secrets") == Level.OK
    settings.JWT_SECRET = settings.SECRET_KEY
    assert "the same" in found(keys.secrets)["secrets"][1]
    settings.JWT_SECRET = "a" * 40
    assert level(keys.secrets, "secrets") == Level.FAIL


def test_keys_that_no_master_key_opens_are_found(admin: Person, settings):
    manager_note = {"firstName": "Ada", "lastName": "L", "phone": "+12025550143", "privateNotes": "x"}
    assert admin.post("/v1/contacts", manager_note).status == 201
    settings.MASTER_KEYS = ["another master key of enough characters"]
    verdict, text = found(keys.master_keys)["master keys"]
    assert verdict == Level.FAIL
    assert "lost" in text


def test_an_address_without_tls_is_found(settings):
    settings.PUBLIC_URL, settings.HTTPS = "http://crm.example.com", False
    assert level(outside.address, "public address") == Level.FAIL


def test_a_mail_server_that_is_away_is_found(settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    monkeypatch.setattr(doctor, "EXAMINATIONS", [outside.mail])
    assert [(finding.name, finding.level) for finding in doctor.examine()] == [("mail", Level.FAIL)]
