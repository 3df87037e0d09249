"""The shared registries: who keeps them, what was loaded, which numbers are on them.

The numbers themselves are in two tables without a model, both keyed by registry and block (a number without its last
four digits, for North America area code and exchange):

    dnc_registry_blocks   one bit(10000) a block: the numbers that are listed now
    dnc_registry_changes  the positions of a block that one file changed

The bit of a number at an earlier date is its bit now, turned over once for every change since. So each date stays
answerable at the price of the changes alone, and 245 million numbers take 380 MB.
"""

from datetime import date
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.functions import Now

from vocelio.jobs.models import Job
from vocelio.languages.translate import translated

# How many last digits of a number are its position in a block.
BLOCK = 10_000


class RegistryQuerySet(models.QuerySet["Registry"]):
    def active(self) -> Self:
        """Keep those that are consulted."""
        return self.filter(is_active=True)


class Registry(models.Model):
    """A Do-Not-Call registry of a country or state, loaded once for the installation. Belongs to no organization."""

    class Kind(models.TextChoices):
        FEDERAL = "federal", "Federal"
        STATE = "state", "State"

    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.FEDERAL)
    country = models.CharField(max_length=2, help_text="ISO 3166.")
    country_code = models.CharField(max_length=3, help_text="Dialling code, without +.")
    states = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="Of a state registry: where it applies."
    )
    formats = ArrayField(models.CharField(max_length=40), default=list, help_text="Formats its files come in.")
    options = models.JSONField(default=dict, blank=True, help_text="Columns of a delimited or fixed-width file.")
    keeper = models.CharField(max_length=255, blank=True, default="", help_text="Who publishes it.")
    is_default = models.BooleanField(default=False, help_text="Whether every organization has it among its lists.")
    is_active = models.BooleanField(default=True)
    number_count = models.BigIntegerField(default=0)
    loaded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RegistryQuerySet.as_manager()

    class Meta:
        db_table = "dnc_registries"
        ordering = ["id"]
        verbose_name_plural = "registries"

    def __str__(self) -> str:
        return self.name

    def area_of(self, number: int) -> str:
        """Return the area whose version a number belongs to: +1 and area code in North America, else the country."""
        return str(number)[:4] if self.country_code == "1" else self.country_code

    def holds(self, number: int) -> bool:
        """Say whether the number is listed now."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT get_bit(bits, %s) = 1 FROM dnc_registry_blocks WHERE registry_id = %s AND block = %s",
                [number % BLOCK, self.pk, number // BLOCK],
            )
            row = cursor.fetchone()
        return bool(row and row[0])

    def held_on(self, number: int, day: date) -> bool | None:
        """Say whether the number was listed in the version of that day; None before the first version."""
        area = RegistryArea.objects.filter(registry=self, area=self.area_of(number)).first()
        if area is None or area.first_version_date > day:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM dnc_registry_changes AS change JOIN dnc_registry_files AS file"
                " ON file.id = change.file_id WHERE change.registry_id = %s AND block = %s AND %s = ANY(positions)"
                " AND file.version_date > %s",
                [self.pk, number // BLOCK, number % BLOCK, day],
            )
            (changes,) = cursor.fetchone()
        return self.holds(number) ^ bool(changes % 2)

    def changes_of(self, number: int) -> list[dict[str, Any]]:
        """Return each file that put the number on the registry or took it off, oldest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT file.version_date, file.created_at, file.filename, file.kind"
                " FROM dnc_registry_changes AS change JOIN dnc_registry_files AS file ON file.id = change.file_id"
                " WHERE change.registry_id = %s AND block = %s AND %s = ANY(positions) ORDER BY file.id DESC",
                [self.pk, number // BLOCK, number % BLOCK],
            )
            rows = cursor.fetchall()
        listed, found = self.holds(number), []
        for version_date, loaded_at, filename, kind in rows:
            found.append(
                {"listed": listed, "versionDate": version_date, "loadedAt": loaded_at, "file": filename, "kind": kind}
            )
            listed = not listed
        return found[::-1]

    def bits_of(self, blocks: list[int]) -> dict[int, bytes]:
        """Return the bits of those blocks that there are, 1250 bytes each, the first position in the highest bit."""
        with connection.cursor() as cursor, connection.connection.cursor(binary=True) as raw:
            cursor.execute("SELECT 1")
            raw.execute(
                "SELECT block, bit_send(bits) FROM dnc_registry_blocks WHERE registry_id = %s AND block = ANY(%s)",
                [self.pk, blocks],
            )
            # bit_send: four bytes of length, then the bits.
            return {block: bytes(sent[4:]) for block, sent in raw}


class RegistryFile(models.Model):
    """One file that was offered to a registry: what it brought, or why it was refused. The journal of all loads."""

    class Kind(models.TextChoices):
        FULL = "full", "Full list"
        CHANGES = "changes", "Change list"

    class Status(models.TextChoices):
        LOADED = "loaded", "Loaded"
        REJECTED = "rejected", "Rejected"

    id = models.BigAutoField(primary_key=True)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="files", db_index=False)
    load_id = models.UUIDField()
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    guid = models.CharField(max_length=100, blank=True, default="")
    format = models.CharField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.FULL)
    area = models.CharField(max_length=4, blank=True, default="")
    version_date = models.DateField(null=True)
    status = models.CharField(max_length=20, choices=Status)
    reason_code = models.CharField(max_length=40, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    lines = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "dnc_registry_files"
        ordering = ["-id"]
        constraints = [
            # The same content is taken once for a day, whatever its name; so is the same delivery.
            models.UniqueConstraint(
                fields=["registry", "sha256", "version_date"],
                condition=models.Q(status="loaded"),
                name="one_load_per_content",
            ),
            models.UniqueConstraint(
                fields=["registry", "guid"],
                condition=models.Q(status="loaded") & ~models.Q(guid=""),
                name="one_load_per_delivery",
            ),
        ]
        indexes = [models.Index(fields=["registry", "-id"], name="dnc_registry_files_newest")]

    def __str__(self) -> str:
        return self.filename


class RegistryAreaQuerySet(models.QuerySet["RegistryArea"]):
    def states(self, registry: Registry, today: date, freshness_days: int) -> list[dict[str, Any]]:
        """Return every area of the registry's with its numbers, date, age in days and whether it may be used."""
        found = []
        for area in self.filter(registry=registry).order_by("area"):
            age = (today - area.version_date).days
            found.append(
                {
                    "area": area.area,
                    "numbers": area.numbers,
                    "versionDate": area.version_date,
                    "age": age,
                    "status": "fresh" if age <= freshness_days else "stale",
                }
            )
        return found


class RegistryArea(models.Model):
    """The version of one area that is in force. Its date is what freshness is counted from."""

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="areas", db_index=False)
    area = models.CharField(max_length=4)
    version_date = models.DateField()
    first_version_date = models.DateField()
    file = models.ForeignKey(RegistryFile, on_delete=models.PROTECT, related_name="+", db_index=False)
    numbers = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(db_default=Now())

    objects = RegistryAreaQuerySet.as_manager()

    class Meta:
        db_table = "dnc_registry_areas"
        constraints = [models.UniqueConstraint(fields=["registry", "area"], name="one_version_per_area")]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.area}"


class RegistryLoad(Job):
    """Files on their way into a registry. Belongs to the platform's own organization."""

    task = "dnc.tasks.run_registry_load"
    noun = "registry_load"

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="loads", db_index=False)
    files = models.JSONField(default=list, help_text="name and place of each file, in the order of loading.")
    settings = models.JSONField(default=dict, help_text="acceptShrink: take a list that lost many of its numbers.")
    files_loaded = models.PositiveIntegerField(default=0)
    files_rejected = models.PositiveIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)

    objects: ClassVar[Any]

    class Meta(Job.Meta):
        db_table = "dnc_registry_loads"
        verbose_name = "registry load"

    def __str__(self) -> str:
        return translated(f"{len(self.files)} files loaded")

    def audit_counts(self) -> dict[str, int]:
        return {
            "loaded": self.files_loaded,
            "rejected": self.files_rejected,
            "added": self.added,
            "removed": self.removed,
        }

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"results": self.audit_counts()}
