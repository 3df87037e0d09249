"""Routes without a trailing slash; one is tolerated."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """`Router().register("contacts", ContactViewSet, basename="contacts")`."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)
