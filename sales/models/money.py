"""Currencies: what one was worth in the organization's own, and from when."""

from typing import Any, ClassVar

from django.db import models

from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet

DEFAULT_CURRENCY = "USD"


class SalesSettings(TenantModel):
    """How an organization sells; without a row the defaults hold."""

    currency = models.CharField(
        max_length=3, default=DEFAULT_CURRENCY, help_text="In which totals are shown; ISO 4217."
    )

    class Meta:
        db_table = "sales_settings"
        verbose_name_plural = "sales settings"
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_sales_settings_per_organization"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="settings_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return self.currency


class ExchangeRateQuerySet(TenantQuerySet):
    def newest_first(self) -> "ExchangeRateQuerySet":
        return self.order_by("currency", "-valid_from")


ExchangeRateManager = TenantManager.from_queryset(ExchangeRateQuerySet)


class ExchangeRate(TenantModel):
    """What one unit of a currency is worth in the organization's currency, from a date until the next rate."""

    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)

    objects: ClassVar[Any] = ExchangeRateManager()

    class Meta:
        db_table = "exchange_rates"
        constraints = [
            models.UniqueConstraint(fields=["organization", "currency", "valid_from"], name="one_rate_per_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_is_positive"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="rate_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate.normalize():f}, {self.valid_from}"
