"""How many contacts there are, without counting them."""

from django.db import models

from contacts.models.lists import ContactList
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel


class ContactTally(TenantModel):
    """A change of a number of contacts outside the trash; the sum of the rows is the number.

    Rows without a list count the organization's contacts by status, rows with a list its members. Triggers add
    them (migration 0003), one a statement, so that parallel writers never wait for each other as they would
    for one counter row; `compact_contact_tallies` sums them up again.
    """

    created_at = None
    updated_at = None
    list = TenantForeignKey(ContactList, on_delete=models.CASCADE, null=True, related_name="tallies", db_index=False)
    status = models.CharField(max_length=20, blank=True, default="")
    delta = models.BigIntegerField()

    class Meta:
        db_table = "contact_tallies"
        indexes = [models.Index(fields=["organization", "list"], name="contact_tallies_of_list")]

    def __str__(self) -> str:
        return f"{self.delta:+d}"
