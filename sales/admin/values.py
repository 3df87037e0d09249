"""What forms of sales pages share."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from vocelio.backoffice.forms import TenantForm


class CurrencyForm(TenantForm):
    """A form with a currency, in any case."""

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise ValidationError("A currency is three letters, such as EUR.")
        return code


def by_id(values: dict[str, Any], *references: str) -> dict[str, Any]:
    """Return the values as the services take them: these records by id."""
    values = dict(values)
    for name in references:
        if name in values:
            record: Model | None = values.pop(name)
            values[f"{name}_id"] = record.pk if record else None
    return values
