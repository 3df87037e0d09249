"""Messages by e-mail, WhatsApp, SMS and LinkedIn. Imports every app below it. Open services/outbox.py first."""
