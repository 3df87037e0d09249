from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = "Sales"

    def ready(self) -> None:
        from contacts import erasure
        from contacts.profile_kinds import ProfileKind, register_profile_kind
        from sales.models import SalesProfile
        from sales.panels import register_panels
        from sales.services.calendar import activity_entries
        from sales.services.erasure import erase_activities
        from sales.services.import_deals import register_deals
        from sales.services.profiles import KIND, create_sales_profile
        from vocelio import ical

        register_profile_kind(
            ProfileKind(
                slug=KIND,
                label="Sales",
                model=SalesProfile,
                serializer="sales.serializers.profiles.SalesProfileSerializer",
                create=create_sales_profile,
                related=("client", "created_by"),
            )
        )
        erasure.register("sales_activities", erase_activities)
        register_panels()
        register_deals()
        ical.register("activities", activity_entries)
