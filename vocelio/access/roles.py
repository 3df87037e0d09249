"""The permission matrix: data, read by every door and printed in the documentation."""

from vocelio.organizations.models import Role

AGENT = frozenset(
    {
        "contacts:read",
        "contacts:write",
        "lists:read",
        "events:read",
        "members:read",
    }
)
MANAGER = AGENT | {
    "contacts:delete",
    "contacts:bulk",
    "contacts:import",
    "contacts:export",
    "contacts:private",
    "lists:manage",
    "dnc:manage",
    "audit:read",
}
ADMIN = MANAGER | {
    "crm:manage",
    "members:manage",
    "organization:manage",
}

PERMISSIONS: dict[str, frozenset[str]] = {Role.ADMIN: ADMIN, Role.MANAGER: MANAGER, Role.AGENT: AGENT}
# What any signed-in person may do for themselves, whatever their role.
SELF = "self"
