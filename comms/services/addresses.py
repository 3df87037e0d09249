"""Where a person is written to on each medium."""

from urllib.parse import urlencode

from comms.models import Medium
from contacts.models import Contact

MEMBER_URN, MEMBER_FIELD = "urn:li:person:", "linkedin_urn"
LINKEDIN_FIELDS = ("linkedin_url", "linkedinUrl", "linkedin", "LinkedIn")


def address_of(contact: Contact, medium: str) -> str:
    """Return the contact's address on a medium; blank when there is none.

    On LinkedIn it is the profile's address from a custom field, or the search that finds it.
    """
    if medium == Medium.EMAIL:
        return str(contact.email)
    if medium in (Medium.SMS, Medium.WHATSAPP):
        return contact.phone or ""
    for name in LINKEDIN_FIELDS:
        value = contact.custom_fields.get(name)
        if isinstance(value, str) and value.startswith("https://") and len(value) <= 320:
            return value
    words = f"{contact} {contact.company}".strip()
    return f"https://www.linkedin.com/search/results/people/?{urlencode({'keywords': words})}"[:320]


def member_of(contact: Contact) -> str:
    """Return how LinkedIn's API names the contact; blank when nobody has entered it."""
    value = contact.custom_fields.get(MEMBER_FIELD)
    return value if isinstance(value, str) and value.startswith(MEMBER_URN) and len(value) <= 100 else ""
