from dnc.models.evidence import Certificate, RegistryAccess
from dnc.models.ledger import ContactAttempt, NumberFact, Permission
from dnc.models.lists import DncEntry, DncEntryTally, DncList, EmailOptOut, Entitlement, ListUpload
from dnc.models.registry import Registry, RegistryArea, RegistryFile, RegistryLoad
from dnc.models.scrubs import Scrub, ScrubOutcome, ScrubResult
from dnc.models.sources import Source, SourceDownload

__all__ = [
    "Certificate",
    "ContactAttempt",
    "DncEntry",
    "DncEntryTally",
    "DncList",
    "EmailOptOut",
    "Entitlement",
    "ListUpload",
    "NumberFact",
    "Permission",
    "Registry",
    "RegistryAccess",
    "RegistryArea",
    "RegistryFile",
    "RegistryLoad",
    "Scrub",
    "ScrubOutcome",
    "ScrubResult",
    "Source",
    "SourceDownload",
]
