from comms.models.accounts import BouncedAddress, ChannelAccount, CommsSettings, Medium
from comms.models.batches import MessageBatch
from comms.models.communications import RANK, Communication, Direction, MessageStatus, Purpose
from comms.models.sequences import Enrolment, Sequence, SequenceStep
from comms.models.templates import CommunicationTemplate, TemplateCategory, TemplateVersion, WhenMissing

__all__ = [
    "RANK",
    "BouncedAddress",
    "ChannelAccount",
    "CommsSettings",
    "Communication",
    "CommunicationTemplate",
    "Direction",
    "Enrolment",
    "Medium",
    "MessageBatch",
    "MessageStatus",
    "Purpose",
    "Sequence",
    "SequenceStep",
    "TemplateCategory",
    "TemplateVersion",
    "WhenMissing",
]
