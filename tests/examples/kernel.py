"""Examples for the routes of log-in, members, organizations, reports, webhooks."""

from collections.abc import Callable

from tests.factories import PASSWORD, Person, make_api_token, unique
from tests.route_examples import (
    Example,
    colleague,
    enrolling,
    in_two_steps,
    locked_out,
    mailing_of,
    row,
    second_step_of,
    signed_in,
)
from vocelio.dashboards.models import Dashboard
from vocelio.notifications.models import Notification
from vocelio.reports.models import SavedReport
from vocelio.sso.models import IdentityProvider
from vocelio.users.services.sign_in import make_challenge
from vocelio.webhooks.models import WebhookDelivery, WebhookEndpoint

KERNEL: dict[str, Callable[[Person], Example]] = {
    "POST /v1/auth/login": lambda p: ({}, {"email": p.user.email, "password": PASSWORD}),
    "POST /v1/auth/login/totp": second_step_of,
    "POST /v1/auth/login/totp/enrol": lambda p: ({}, {"challenge": make_challenge(p.user)}),
    "POST /v1/auth/totp": lambda p: ({}, {"password": PASSWORD}),
    "POST /v1/auth/totp/confirm": enrolling,
    "POST /v1/auth/totp/recovery-codes": lambda p: ({}, in_two_steps(p)),
    "POST /v1/auth/totp/disable": lambda p: ({}, in_two_steps(p)),
    "POST /v1/members/<uuid:pk>/totp-reset": locked_out,
    "PUT /v1/organization/identity-provider": lambda p: (
        {},
        {"issuer": "https://login.example.com", "clientId": "vocelio", "allowedDomains": ["corp.example"]},
    ),
    "PATCH /v1/organization/identity-provider": lambda p: (
        {"pk": row(IdentityProvider)(p).pk},
        {"newcomerRole": "agent"},
    ),
    "DELETE /v1/organization/identity-provider": lambda p: ({"pk": row(IdentityProvider)(p).pk}, None),
    "POST /v1/auth/refresh": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "POST /v1/auth/logout": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "PATCH /v1/auth/me": lambda p: ({}, {"language": "es", "timeZone": "Europe/Madrid"}),
    "POST /v1/auth/password-reset": lambda p: ({}, {"email": p.user.email}),
    "POST /v1/auth/password-change": lambda p: (
        {},
        {"currentPassword": PASSWORD, "newPassword": "another horse battery"},
    ),
    "POST /v1/auth/switch-organization": lambda p: ({}, {"organizationId": str(p.organization.id)}),
    "DELETE /v1/auth/sessions/<uuid:pk>": lambda p: ({"pk": p.session.pk}, None),
    "POST /v1/api-tokens": lambda p: ({}, {"name": "Dialer", "scopes": ["contacts:read"]}),
    "DELETE /v1/api-tokens/<uuid:pk>": lambda p: ({"pk": make_api_token(p).pk}, None),
    "POST /v1/webhook-endpoints": lambda p: ({}, {"url": "https://hooks.example.com/in", "events": ["contact.*"]}),
    "PUT /v1/webhook-endpoints/<uuid:pk>": lambda p: ({"pk": row(WebhookEndpoint)(p).pk}, {"events": ["*"]}),
    "PATCH /v1/webhook-endpoints/<uuid:pk>": lambda p: ({"pk": row(WebhookEndpoint)(p).pk}, {"description": "Ours"}),
    "DELETE /v1/webhook-endpoints/<uuid:pk>": lambda p: ({"pk": row(WebhookEndpoint)(p).pk}, None),
    "POST /v1/webhook-endpoints/<uuid:pk>/rotate-secret": lambda p: ({"pk": row(WebhookEndpoint)(p).pk}, {}),
    "POST /v1/webhook-endpoints/<uuid:pk>/test": lambda p: ({"pk": row(WebhookEndpoint)(p).pk}, {}),
    "POST /v1/webhook-endpoints/<uuid:pk>/replay": lambda p: (
        {"pk": row(WebhookEndpoint)(p).pk},
        {"since": "2026-01-01T00:00:00Z"},
    ),
    "POST /v1/webhook-deliveries/<uuid:pk>/replay": lambda p: ({"pk": row(WebhookDelivery)(p).pk}, {}),
    "POST /v1/members/invitations": lambda p: ({}, {"email": f"{unique('new')}@example.test", "role": "agent"}),
    "PUT /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "PATCH /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "DELETE /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, None),
    "PUT /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "PUT /v1/organization/retention": lambda p: ({}, {"days": {"exports": 3}}),
    "PATCH /v1/organization/retention": lambda p: ({}, {"days": {"uploads": None}}),
    "PATCH /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "POST /v1/calendar-feed": lambda p: ({}, {}),
    "DELETE /v1/calendar-feed": lambda p: (p.post("/v1/calendar-feed").data and {}, None),
    "POST /v1/notifications/<uuid:pk>/read": lambda p: ({"pk": row(Notification, user=p.user)(p).pk}, {}),
    "PUT /v1/notifications/<uuid:pk>/read": lambda p: ({"pk": row(Notification, user=p.user)(p).pk}, {}),
    "POST /v1/notifications/read-all": lambda p: ({}, {}),
    "PUT /v1/notifications/preferences": lambda p: (
        {},
        {"preferences": [{"kind": "activity.reminder", "channel": "email", "isEnabled": False}]},
    ),
    "POST /v1/reports/run": lambda p: ({}, {"metrics": ["contacts.created"]}),
    "POST /v1/reports": lambda p: ({}, {"name": unique("report"), "definition": {"metrics": ["contacts.total"]}}),
    "PUT /v1/reports/<uuid:pk>": lambda p: ({"pk": row(SavedReport)(p).pk}, {"name": unique("report")}),
    "PATCH /v1/reports/<uuid:pk>": lambda p: ({"pk": row(SavedReport)(p).pk}, {"name": unique("report")}),
    "DELETE /v1/reports/<uuid:pk>": lambda p: ({"pk": row(SavedReport)(p).pk}, None),
    "POST /v1/reports/<uuid:report_id>/schedules": lambda p: (
        {"report_id": row(SavedReport)(p).pk},
        {"frequency": "daily", "recipients": [str(p.user.pk)]},
    ),
    "PUT /v1/reports/<uuid:report_id>/schedules/<uuid:pk>": mailing_of,
    "PATCH /v1/reports/<uuid:report_id>/schedules/<uuid:pk>": mailing_of,
    "DELETE /v1/reports/<uuid:report_id>/schedules/<uuid:pk>": mailing_of,
    "POST /v1/reports/<uuid:report_id>/schedules/<uuid:pk>/send": mailing_of,
    "POST /v1/dashboards": lambda p: ({}, {"name": unique("dashboard")}),
    "PUT /v1/dashboards/<uuid:pk>": lambda p: ({"pk": row(Dashboard)(p).pk}, {"name": unique("dashboard")}),
    "PATCH /v1/dashboards/<uuid:pk>": lambda p: ({"pk": row(Dashboard)(p).pk}, {"name": unique("dashboard")}),
    "DELETE /v1/dashboards/<uuid:pk>": lambda p: ({"pk": row(Dashboard)(p).pk}, None),
    "POST /v1/dashboards/<uuid:pk>/copy": lambda p: ({"pk": row(Dashboard)(p).pk}, {"name": unique("dashboard")}),
}
