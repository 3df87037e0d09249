"""What is to be done with a file: who counts as known, and which of the known's fields may change."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CUSTOM = "custom:"


class Policy(StrEnum):
    """What a row may do to a field of a contact that is already there."""

    SKIP = "skip"
    FILL = "fill"
    OVERWRITE = "overwrite"


# A row is the contact whose first filled key of these it repeats; an id that nobody has is passed over.
USUAL_KEYS = ("id", "phone", "email")
KEYS = (*USUAL_KEYS, "external_id")


@dataclass(frozen=True)
class Options:
    """How a file is imported. `fields` holds policies that differ from `policy`, by field or `custom:<name>`."""

    validate_phones: bool = True
    policy: Policy = Policy.SKIP
    fields: AnyMapping[str, Policy] = field(default_factory=dict)
    match_keys: tuple[str, ...] = USUAL_KEYS
    # Country whose dialling rules hold; blank takes the organization's.
    region: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def stored(cls, settings: AnyMapping[str, Any]) -> "Options":
        """Return what the settings of a job say."""
        return cls(
            validate_phones=settings.get("validatePhones", True),
            policy=Policy(settings.get("policy", Policy.SKIP)),
            fields={name: Policy(policy) for name, policy in settings.get("fieldPolicies", {}).items()},
            match_keys=tuple(settings.get("matchKeys") or USUAL_KEYS),
            region=settings.get("region", ""),
            tags=tuple(settings.get("tags", ())),
        )

    def settings(self) -> dict[str, Any]:
        """Return the same as the settings of a job."""
        return {
            "validatePhones": self.validate_phones,
            "policy": str(self.policy),
            "fieldPolicies": {name: str(policy) for name, policy in self.fields.items()},
            "matchKeys": list(self.match_keys),
            "region": self.region,
            "tags": list(self.tags),
        }

    @property
    def changes_known(self) -> bool:
        """Whether a row can change a contact that is already there."""
        return self.policy != Policy.SKIP or any(policy != Policy.SKIP for policy in self.fields.values())

    def policy_of(self, name: str) -> Policy:
        """Return what may happen to a field."""
        return self.fields.get(name, self.policy)
