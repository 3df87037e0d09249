"""Codes of providers in plain words."""

# RFC 3463: the class, then what it is about.
SMTP = {
    "1.1": "There is no such mailbox.",
    "1.2": "The domain of the address takes no mail.",
    "1.3": "The address is not spelled as an address is.",
    "1.6": "The mailbox has moved, nobody knows where to.",
    "1.10": "The domain says that it takes no mail at all.",
    "2.0": "The mailbox takes no mail.",
    "2.1": "The mailbox is switched off.",
    "2.2": "The mailbox is full.",
    "2.3": "The message is too long for the mailbox.",
    "3.4": "The message is too large for the mail server.",
    "4.1": "The mail server did not answer.",
    "4.4": "The mail server could not be found.",
    "4.7": "The mail could not be delivered in time.",
    "7.0": "The mail server refuses for its own reasons.",
    "7.1": "The mail server refuses mail from this sender.",
    "7.20": "The mail is not signed by DKIM.",
    "7.23": "The sender's SPF record does not allow this server.",
    "7.26": "Neither SPF nor DKIM of the sender hold.",
}
# developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
WHATSAPP = {
    "0": "The access token was revoked or changed.",
    "3": "The app lacks the permission to send.",
    "10": "The app lacks the permission to send.",
    "190": "The access token has run out.",
    "80007": "The account sends too much at once.",
    "100": "WhatsApp did not understand the request.",
    "130429": "The account sends too much at once.",
    "130472": "WhatsApp kept it back: the person is part of an experiment on marketing messages.",
    "131000": "Something went wrong at WhatsApp.",
    "131005": "The access token may not do this.",
    "131008": "Something that WhatsApp requires is missing.",
    "131009": "WhatsApp does not accept a value.",
    "131016": "WhatsApp is overloaded.",
    "131021": "The number is the sender's own.",
    "131026": "The number is not on WhatsApp, or the person has not accepted its terms.",
    "131031": "The business account is locked.",
    "131042": "WhatsApp could not charge the account.",
    "131047": "More than 24 hours since the person last wrote: only an approved template may be sent.",
    "131048": "WhatsApp holds the number back: too many people blocked or reported it.",
    "131049": "WhatsApp kept it back so that the person does not get too many marketing messages.",
    "131050": "The person asked WhatsApp for no more marketing messages from you.",
    "131051": "WhatsApp does not know this kind of message.",
    "131052": "WhatsApp could not fetch the person's file.",
    "131053": "WhatsApp could not take the file.",
    "131056": "Too many messages to this person in a short time.",
    "132000": "The template has another number of variables.",
    "132001": "There is no such template in this language, or it is not approved.",
    "132005": "The text is too long once the variables are in.",
    "132007": "The template breaks WhatsApp's rules.",
    "132012": "A variable is not formatted as the template wants it.",
    "132015": "The template is paused because people did not like it.",
    "132016": "The template was paused too often and is switched off.",
    "133010": "The sender's number is not registered.",
}
# twilio.com/docs/api/errors
TWILIO = {
    "21211": "This is no phone number.",
    "21408": "Messages to this country are not switched on.",
    "21610": "The person has written STOP to this number.",
    "21612": "The number cannot be reached from the sender's.",
    "21614": "The number takes no text messages.",
    "30001": "Too many messages are waiting at Twilio.",
    "30002": "The account is suspended.",
    "30003": "The phone is switched off or out of reach.",
    "30004": "The person or their carrier blocks the message.",
    "30005": "The number does not exist or is out of service.",
    "30006": "A landline, or a carrier that takes no text messages.",
    "30007": "The carrier took it for spam.",
    "30008": "The carrier does not say why.",
    "30034": "The sender's number is not registered for business texts in the US (10DLC).",
}


def smtp_reason(enhanced: str, said: str = "") -> str:
    """Return an enhanced status code (5.1.1) in plain words, or what the server said."""
    known = SMTP.get(".".join(enhanced.split(".")[1:]))
    return known or said.strip()[:300] or "The mail server refuses it."
