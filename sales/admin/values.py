"""What forms of sales pages share."""

from django.core.exceptions import ValidationError

from vocelio.backoffice.forms import TenantForm


class CurrencyForm(TenantForm):
    """A form with a currency, in any case."""

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise ValidationError("A currency is three letters, such as EUR.")
        return code
