from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Contacts"

    def ready(self) -> None:
        from contacts.models import ContactExport, ContactImport
        from contacts.services.client_merges import register_rules
        from contacts.services.erasures import register_erasers
        from contacts.services.timeline import register_sources
        from vocelio.health.metrics import register_gauge, rows_estimated
        from vocelio.storage.orphans import named_by, register_files

        register_gauge(
            "vocelio_total_contacts", "Contacts of all organizations, as the planner knows.", rows_estimated("contacts")
        )
        register_files("imports", named_by(ContactImport))
        register_files("exports", named_by(ContactExport))
        register_sources()
        register_erasers()
        register_rules()
