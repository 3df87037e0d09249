"""Every unsafe route leaves an audit row. A new route without an example here fails the test."""

import pytest

from tests.examples import EXAMPLES
from tests.factories import Person
from tests.test_routes import ROUTES, Route
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope
from vocelio.users.services import passwords

# POST because a filter is its body; it changes nothing.
READS = {
    "POST /v1/contacts/bulk-jobs/preview",
    "POST /v1/communications/preview",
    "POST /v1/communications/preview-batch",
}
# They call a CRM or are called by one, or by a mail server: tests/crm_sync and tests/comms hold their audit rows.
WITH_CRM = {
    "POST /v1/crm-integrations/<uuid:pk>/test",
    "POST /v1/crm-integrations/oauth/start",
    "POST /v1/crm-integrations/oauth/complete",
    "POST /v1/webhooks/crm/<str:token>",
    "POST /v1/webhooks/comms/<str:token>",
}
# They need an identity provider that answers: tests/sso holds their audit rows.
WITH_PROVIDER = {
    "POST /v1/auth/oidc/token",
    "POST /v1/auth/oidc/link",
    "POST /v1/organization/identity-provider/test",
}
# It needs forty judged results: tests/ai_matching holds its audit row.
WITH_JUDGEMENTS = {"POST /v1/ai/weights-proposal/accept"}
# Their secrets come by mail: tests/users and tests/members follow them to the end, audit rows included.
BY_MAIL = {
    "POST /v1/auth/password-reset/confirm",
    "POST /v1/auth/invitations/accept",
    "DELETE /v1/members/invitations/<uuid:pk>",
}


def test_every_unsafe_route_has_an_example():
    unsafe = {str(route) for route in ROUTES if route.method != "get"}
    assert unsafe == set(EXAMPLES) | BY_MAIL | READS | WITH_CRM | WITH_PROVIDER | WITH_JUDGEMENTS


@pytest.mark.parametrize("route", [r for r in ROUTES if str(r) in EXAMPLES], ids=str)
def test_an_unsafe_route_leaves_an_audit_row(route: Route, admin: Person):
    def entries() -> int:
        with organization_scope(admin.organization.id):
            return int(AuditEntry.objects.count())

    values, body = EXAMPLES[str(route)](admin)
    before = entries()
    answer = admin.call(route.method, route.address(**values), body)
    assert answer.status < 300, answer
    if route.path.endswith("password-reset"):
        # Written by the task, so that known and unknown addresses are answered alike.
        passwords.send_password_resets()
    assert entries() > before
