"""What recruitment tells people of."""

from vocelio.notifications.kinds import Kind, register

register(Kind("application.assigned", "An application was given to me"))
register(Kind("interview.scheduled", "I am to interview somebody", email=True))
register(Kind("offer.to_approve", "An offer waits for my approval"))
