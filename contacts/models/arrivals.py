"""When contacts came, and from where: kept counts for reports, which would else read every contact."""

from django.db import connection, models
from django.db.models import Q

from vocelio.organizations.models import TenantRow


class ContactArrival(TenantRow):
    """A change of the number of contacts outside the trash that were added in an hour; the sum of the rows is it.

    Triggers add rows, one a statement for each hour, source and status it touched, as with ContactTally;
    `compact_contact_arrivals` adds what is new to the one settled row of each.
    """

    # The beginning of the hour: reports filter and group by it as by a contact's own.
    created_at = models.DateTimeField()
    source = models.CharField(max_length=100)
    status = models.CharField(max_length=20)
    delta = models.BigIntegerField()
    is_settled = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "contact_arrivals"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "created_at", "source", "status"],
                condition=Q(is_settled=True),
                name="one_settled_arrival",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "created_at"], name="arrivals_by_hour"),
            models.Index(fields=["created_at"], name="arrivals_to_settle", condition=Q(is_settled=False)),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d}"

    @staticmethod
    def compact() -> None:
        """Sum up the rows of each number, of all organizations; numbers stay as they are."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT compact_contact_arrivals()")
