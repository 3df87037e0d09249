"""Messages by e-mail, WhatsApp and LinkedIn. May import every app below it."""
