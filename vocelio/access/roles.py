"""The permission matrix: data, read by every door and printed in the documentation."""

from vocelio.organizations.models import Role

AGENT = frozenset(
    {
        "contacts:read",
        "contacts:write",
        "clients:read",
        "clients:write",
        "profiles:read",
        "profiles:write",
        "lists:read",
        "events:read",
        "members:read",
        "feed:read",
        "pipelines:read",
        "deals:read",
        "deals:write",
        "projects:read",
        "projects:write",
        "activities:read",
        "activities:write",
        "jobs:read",
        "jobs:write",
        "applications:read",
        "applications:write",
        "offers:read",
        "offers:write",
        # Before dialling: may I call, and this person said no.
        "dnc:check",
        "messages:read",
        "messages:write",
        # One's own reports and dashboards, of what one may see.
        "reports:read",
        "reports:write",
    }
)
MANAGER = AGENT | {
    "contacts:delete",
    "contacts:bulk",
    "contacts:import",
    "contacts:export",
    "contacts:private",
    "contacts:fields",
    "analytics:read",
    "clients:delete",
    "clients:bulk",
    "clients:import",
    # What the other imports take by its key.
    "files:upload",
    "clients:verify",
    "profiles:delete",
    "profiles:salary",
    "lists:manage",
    "dnc:manage",
    "audit:read",
    "reports:share",
    "reports:schedule",
    "deals:delete",
    "deals:bulk",
    "deals:export",
    "deals:import",
    "projects:delete",
    "activities:delete",
    "sales:manage",
    "jobs:delete",
    "applications:bulk",
    "candidates:import",
    "offers:approve",
    "recruitment:manage",
    "messages:bulk",
    "messages:manage",
    # The log of matches, their quality, runs over everything.
    "matching:review",
}
ADMIN = MANAGER | {
    "contacts:erase",
    "crm:manage",
    # Weights, model, budget.
    "matching:manage",
    # Accounts at mail and message providers, with their secrets.
    "channels:manage",
    "members:manage",
    "tokens:manage",
    "webhooks:manage",
    "organization:manage",
}

PERMISSIONS: dict[str, frozenset[str]] = {Role.ADMIN: ADMIN, Role.MANAGER: MANAGER, Role.AGENT: AGENT}
# What any signed-in person may do for themselves, whatever their role.
SELF = "self"
# What shows values that rest encrypted.
PRIVATE = frozenset({"contacts:private", "profiles:salary"})
# What an API token can be given: all but making more of its kind.
SCOPES = sorted(ADMIN - {"tokens:manage"})
