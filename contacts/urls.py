from contacts.views.lists import ContactListViewSet
from vocelio.api.routers import Router

router = Router()
router.register("contact-lists", ContactListViewSet, basename="contact-lists")

urlpatterns = router.urls
