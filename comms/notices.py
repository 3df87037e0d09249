"""What messages tell people of."""

from vocelio.notifications.kinds import Kind, register

register(Kind("message.received", "Somebody answered me"))
