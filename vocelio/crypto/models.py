"""Each organization's data key, wrapped by a master key."""

from django.db import models

from vocelio.organizations.models import TenantModel


class OrganizationKey(TenantModel):
    """A 256-bit data key, encrypted by the master key of the environment. Only the newest encrypts."""

    wrapped = models.TextField()

    class Meta:
        db_table = "organization_keys"

    def __str__(self) -> str:
        return str(self.id)
