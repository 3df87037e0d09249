"""Logging in in two steps, recovery codes, and the organization's rule."""

from datetime import timedelta

import pyotp
import pytest
from django.core import mail
from django.utils import timezone

from tests.factories import PASSWORD, Answer, Person, make_organization, make_person, run_jobs
from tests.users.test_auth import actions, anonymous, login
from tests.users.test_members import accept, invite, mailed_token
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.users.models import SecondFactor, Session, User

ENROL, CONFIRM = "/v1/auth/totp", "/v1/auth/totp/confirm"


def code_of(secret: str, steps: int = 0) -> str:
    """Return the app's code of now, or of so many steps of 30 seconds later."""
    return pyotp.TOTP(secret).at(timezone.now() + timedelta(seconds=30 * steps))


def forget_last_code(person: Person) -> None:
    """Let the code of now be taken, as half a minute later the next one would be."""
    SecondFactor.objects.filter(user=person.user).update(last_step=0)


def switch_on(person: Person) -> tuple[str, list[str]]:
    """Switch two-step log-in on; return the app's secret and the recovery codes."""
    secret = person.post(ENROL, {"password": PASSWORD}).data["secret"]
    codes = person.post(CONFIRM, {"code": code_of(secret)}).data["recoveryCodes"]
    forget_last_code(person)
    return secret, codes


def second_step(first: Answer, code: str) -> Answer:
    assert first.status == 401
    assert first.error["code"] in ("TOTP_REQUIRED", "TOTP_ENROLMENT_REQUIRED")
    return anonymous("login/totp", {"challenge": first.error["details"]["challenge"], "code": code})


def ask_everybody(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(second_factor="everyone")


def test_enrolling_tells_the_app_and_changes_nothing_until_its_first_code(admin: Person):
    answer = admin.post(ENROL, {"password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data["otpauthUri"].startswith("otpauth://totp/Vocelio:")
    assert answer.data["secret"] in answer.data["otpauthUri"]
    assert answer.data["qrCode"].startswith("data:image/svg+xml")
    assert login(admin).status == 200
    assert admin.get(ENROL).data == {"isEnabled": False, "isRequired": False, "recoveryCodesLeft": 0}
    assert admin.post(CONFIRM, {"code": "000000"}).status == 422
    codes = admin.post(CONFIRM, {"code": code_of(answer.data["secret"])}).data["recoveryCodes"]
    assert len(set(codes)) == 10
    assert admin.get(ENROL).data == {"isEnabled": True, "isRequired": False, "recoveryCodesLeft": 10}
    assert admin.post(ENROL, {"password": PASSWORD}).error["code"] == "TOTP_ENABLED"
    assert "second_factor.enabled" in actions(admin)


def test_the_secret_rests_sealed(admin: Person):
    secret, _ = switch_on(admin)
    stored = SecondFactor.objects.get(user=admin.user).secret
    assert secret not in stored
    assert stored.startswith("v1|")


def test_enrolling_needs_the_password(admin: Person):
    assert admin.post(ENROL, {"password": "wrong"}).error["details"]["field"] == "password"


def test_switching_on_ends_other_sessions_that_proved_a_password_alone(admin: Person):
    other = anonymous("login", {"email": admin.user.email, "password": PASSWORD}).data
    switch_on(admin)
    assert anonymous("refresh", {"refreshToken": other["refreshToken"]}).status == 401
    assert admin.get("/v1/auth/me").status == 200


def test_login_takes_two_steps(admin: Person):
    secret, _ = switch_on(admin)
    first = login(admin)
    assert first.error["code"] == "TOTP_REQUIRED"
    assert set(first.error["details"]) == {"challenge", "expiresIn"}
    entered = second_step(first, code_of(secret))
    assert entered.status == 200
    assert entered.data["user"]["id"] == str(admin.user.id)
    assert entered.data["recoveryCodes"] is None
    assert Session.objects.filter(user=admin.user, has_second_factor=True).count() == 2


def test_a_code_works_once(admin: Person):
    secret, _ = switch_on(admin)
    code = code_of(secret)
    assert second_step(login(admin), code).status == 200
    assert second_step(login(admin), code).error["code"] == "INVALID_CODE"
    assert second_step(login(admin), code_of(secret, -1)).error["code"] == "INVALID_CODE", "An older one neither."
    assert second_step(login(admin), code_of(secret, 1)).status == 200


@pytest.mark.parametrize("code", ["", "12345", "١٢٣٤٥٦", "1234567", "abcdef", "AAAA-AAAA-AAAA-AAAA"])
def test_what_is_no_code_is_refused(admin: Person, code: str):
    switch_on(admin)
    assert second_step(login(admin), code).status in (401, 422)


def test_a_recovery_code_works_once_in_any_writing(admin: Person):
    _, codes = switch_on(admin)
    assert second_step(login(admin), codes[0].lower().replace("-", " ")).status == 200
    assert second_step(login(admin), codes[0]).status == 401
    assert admin.get(ENROL).data["recoveryCodesLeft"] == 9
    assert "second_factor.recovery_code_used" in actions(admin)


def test_new_recovery_codes_end_those_before(admin: Person):
    secret, codes = switch_on(admin)
    wrong = admin.post("/v1/auth/totp/recovery-codes", {"password": PASSWORD, "code": "000000"})
    assert wrong.error["details"]["field"] == "code"
    proof = {"password": PASSWORD, "code": code_of(secret)}
    fresh = admin.post("/v1/auth/totp/recovery-codes", proof).data["recoveryCodes"]
    assert not set(fresh) & set(codes)
    assert second_step(login(admin), codes[0]).status == 401
    assert second_step(login(admin), fresh[0]).status == 200


def test_guesses_at_the_code_are_limited_although_the_password_is_right(admin: Person):
    secret, _ = switch_on(admin)
    for _ in range(10):
        assert second_step(login(admin), "000000").status == 401
    answer = second_step(login(admin), code_of(secret))
    assert answer.status == 429
    assert "Retry-After" in answer.headers


def test_a_challenge_ends_with_the_password_and_is_no_token(admin: Person):
    secret, _ = switch_on(admin)
    first = login(admin)
    challenge = first.error["details"]["challenge"]
    user = User.objects.get(pk=admin.user.pk)
    user.set_password("another horse battery")
    user.save()
    assert second_step(first, code_of(secret)).error["code"] == "CHALLENGE_EXPIRED"
    assert anonymous("login/totp", {"challenge": challenge[:-2], "code": "123456"}).status == 401
    assert admin.get("/v1/auth/me", Authorization=f"Bearer {challenge}").status == 401


def test_switching_off_needs_password_and_code(admin: Person):
    secret, _ = switch_on(admin)
    off = "/v1/auth/totp/disable"
    assert admin.post(off, {"password": "wrong", "code": code_of(secret)}).status == 422
    assert admin.post(off, {"password": PASSWORD, "code": code_of(secret)}).status == 200
    assert login(admin).status == 200
    assert admin.post(off, {"password": PASSWORD, "code": "123456"}).error["code"] == "TOTP_DISABLED"


def test_members_are_led_to_enrol_where_the_organization_asks_for_it(agent: Person):
    ask_everybody(agent.organization)
    first = login(agent)
    assert first.error["code"] == "TOTP_ENROLMENT_REQUIRED"
    challenge = {"challenge": first.error["details"]["challenge"]}
    secret = anonymous("login/totp/enrol", challenge).data["secret"]
    assert second_step(first, "000000").status == 401
    entered = second_step(first, code_of(secret))
    assert len(entered.data["recoveryCodes"]) == 10
    bearer = {"Authorization": f"Bearer {entered.data['accessToken']}"}
    assert agent.get("/v1/auth/me", **bearer).status == 200
    off = {"password": PASSWORD, "code": code_of(secret, 1)}
    assert agent.post("/v1/auth/totp/disable", off, **bearer).error["code"] == "TOTP_REQUIRED_BY_ORGANIZATION"


def test_nobody_enrols_anew_by_the_password_alone(admin: Person):
    switch_on(admin)
    challenge = {"challenge": login(admin).error["details"]["challenge"]}
    assert anonymous("login/totp/enrol", challenge).error["code"] == "TOTP_ENABLED"


def test_the_rule_ends_sessions_that_proved_less_and_holds_for_every_door(admin: Person, agent: Person):
    refresh = login(agent).data["refreshToken"]
    switch_on(admin)
    assert admin.patch("/v1/organization", {"secondFactor": "everyone"}).status == 200
    assert agent.get("/v1/contacts").status == 401
    assert anonymous("refresh", {"refreshToken": refresh}).status == 401
    assert admin.get("/v1/contacts").status == 200


def test_a_session_of_one_step_cannot_move_to_an_organization_that_asks_for_two(admin: Person):
    strict = make_organization()
    Membership.objects.create(organization=strict, user=admin.user, role=Role.ADMIN)
    ask_everybody(strict)
    assert admin.get("/v1/contacts").status == 200
    assert admin.get("/v1/contacts", **{"X-Organization-ID": str(strict.pk)}).status == 403
    refused = admin.post("/v1/auth/switch-organization", {"organizationId": str(strict.pk)})
    assert refused.error["code"] == "SECOND_FACTOR_REQUIRED"
    assert login(admin, organizationId=str(strict.pk)).error["code"] == "TOTP_ENROLMENT_REQUIRED"
    assert login(admin).data["user"]["organization"]["id"] == str(admin.organization.pk)


def test_an_admin_resets_a_member_who_is_told(admin: Person, agent: Person):
    switch_on(agent)
    membership = Membership.objects.get(user=agent.user)
    assert admin.get(f"/v1/members/{membership.pk}").data["hasSecondFactor"] is True
    address = f"/v1/members/{membership.pk}/totp-reset"
    assert admin.post(address).status == 200
    run_jobs(admin.organization)
    assert [sent.to for sent in mail.outbox] == [[agent.user.email]]
    assert "second_factor.reset" in actions(admin)
    assert agent.get("/v1/auth/me").status == 401
    assert login(agent).status == 200
    assert admin.post(address).error["code"] == "TOTP_DISABLED"


def test_a_member_of_another_organization_too_is_left_to_the_operator(admin: Person, agent: Person):
    switch_on(agent)
    Membership.objects.create(organization=make_organization(), user=agent.user, role=Role.AGENT)
    membership = Membership.objects.get(user=agent.user, organization=admin.organization)
    assert admin.post(f"/v1/members/{membership.pk}/totp-reset").error["code"] == "BELONGS_ELSEWHERE"


def test_an_invitation_is_no_way_around_the_second_step(admin: Person, outsider: Person):
    switch_on(outsider)
    invitation = invite(admin, outsider.user.email).data
    answer = accept(mailed_token(admin, invitation), PASSWORD)
    assert answer.error["code"] == "TOTP_REQUIRED"
    assert Membership.objects.filter(user=outsider.user, organization=admin.organization).exists()


def test_a_person_with_two_steps_is_asked_wherever_they_belong(admin: Person):
    person = make_person(make_organization(), Role.AGENT)
    switch_on(person)
    assert login(person, organizationId=str(person.organization.pk)).error["code"] == "TOTP_REQUIRED"
    assert login(admin).status == 200
