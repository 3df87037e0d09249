from contacts.views.contacts import ContactViewSet
from contacts.views.lists import ContactListViewSet
from vocelio.api.routers import Router

router = Router()
router.register("contacts", ContactViewSet, basename="contacts")
router.register("contact-lists", ContactListViewSet, basename="contact-lists")

urlpatterns = router.urls
