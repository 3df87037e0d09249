"""Currencies, dated rates, and what an amount is worth in the organization's own currency."""

import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sales.models import DEFAULT_CURRENCY, Deal, ExchangeRate, SalesSettings
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.scope import current_organization_id

# The rate of the latest date that is not after the day, else the earliest there is.
RESTATE = """
UPDATE deals SET base_amount = worth.amount
FROM (
    SELECT deal.id, round(deal.amount * CASE WHEN deal.currency = %(own)s THEN 1 ELSE rate.rate END, 2) AS amount
    FROM deals AS deal LEFT JOIN LATERAL (
        SELECT rate FROM exchange_rates AS known
        WHERE known.organization_id = deal.organization_id AND known.currency = deal.currency
        ORDER BY known.valid_from <= coalesce(deal.closed_at, now())::date DESC,
                 CASE WHEN known.valid_from <= coalesce(deal.closed_at, now())::date THEN known.valid_from END DESC,
                 known.valid_from
        LIMIT 1
    ) AS rate ON true
    WHERE deal.organization_id = %(organization)s AND deal.currency = ANY(%(currencies)s)
) AS worth
WHERE deals.organization_id = %(organization)s AND deals.id = worth.id AND deals.base_amount <> worth.amount
"""


class RateMissing(Invalid):
    code = "RATE_MISSING"


class RateExists(Conflict):
    code = "RATE_EXISTS"
    message = "There is already a rate of this currency from this day."


class RateNeeded(Conflict):
    code = "RATE_NEEDED"
    message = "Deals are in this currency; without a rate they would be worth nothing."


def own_currency() -> str:
    """Return the currency in which the open organization counts."""
    currency: str | None = SalesSettings.objects.values_list("currency", flat=True).first()
    return currency or DEFAULT_CURRENCY


def worth(amount: Decimal, currency: str, day: datetime.date | None = None) -> Decimal:
    """Return the amount in the organization's currency at the rate of the day; raise RateMissing without any rate."""
    if currency == own_currency():
        return amount
    day = day or timezone.now().date()
    rates = ExchangeRate.objects.filter(currency=currency).values_list("rate", flat=True)
    rate = rates.filter(valid_from__lte=day).order_by("-valid_from").first() or rates.order_by("valid_from").first()
    if rate is None:
        raise RateMissing.field(
            "currency",
            f"There is no exchange rate for {currency} yet; a manager adds it under exchange rates.",
            value=currency,
            constraint="rate",
        )
    worth_here: Decimal = (amount * rate).quantize(Decimal("0.01"))
    return worth_here


def create_rate(*, currency: str, valid_from: datetime.date, rate: Decimal) -> ExchangeRate:
    """Add a rate; deals it concerns are restated at once, or on the day it begins."""
    if currency == own_currency():
        raise Invalid.field("currency", "This is the organization's own currency.", value=currency, constraint="own")
    made = ExchangeRate(currency=currency, valid_from=valid_from, rate=rate)
    _save(made)
    record("exchange_rate.created", "exchangerate", made.pk, currency=currency)
    restate([currency])
    return made


def update_rate(exchange_rate: ExchangeRate, **fields: Any) -> ExchangeRate:
    """Correct a rate or the day it begins."""
    for name, value in fields.items():
        setattr(exchange_rate, name, value)
    _save(exchange_rate, update_fields=list(fields))
    record("exchange_rate.updated", "exchangerate", exchange_rate.pk, fields=sorted(fields))
    restate([exchange_rate.currency])
    return exchange_rate


def delete_rate(exchange_rate: ExchangeRate) -> None:
    """Remove a rate; the last one of a currency that deals are in stays."""
    others = ExchangeRate.objects.filter(currency=exchange_rate.currency).exclude(pk=exchange_rate.pk)
    if not others.exists() and Deal.objects.filter(currency=exchange_rate.currency).exists():
        raise RateNeeded
    rate_id = exchange_rate.pk
    exchange_rate.delete()
    record("exchange_rate.deleted", "exchangerate", rate_id, currency=exchange_rate.currency)
    restate([exchange_rate.currency])


def update_settings(*, currency: str) -> SalesSettings:
    """Count in another currency from now on; every currency that deals are in needs a rate, dated or earlier.

    Rates are per unit of the former currency and must have been replaced before.
    """
    settings = current_settings()
    if currency != settings.currency:
        used = set(Deal.objects.order_by().values_list("currency", flat=True).distinct()) - {currency}
        known = set(ExchangeRate.objects.order_by().values_list("currency", flat=True).distinct())
        if missing := sorted(used - known):
            raise RateMissing.field(
                "currency",
                f"Deals are in {', '.join(missing)}; add their rates in {currency} first.",
                value=currency,
                constraint="rate",
            )
        settings.currency = currency
        settings.save()
        restate(sorted(used | {currency}))
    record("sales_settings.updated", "salessettings", settings.pk, fields=["currency"])
    return settings


def current_settings() -> SalesSettings:
    """Return the organization's settings, made with their defaults the first time."""
    settings: SalesSettings = SalesSettings.objects.get_or_create(organization_id=current_organization_id())[0]
    return settings


def restate(currencies: list[str] | None = None) -> int:
    """Bring `base_amount` of the deals in these currencies, or in any foreign one, to the rates; return how many."""
    own = own_currency()
    if currencies is None:
        currencies = list(Deal.objects.exclude(currency=own).order_by().values_list("currency", flat=True).distinct())
    if not currencies:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(RESTATE, {"own": own, "organization": current_organization_id(), "currencies": currencies})
        return int(cursor.rowcount)


def _save(exchange_rate: ExchangeRate, **options: Any) -> None:
    try:
        with transaction.atomic():
            exchange_rate.save(**options)
    except IntegrityError as error:
        if "one_rate_per_day" not in str(error):
            raise
        raise RateExists(field="validFrom", value=str(exchange_rate.valid_from), constraint="unique") from None
