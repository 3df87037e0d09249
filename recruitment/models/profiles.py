"""What a contact is as somebody who may be hired."""

from decimal import Decimal
from typing import NamedTuple

import orjson
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from contacts.models import Profile
from contacts.models.profiles import one_primary
from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantRow


class JobSearch(models.TextChoices):
    """How somebody looks for work."""

    ACTIVE = "active", "Actively looking"
    OPEN = "open", "Open to offers"
    NOT_LOOKING = "not_looking", "Not looking"
    PLACED = "placed", "Placed by us"


class RemotePreference(models.TextChoices):
    ONSITE = "onsite", "On site"
    HYBRID = "hybrid", "Hybrid"
    REMOTE = "remote", "Remote"
    ANY = "any", "Any"


class SalaryPeriod(models.TextChoices):
    HOUR = "hour", "An hour"
    DAY = "day", "A day"
    MONTH = "month", "A month"
    YEAR = "year", "A year"


class Salary(NamedTuple):
    """An amount a period, in a currency."""

    amount: Decimal
    currency: str
    period: str

    def to_text(self) -> str:
        """Return what is encrypted and stored."""
        return orjson.dumps([str(self.amount), self.currency, self.period]).decode()

    @classmethod
    def from_text(cls, text: str) -> "Salary | None":
        """Return what `to_text` made; None for an empty text."""
        if not text:
            return None
        amount, currency, period = orjson.loads(text)
        return cls(Decimal(amount), currency, period)


class CandidateProfile(Profile):
    """A contact who may be hired.

    Experience, education and languages are lists as the API shows them. Salaries rest encrypted with the
    organization's key; read them by `desired` and `current`, and show them to those who hold `profiles:salary`.
    """

    summary = models.TextField(blank=True, default="")
    job_search = models.CharField(max_length=20, choices=JobSearch, default=JobSearch.OPEN)
    years_of_experience = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    experience = models.JSONField(default=list, blank=True)
    education = models.JSONField(default=list, blank=True)
    languages = models.JSONField(default=list, blank=True)
    desired_salary = EncryptedTextField(blank=True, default="")
    current_salary = EncryptedTextField(blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=50, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    remote_preference = models.CharField(max_length=20, choices=RemotePreference, default=RemotePreference.ANY)
    will_relocate = models.BooleanField(default=False)
    notice_period_days = models.PositiveSmallIntegerField(null=True, blank=True)
    available_on = models.DateField(null=True, blank=True)
    work_authorization = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=100, blank=True, default="")
    linkedin_url = models.CharField(max_length=500, blank=True, default="")
    portfolio_url = models.CharField(max_length=500, blank=True, default="")
    notes = models.TextField(blank=True, default="")

    # Named again, or mypy's plugin never ends.
    objects = TenantManager()  # type: ignore[misc]

    class Meta:
        db_table = "candidate_profiles"
        constraints = [
            one_primary("one_primary_candidate_profile"),
            models.CheckConstraint(
                condition=models.Q(job_search__in=JobSearch.values), name="candidate_profile_search_known"
            ),
            models.CheckConstraint(
                condition=models.Q(remote_preference__in=RemotePreference.values), name="candidate_profile_remote_known"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "contact"], name="candidate_profiles_of_contact"),
            models.Index(fields=["organization", "-created_at", "-id"], name="candidate_profiles_newest"),
        ]

    @property
    def desired(self) -> Salary | None:
        return Salary.from_text(self.desired_salary)

    @property
    def current(self) -> Salary | None:
        return Salary.from_text(self.current_salary)


class CandidateFile(TenantModel):
    """A CV or another document of a candidate, in the file storage. A trigger notes what a deleted row leaves there."""

    owner_field = "profile__contact__assigned_to"

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        DOCX = "docx", "Word"

    profile = TenantForeignKey(CandidateProfile, on_delete=models.CASCADE, related_name="files", db_index=False)
    filename = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.CharField(max_length=500, help_text="Where the storage keeps it.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "candidate_files"
        indexes = [models.Index(fields=["organization", "profile"], name="files_of_candidate")]

    def __str__(self) -> str:
        return self.filename


class DiscardedFile(TenantRow):
    """A file of the storage that no row needs any more, to be removed there."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    file = models.CharField(max_length=500)

    class Meta:
        db_table = "discarded_files"

    def __str__(self) -> str:
        return self.file
