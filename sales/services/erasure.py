"""What is erased of selling with a person."""

from contacts.erasure import ErasedPerson
from sales.models import Activity

WORDS = {"subject": "", "notes": "", "outcome": "", "location": ""}


def erase_activities(person: ErasedPerson) -> int:
    """Delete what was done with the person alone; of what was done for a deal, client or project too, keep no words."""
    theirs = Activity.objects.filter(contact_id__in=person.contact_ids)
    alone = theirs.filter(deal=None, client=None, project=None)
    deleted, _ = alone.delete()
    return int(deleted) + int(theirs.update(**WORDS))
