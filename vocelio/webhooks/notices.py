"""What webhooks tell people of."""

from vocelio.notifications.kinds import Kind, register

register(Kind("webhook.disabled", "A webhook endpoint was switched off", email=True))
