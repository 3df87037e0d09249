"""What reports tell people of."""

from vocelio.notifications.kinds import Kind, register

register(Kind("report.schedule_stopped", "A report that I get or mail is no longer mailed", email=True))
