"""Organizations and people for tests; each test makes its own, so tenants keep tests apart."""

import contextlib
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from vocelio.access.roles import PERMISSIONS
from vocelio.jobs.models import Doorbell
from vocelio.organizations.models import Membership, Organization, Role, Tier
from vocelio.users import tokens
from vocelio.users.models import ApiToken, Session, User
from vocelio.users.tokens import make_access_token

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
# Unique across the parallel test processes, which may share nothing but time.
_run = f"{timezone.now():%H%M%S%f}"


def unique(prefix: str) -> str:
    """Return a name nobody else has."""
    return f"{prefix}-{_run}-{next(_numbers)}"


def phone_number(index: int | None = None) -> str:
    """Return a valid E.164 number: area code 212, exchange 555 is fictional but assigned."""
    number = next(_numbers) if index is None else index
    return f"+1212{5550000 + number % 1_000_000:07d}"


@dataclass
class Person:
    """Somebody signed in to one organization; calls the API the way a frontend does."""

    user: User
    organization: Organization
    role: str
    session: Session
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost"))

    @property
    def token(self) -> str:
        return make_access_token(
            user_id=self.user.id,
            organization_id=self.organization.id,
            session_id=self.session.id,
            role=self.role,
            permissions=PERMISSIONS[self.role],
        )

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> "Answer":
        """Send JSON (or multipart when a value of the body is a file) and return the answer."""
        options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.token}", **headers}}
        if isinstance(body, dict) and any(isinstance(value, SimpleUploadedFile) for value in body.values()):
            options["data"] = body
        elif body is not None:
            options |= {
                "data": body if isinstance(body, (str, bytes)) else json.dumps(body),
                "content_type": "application/json",
            }
        return Answer(getattr(self.client, method)(path, **options))

    def get(self, path: str, **headers: str) -> "Answer":
        return self.call("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> "Answer":
        return self.call("post", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> "Answer":
        return self.call("put", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> "Answer":
        return self.call("patch", path, body, **headers)

    def delete(self, path: str, **headers: str) -> "Answer":
        return self.call("delete", path, **headers)


class Answer:
    """A response with what tests ask of it."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def error(self) -> Any:
        return self.json["error"]

    def __repr__(self) -> str:
        return f"<{self.status} {self.response.content[:500]!r}>"


def make_api_token(person: Person, *scopes: str) -> ApiToken:
    """Return a live API token of a person."""
    _, token_hash = tokens.make_api_token()
    return ApiToken.objects.create(
        organization=person.organization,
        user=person.user,
        name=unique("program"),
        token_hash=token_hash,
        scopes=list(scopes or ["contacts:read"]),
        expires_at=timezone.now() + timedelta(days=1),
    )


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "The condition was not met in time"
        time.sleep(0.01)


def run_jobs(organization: Organization) -> int:
    """Run the organization's waiting jobs here and now, as a worker would; return how many."""
    bells = list(Doorbell.objects.filter(organization_id=organization.id).order_by("due_at"))
    for bell in bells:
        task = import_string(bell.task)
        # A worker only logs the ends a task expects.
        with contextlib.suppress(*task.throws):
            task(organization_id=str(bell.organization_id), job_id=str(bell.job_id))
    return len(bells)


def make_organization(tier: str = Tier.ENTERPRISE, **fields: Any) -> Organization:
    name = unique("org")
    return Organization.objects.create(name=fields.pop("name", name), slug=name, subscription_tier=tier, **fields)


def make_person(organization: Organization, role: str = Role.ADMIN, team: str = "") -> Person:
    """Create a user with a membership and a live session."""
    user = User.objects.create_user(f"{unique(role)}@example.test", PASSWORD, name=unique("Person"))
    Membership.objects.create(organization=organization, user=user, role=role, team=team)
    session = Session.objects.create(
        user=user, organization=organization, expires_at=timezone.now() + timedelta(days=1)
    )
    return Person(user, organization, role, session)
