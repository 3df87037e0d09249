"""Projects: from a won deal in one call, with a team, milestones and a timeline."""

from tests.factories import Person, make_person, unique
from tests.sales.selling import at_once, make_deal, make_pipeline, move
from vocelio.organizations.models import Role, Visibility


def test_a_won_deal_becomes_a_project_once(manager: Person):
    _, stages = make_pipeline(manager)
    client = manager.post("/v1/clients", {"name": unique("Initech")}).data["id"]
    deal = make_deal(manager, stages["New"], amount="900", clientId=client, assignedTo=str(manager.user.pk))
    path = f"/v1/deals/{deal['id']}/project"
    assert manager.post(path).error["code"] == "DEAL_NOT_WON"
    move(manager, deal, stages["Won"])
    answers = at_once(lambda: manager.post(path, {"startsOn": "2026-12-01"}), lambda: manager.post(path))
    assert sorted(answer.status for answer in answers) == [201, 409]
    made, refused = sorted(answers, key=lambda answer: answer.status)
    assert (made.data["name"], made.data["budget"], made.data["client"]["id"]) == (deal["name"], "900.00", client)
    assert refused.error["details"]["existingId"] == made.data["id"]
    assert [each["id"] for each in manager.get(f"/v1/clients/{client}/projects").data] == [made.data["id"]]
    summary = manager.get(f"/v1/clients/{client}/summary").data["figures"]
    assert (summary["wonDeals"], summary["wonDealsAmount"], summary["runningProjects"]) == (1, "900.00", 1)


def test_a_project_is_made_changed_and_deleted(manager: Person):
    body = {
        "name": "Roll-out",
        "startsOn": "2026-12-01",
        "endsOn": "2027-03-01",
        "members": [{"userId": str(manager.user.pk), "role": "Lead", "allocation": 60}],
        "milestones": [{"name": "Kick-off", "dueOn": "2026-12-02"}],
    }
    project = manager.post("/v1/projects", body).data
    assert (project["members"][0]["allocation"], project["milestones"][0]["isCompleted"]) == (60, False)
    address = f"/v1/projects/{project['id']}"
    assert manager.put(address, {"endsOn": "2026-01-01"}).error["details"]["field"] == "endsOn"
    changed = manager.put(address, {"status": "active", "version": 1})
    assert (changed.data["status"], changed.data["version"]) == ("active", 2)
    stale = manager.put(address, {"status": "on_hold"}, **{"If-Match": '"1"'})
    assert (stale.status, stale.error["details"]["current"]["status"]) == (409, "active")
    for query in ("status=active", "search=roll", f"memberId={manager.user.pk}"):
        assert [each["id"] for each in manager.get(f"/v1/projects?{query}").data] == [project["id"]]
    assert manager.delete(address).status == 200
    assert manager.get(address).status == 404


def test_a_team_changes_and_its_people_are_told(manager: Person, agent: Person):
    project = manager.post("/v1/projects", {"name": "Roll-out"}).data
    path = f"/v1/projects/{project['id']}/members"
    member = manager.post(path, {"userId": str(agent.user.pk), "role": "Trainer"}).data
    assert manager.post(path, {"userId": str(agent.user.pk)}).error["code"] == "ALREADY_ON_PROJECT"
    assert agent.get("/v1/notifications").data[0]["title"] == "You work on Roll-out"
    assert manager.patch(f"{path}/{member['id']}", {"allocation": 20}).data["allocation"] == 20
    assert manager.post(path, {"userId": str(agent.user.pk), "allocation": 101}).status == 422
    assert manager.delete(f"{path}/{member['id']}").status == 200
    assert manager.get(f"/v1/projects/{project['id']}").data["members"] == []


def test_the_timeline_tells_what_happened_and_what_is_planned(manager: Person):
    project = manager.post("/v1/projects", {"name": "Roll-out", "endsOn": "2099-03-01"}).data
    path = f"/v1/projects/{project['id']}"
    milestone = manager.post(f"{path}/milestones", {"name": "Kick-off", "dueOn": "2030-12-02"}).data
    manager.put(path, {"status": "active"})
    manager.post("/v1/sales-activities", {"kind": "task", "subject": "Book a room", "projectId": project["id"]})

    def kinds(query: str = "") -> set[str]:
        return {entry["kind"] for entry in manager.get(f"{path}/timeline{query}").data}

    happened = {"project.created", "project.status_changed"}
    assert kinds() == happened | {"project.ends", "milestone.due", "activity.planned"}
    assert kinds("?isPlanned=false") == happened
    manager.put(f"{path}/milestones/{milestone['id']}", {"isCompleted": True})
    assert "milestone.completed" in kinds("?isPlanned=false")
    moments = [entry["at"] for entry in manager.get(f"{path}/timeline").data]
    assert moments == sorted(moments, reverse=True)
    first = manager.get(f"{path}/timeline?cursor=&limit=2").json
    assert len(first["data"]) == 2
    assert manager.get(f"{path}/timeline?limit=2&cursor={first['pagination']['nextCursor']}").status == 200


def test_projects_follow_ownership(manager: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    project = north.post("/v1/projects", {"name": "Northern", "assignedTo": str(north.user.pk)}).data
    assert [each["id"] for each in north.get("/v1/projects").data] == [project["id"]]
    assert south.get("/v1/projects").data == []
    assert south.get(f"/v1/projects/{project['id']}/timeline").status == 404
    assert south.post(f"/v1/projects/{project['id']}/milestones", {"name": "x", "dueOn": "2030-01-01"}).status == 404
