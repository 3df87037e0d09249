"""What sales tells people of."""

from vocelio.notifications.kinds import Kind, register

register(Kind("activity.reminder", "Reminders of my activities", email=True))
register(Kind("activity.assigned", "An activity was given to me"))
register(Kind("deal.assigned", "A deal was given to me"))
register(Kind("project.joined", "I was put on a project"))
