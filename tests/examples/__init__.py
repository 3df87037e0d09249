"""What each unsafe route is asked by the walk over audit rows: values of the address, and the body."""

from tests.examples.contacts import CONTACTS
from tests.examples.kernel import KERNEL
from tests.examples.outreach import OUTREACH
from tests.examples.work import WORK

EXAMPLES = {**KERNEL, **CONTACTS, **WORK, **OUTREACH}

__all__ = ["EXAMPLES"]
