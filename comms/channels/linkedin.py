"""LinkedIn: messaging by API is open to approved partners alone, so a person sends what is ready."""

from comms.channels.channel import Channel


class LinkedIn(Channel):
    """A task: the text lies ready, the profile is one click away, done is one more."""

    slug = "linkedin"
    label = "LinkedIn (by hand)"
    medium = "linkedin"
