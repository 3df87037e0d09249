"""Forms every page of the back office builds on."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from vocelio.backoffice.chosen import organizations_of
from vocelio.errors import VocelioError
from vocelio.organizations.models import SecondFactorRule
from vocelio.users.models import User
from vocelio.users.services.attempts import prove_password
from vocelio.users.services.passwords import change_password
from vocelio.users.services.second_factor import has_second_factor
from vocelio.users.services.sign_in import make_challenge


class SecondStepNeeded(Exception):
    """The password is right, and not enough; the login page goes on to the second step with the challenge."""

    def __init__(self, challenge: str) -> None:
        super().__init__()
        self.challenge = challenge


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Lets in the platform's operators, and staff who administer or manage an organization."""

    username = forms.EmailField(
        label="E-mail", widget=UnfoldAdminEmailInputWidget(attrs={"autofocus": True, "autocomplete": "username"})
    )

    def clean(self) -> dict[str, Any]:
        """Count the attempt, as every door does, and refuse too many of them."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            try:
                self.user_cache = prove_password(email=email, password=password)
            except VocelioError as error:
                raise ValidationError(error.message, code=error.code) from None
            self.confirm_login_allowed(self.user_cache)
            if has_second_factor(self.user_cache.pk) or _must_enrol(self.user_cache):
                raise SecondStepNeeded(make_challenge(self.user_cache))
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super().confirm_login_allowed(user)
        if not user.is_superuser and not organizations_of(user).exists():  # type: ignore[attr-defined, arg-type]
            raise ValidationError(self.error_messages["invalid_login"], code="invalid_login")


def _must_enrol(user: User) -> bool:
    """Say whether an organization of a member of staff wants two steps; operators are asked once they look into it."""
    asking = organizations_of(user).exclude(second_factor=SecondFactorRule.OPTIONAL)
    return not user.is_superuser and asking.exists()


class PasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """Changes one's own password by the service, which ends every session at the API."""

    def clean_old_password(self) -> str:
        """Leave it to the service, which counts wrong guesses."""
        return str(self.cleaned_data["old_password"])

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        if not self.errors:
            try:
                change_password(
                    user_id=self.user.pk,
                    session_id=None,
                    current=self.cleaned_data["old_password"],
                    new=self.cleaned_data["new_password1"],
                )
            except VocelioError as error:
                self.add_error("old_password", error.message)
        return cleaned

    def save(self, commit: bool = True) -> AbstractBaseUser:
        """Return the person with the password the service stored."""
        self.user.refresh_from_db()
        user: AbstractBaseUser = self.user
        return user


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]
    """Checks the shape of the input; a service judges and writes, and its refusal is shown at its field."""

    refusal: ClassVar[VocelioError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            # What the database fills in is not there yet, and is not shown.
            for field in self.instance._meta.concrete_fields:
                if isinstance(self.instance.__dict__.get(field.attname), DatabaseDefault):
                    setattr(self.instance, field.attname, None)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal is not None:
            errors = self.refusal.details.get("errors") or [self.refusal.details]
            for error in errors:
                field = error.get("field")
                self.add_error(field if field in self.fields else None, error.get("message") or self.refusal.message)
        return cleaned

    def _post_clean(self) -> None:
        """Leave the instance as it is: the service gets the cleaned values."""


def by_id(values: dict[str, Any], *references: str) -> dict[str, Any]:
    """Return the values as the services take them: these records by id."""
    values = dict(values)
    for name in references:
        if name in values:
            record: Model | None = values.pop(name)
            values[f"{name}_id"] = record.pk if record else None
    return values
