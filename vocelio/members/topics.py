"""What sockets may follow of members."""

from vocelio.realtime.topics import Topic, register

register(Topic("members", permission="members:read"))
