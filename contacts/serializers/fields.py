"""Fields that several records of sales share."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from contacts.serializers.contacts import AssigneeField

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


class OwnerField(AssigneeField):
    """The responsible person: shown as {id, name}; written as an id, or as it was shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="assigned_to_id", required=False, allow_null=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        return instance.assigned_to

    def to_representation(self, value: Any) -> Any:
        return {"id": value.pk, "name": str(value)}


class MomentField(serializers.DateTimeField):
    """A moment people plan by: between the years 2000 and 2100."""

    default_error_messages = {"range": f"This must be between the years {EARLIEST_YEAR} and {LATEST_YEAR}."}

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = super().to_internal_value(value)
            year = moment.astimezone(timezone.get_default_timezone()).year
        except OverflowError:
            self.fail("range")
        if not EARLIEST_YEAR <= year <= LATEST_YEAR:
            self.fail("range")
        return moment


class DayField(serializers.DateField):
    """A day between the years 2000 and 2100."""

    default_error_messages = {"range": f"This must be between the years {EARLIEST_YEAR} and {LATEST_YEAR}."}

    def to_internal_value(self, value: Any) -> Any:
        day = super().to_internal_value(value)
        if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            self.fail("range")
        return day


def currency_field(**kwargs: Any) -> serializers.RegexField:
    return serializers.RegexField(r"^[A-Z]{3}\Z", help_text="ISO 4217, for example EUR.", **kwargs)


def money_field(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=18, decimal_places=2, min_value=0, **kwargs)


def version_field() -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Rises with every change. Sent along, or as If-Match, the change is refused (409) unless it is still this.",
    )
