from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Contacts"

    def ready(self) -> None:
        from contacts.services.client_merges import register_rules
        from contacts.services.erasures import register_erasers
        from contacts.services.timeline import register_sources
        from vocelio.health.metrics import register_gauge, rows_estimated

        register_gauge(
            "vocelio_total_contacts", "Contacts of all organizations, as the planner knows.", rows_estimated("contacts")
        )
        register_sources()
        register_erasers()
        register_rules()
