"""Examples for the routes of Do Not Call, CRM, matching and messages."""

from collections.abc import Callable

from django.utils import timezone

from ai_matching.models import EmbeddingRun, MatchedPerson
from comms.models import (
    BouncedAddress,
    ChannelAccount,
    Enrolment,
    MessageBatch,
    Sequence,
    SequenceStep,
)
from crm_sync.models import CrmLink, CrmSyncRun
from dnc.models import DncEntry, DncList, EmailOptOut, Entitlement, Permission, Scrub, Source
from tests.factories import Person, phone_number, unique
from tests.route_examples import (
    Example,
    connected,
    contact,
    csv_file,
    finished_run,
    message,
    numbers_file,
    open_conflict,
    proposal,
    releasable,
    row,
    sales_profile,
    scrub_of,
    source_of,
    wording,
)

OUTREACH: dict[str, Callable[[Person], Example]] = {
    "POST /v1/ai/vector-match-candidates": lambda p: ({}, {"text": "Nurse"}),
    "POST /v1/ai/vector-match-jobs": lambda p: ({}, {"text": "Nurse"}),
    "POST /v1/ai/search": lambda p: ({}, {"kind": "job", "text": "Nurse"}),
    "POST /v1/ai/match-results/<uuid:pk>/verdict": lambda p: ({"pk": row(MatchedPerson)(p).pk}, {"verdict": "good"}),
    "POST /v1/ai/update-embeddings": lambda p: ({}, {}),
    "POST /v1/ai/embedding-runs/<uuid:pk>/cancel": lambda p: ({"pk": row(EmbeddingRun, kinds=["job"])(p).pk}, {}),
    "PUT /v1/ai/settings": lambda p: ({}, {"threshold": 20}),
    "POST /v1/ai/weights-proposal/reject": lambda p: ({}, None),
    "POST /v1/ai/lead-scoring": lambda p: ({}, {"contactIds": [str(sales_profile(p).contact_id)]}),
    "POST /v1/ai/enrich-contact": lambda p: ({}, {"contactId": str(contact(p).pk)}),
    "POST /v1/ai/proposals/<uuid:pk>/accept": lambda p: ({"pk": proposal(p).pk}, {}),
    "POST /v1/ai/proposals/<uuid:pk>/reject": lambda p: ({"pk": proposal(p).pk}, {}),
    "POST /v1/crm-integrations": lambda p: ({}, {"crmType": "pipedrive", "name": unique("crm")}),
    "PUT /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, {"autoSync": True}),
    "PATCH /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, {"syncFrequency": 60}),
    "DELETE /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, None),
    "POST /v1/crm-integrations/<uuid:pk>/sync": lambda p: ({"pk": connected(p).pk}, {}),
    "POST /v1/crm-integrations/<uuid:pk>/cancel": lambda p: ({"pk": row(CrmSyncRun)(p).integration_id}, {}),
    "POST /v1/crm-sync-runs/<uuid:pk>/rollback": lambda p: ({"pk": finished_run(p).pk}, {}),
    "POST /v1/crm-dead-letters/<uuid:pk>/replay": lambda p: (
        {"pk": row(CrmLink, state="rejected", contact=None)(p).pk},
        {},
    ),
    "POST /v1/crm-conflicts/<uuid:pk>/resolve": lambda p: ({"pk": open_conflict(p).pk}, {"choice": "remote"}),
    "POST /v1/dnc-lists": lambda p: ({}, {"name": unique("list"), "type": "company"}),
    "PUT /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, {"name": unique("list")}),
    "PATCH /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, {"name": unique("list")}),
    "DELETE /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, None),
    "POST /v1/dnc-lists/<uuid:pk>/uploads": numbers_file,
    "POST /v1/dnc-entries": lambda p: (
        {},
        {"listId": str(row(DncList, type="company")(p).pk), "phoneNumber": phone_number()},
    ),
    "PUT /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, {"reason": "again"}),
    "PATCH /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, {"reason": "again"}),
    "DELETE /v1/dnc/email-opt-outs/<uuid:pk>": lambda p: ({"pk": row(EmailOptOut)(p).pk}, None),
    "DELETE /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, None),
    "POST /v1/dnc/entitlements": lambda p: (
        {},
        {"registry": "us-federal", "san": unique("SAN"), "validFrom": "2026-01-01"},
    ),
    "PUT /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, {"areaCodes": ["212"]}),
    "PATCH /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, {"areaCodes": ["212"]}),
    "DELETE /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, None),
    "POST /v1/dnc/permissions": lambda p: (
        {},
        {"phoneNumber": phone_number(), "kind": "consent", "occurredOn": "2026-01-01"},
    ),
    "POST /v1/dnc/permissions/<uuid:pk>/revoke": lambda p: ({"pk": row(Permission)(p).pk}, {}),
    "POST /v1/dnc/attempts": lambda p: (
        {},
        {"phoneNumber": phone_number(), "attemptedAt": "2026-01-01T15:00:00Z"},
    ),
    "POST /v1/dnc/sources": source_of,
    "PUT /v1/dnc/sources/<uuid:pk>": lambda p: (
        {"pk": row(Source, settings={"url": "https://lists.example.com/a"})(p).pk},
        {"updateFrequency": 12},
    ),
    "PATCH /v1/dnc/sources/<uuid:pk>": lambda p: (
        {"pk": row(Source, settings={"url": "https://lists.example.com/a"})(p).pk},
        {"updateFrequency": 12},
    ),
    "DELETE /v1/dnc/sources/<uuid:pk>": lambda p: ({"pk": row(Source)(p).pk}, None),
    "POST /v1/dnc/check": lambda p: ({}, {"phoneNumbers": [phone_number()]}),
    "POST /v1/dnc/opt-outs": lambda p: ({}, {"phoneNumbers": [phone_number()]}),
    "POST /v1/dnc/scrub-campaign": scrub_of,
    "POST /v1/dnc/scrub-results/<uuid:pk>/cancel": lambda p: ({"pk": row(Scrub)(p).pk}, {}),
    "POST /v1/dnc/scrub-results/<uuid:pk>/unwatch": lambda p: ({"pk": row(Scrub)(p).pk}, {}),
    "POST /v1/communications": lambda p: (
        {},
        {"contactId": str(contact(p).pk), "channel": "linkedin", "bodyText": "Hi"},
    ),
    "PUT /v1/communications/<uuid:pk>": lambda p: ({"pk": message(p).pk}, {"bodyText": "Hello"}),
    "PATCH /v1/communications/<uuid:pk>": lambda p: ({"pk": message(p).pk}, {"status": "cancelled"}),
    "POST /v1/communications/<uuid:pk>/retry": lambda p: ({"pk": message(p, status="failed").pk}, {}),
    "POST /v1/communications/<uuid:pk>/done": lambda p: ({"pk": message(p).pk}, {}),
    "POST /v1/communications/<uuid:pk>/send": lambda p: ({"pk": releasable(p).pk}, {}),
    "POST /v1/communications/attachments": lambda p: ({}, {"file": csv_file()}),
    "POST /v1/communications/templates": lambda p: (
        {},
        {"name": unique("template"), "channel": "sms", "bodyText": "Hi {{first_name|there}}"},
    ),
    "PUT /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, {"subject": "Bye"}),
    "PATCH /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, {"isActive": False}),
    "DELETE /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, None),
    "POST /v1/communications/accounts": lambda p: ({}, {"provider": "linkedin", "name": unique("account")}),
    "PUT /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {"isActive": False}),
    "PATCH /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {"price": "0.01"}),
    "DELETE /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, None),
    "POST /v1/communications/accounts/<uuid:pk>/sync-templates": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {}),
    "POST /v1/communications/batches/<uuid:pk>/pause": lambda p: ({"pk": row(MessageBatch)(p).pk}, {}),
    "POST /v1/communications/batches/<uuid:pk>/resume": lambda p: (
        {"pk": row(MessageBatch, paused_at=timezone.now())(p).pk},
        {},
    ),
    "POST /v1/communications/batches/<uuid:pk>/cancel": lambda p: ({"pk": row(MessageBatch)(p).pk}, {}),
    "POST /v1/communications/sequences": lambda p: (
        {},
        {"name": unique("sequence"), "steps": [{"templateId": str(wording(p).template_id)}]},
    ),
    "PUT /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, {"isActive": False}),
    "PATCH /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, {"name": unique("s")}),
    "DELETE /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, None),
    "POST /v1/communications/sequences/<uuid:pk>/enrol": lambda p: (
        {"pk": row(SequenceStep, position=0)(p).sequence_id},
        {"contactIds": [str(contact(p).pk)]},
    ),
    "POST /v1/communications/enrolments/<uuid:pk>/stop": lambda p: ({"pk": row(Enrolment)(p).pk}, {}),
    "DELETE /v1/communications/bounces/<uuid:pk>": lambda p: ({"pk": row(BouncedAddress)(p).pk}, None),
    "PUT /v1/communications/settings": lambda p: ({}, {"capDay": 2}),
    "PATCH /v1/communications/settings": lambda p: ({}, {"capWeek": 5}),
}
