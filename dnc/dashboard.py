"""What Do-Not-Call shows on the back office's first page."""

from django.urls import reverse

from dnc.services.analytics import compliance, stale_lists
from vocelio.access.principal import Principal
from vocelio.backoffice.cards import Card
from vocelio.languages.numbers import percentage


def cards(principal: Principal) -> list[Card]:
    """Return the month's scrubbed contacts and lists that are out of date."""
    figures = compliance(30)
    rate = figures["compliance_rate"]
    address = reverse("admin:dnc_compliance")
    note = f"{percentage(rate)} may be called" if rate is not None else "none in 30 days"
    return [
        Card("Contacts scrubbed", figures["contacts_scrubbed"], note, address, "verified_user"),
        Card("Stale DNC lists", len(stale_lists()), "they block", reverse("admin:dnc_registries"), "phone_disabled"),
    ]
