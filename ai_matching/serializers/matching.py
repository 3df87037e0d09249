"""Questions, results with their reasons, verdicts."""

from typing import Any

from rest_framework import serializers

from ai_matching.models import Match, MatchedPerson, MatchKind, SubjectKind, Verdict
from ai_matching.services.matching import POOL, Answer, Scored
from ai_matching.services.people import Person
from ai_matching.services.settings import WEIGHTS
from recruitment.models import JobOpening, JobSearch, RemoteKind, RemotePreference
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, Serializer, blank_or


class WeightsSerializer(Serializer):
    """What factors count against each other, 0 to 1; those left out count as the organization says."""

    similarity = serializers.FloatField(required=False, min_value=0, max_value=1)
    skills = serializers.FloatField(required=False, min_value=0, max_value=1)
    experience = serializers.FloatField(required=False, min_value=0, max_value=1)
    location = serializers.FloatField(required=False, min_value=0, max_value=1)
    salary = serializers.FloatField(required=False, min_value=0, max_value=1)
    availability = serializers.FloatField(required=False, min_value=0, max_value=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs and not sum(({**WEIGHTS, **attrs}).values()):
            raise serializers.ValidationError("Something must count.", code="range")
        return attrs


class CandidateFiltersSerializer(Serializer):
    """Hard conditions: who does not meet them is not shown."""

    candidateIds = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=POOL,
        help_text="These alone: how each of them suits, and why, beside the others.",
    )
    jobSearch = serializers.MultipleChoiceField(choices=JobSearch.choices, required=False)
    skills = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=20, help_text="All must be there."
    )
    remotePreference = serializers.ChoiceField(choices=RemotePreference.choices, required=False)
    city = serializers.CharField(max_length=100, required=False)
    state = serializers.CharField(max_length=50, required=False)
    country = serializers.CharField(max_length=2, required=False)
    availableBy = serializers.DateField(required=False, help_text="Available on or before; or at once.")
    experienceFrom = serializers.FloatField(required=False, min_value=0, max_value=80, help_text="Years, not fewer.")
    excludeApplicants = serializers.BooleanField(required=False, help_text="Leave out who applied to the job already.")


class JobFiltersSerializer(Serializer):
    """Hard conditions: jobs that do not meet them are not shown."""

    city = serializers.CharField(max_length=100, required=False)
    state = serializers.CharField(max_length=50, required=False)
    country = serializers.CharField(max_length=2, required=False)
    remoteKind = serializers.ChoiceField(choices=RemoteKind.choices, required=False)
    clientId = serializers.UUIDField(required=False)
    salaryFrom = serializers.DecimalField(
        max_digits=14, decimal_places=2, required=False, min_value=0, help_text="As the job states it."
    )


class AskSerializer(Serializer):
    weights = WeightsSerializer(required=False)
    title_weight = serializers.FloatField(
        required=False, min_value=0, max_value=1, help_text="What the likeness of titles counts against that of texts."
    )
    threshold = serializers.IntegerField(required=False, min_value=0, max_value=100)
    page = serializers.IntegerField(required=False, min_value=1, max_value=POOL)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100)


def one_of(attrs: dict[str, Any], first: str, second: str) -> dict[str, Any]:
    """Refuse questions about none or both of two things."""
    if (attrs.get(first) is None) == (not attrs.get(second)):
        raise serializers.ValidationError({first: [f"Give either {first} or {second}."]}, code="required")
    return attrs


class MatchCandidatesSerializer(AskSerializer):
    """A job, or a free text such as an advertisement."""

    jobId = serializers.UUIDField(required=False)
    text = serializers.CharField(required=False, max_length=50_000)
    filters = CandidateFiltersSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return one_of(attrs, "jobId", "text")


class MatchJobsSerializer(AskSerializer):
    """A candidate's profile, or the text of a CV, which is not kept."""

    candidateId = serializers.UUIDField(required=False)
    text = serializers.CharField(required=False, max_length=50_000)
    filters = JobFiltersSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return one_of(attrs, "candidateId", "text")


class MatchFactorSerializer(Serializer):
    factor = serializers.ChoiceField(choices=list(WEIGHTS), read_only=True)
    value = serializers.FloatField(read_only=True, help_text="0 to 1.")
    weight = serializers.FloatField(read_only=True, help_text="Its share of those that were known.")
    points = serializers.FloatField(read_only=True, help_text="What it adds to the score.")
    reason = serializers.CharField(read_only=True)


class ComparedSkillSerializer(Serializer):
    """A skill asked for, and what the candidate has of it."""

    name = serializers.CharField(read_only=True)
    required = serializers.BooleanField(read_only=True)  # type: ignore[assignment]  # the API's name
    wantedLevel = serializers.IntegerField(read_only=True)
    has = serializers.CharField(read_only=True, required=False)
    level = serializers.IntegerField(read_only=True, required=False)
    years = serializers.FloatField(read_only=True, required=False)


class MatchedCandidateSerializer(Serializer):
    """Whom a result is about."""

    id = serializers.UUIDField(source="pk", read_only=True)
    contact_id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="contact", read_only=True)
    headline = serializers.CharField(read_only=True)
    city = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    country = serializers.CharField(read_only=True)
    years_of_experience = serializers.DecimalField(max_digits=4, decimal_places=1, allow_null=True, read_only=True)
    job_search = serializers.ChoiceField(choices=JobSearch.choices, read_only=True)


class MatchedJobSerializer(Serializer):
    """Which job a result is about."""

    id = serializers.UUIDField(source="pk", read_only=True)
    title = serializers.CharField(read_only=True)
    client = NamedSerializer()
    city = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    country = serializers.CharField(read_only=True)
    remote_kind = serializers.ChoiceField(choices=RemoteKind.choices, read_only=True)


class MatchResultSerializer(Serializer):
    """One result: who or what, how well, and why. `id` takes a verdict by POST /ai/match-results/{id}/verdict."""

    id = serializers.UUIDField(source="result_id", read_only=True)
    rank = serializers.IntegerField(read_only=True)
    score = serializers.DecimalField(max_digits=5, decimal_places=2, read_only=True, help_text="0 to 100.")
    reason = serializers.CharField(read_only=True, help_text="Why, in plain words.")
    factors = MatchFactorSerializer(many=True, read_only=True)
    matched_skills = ComparedSkillSerializer(many=True, source="skills.matched", default=list, read_only=True)
    near_skills = ComparedSkillSerializer(many=True, source="skills.near", default=list, read_only=True)
    missing_skills = ComparedSkillSerializer(many=True, source="skills.missing", default=list, read_only=True)
    candidate = MatchedCandidateSerializer(allow_null=True, read_only=True)
    job = MatchedJobSerializer(allow_null=True, read_only=True)

    def to_representation(self, scored: Scored) -> dict[str, Any]:
        """Return what the fields say; asked one by one, those of a page took 9 ms."""
        subject, skills = scored.subject, scored.skills
        is_job = isinstance(subject, JobOpening)
        return {
            "id": str(scored.result_id),
            "rank": scored.rank,
            "score": str(scored.score),
            "reason": scored.reason,
            "factors": scored.factors,
            "matchedSkills": skills.matched if skills else [],
            "nearSkills": skills.near if skills else [],
            "missingSkills": skills.missing if skills else [],
            "candidate": None if is_job else _candidate(subject),
            "job": self.fields["job"].to_representation(subject) if is_job else None,
        }


def _candidate(person: Person) -> dict[str, Any]:
    years = person.years_of_experience
    return {
        "id": str(person.pk),
        "contactId": str(person.contact_id),
        "name": str(person.contact),
        "headline": person.headline,
        "city": person.city,
        "state": person.state,
        "country": person.country,
        "yearsOfExperience": None if years is None else str(years),
        "jobSearch": person.job_search,
    }


class MatchAnswerSerializer(Serializer):
    """The results of a question, and by what they were found."""

    matchId = serializers.UUIDField(source="match.pk", read_only=True)
    provider = serializers.CharField(source="match.provider", read_only=True)
    model = serializers.CharField(source="match.model", read_only=True)
    modelVersion = serializers.CharField(source="match.model_version", read_only=True)
    weights = serializers.DictField(child=serializers.FloatField(), source="match.weights", read_only=True)
    titleWeight = serializers.FloatField(source="match.title_weight", read_only=True)
    threshold = serializers.IntegerField(source="match.threshold", read_only=True)
    notice = serializers.CharField(
        source="match.notice", read_only=True, help_text="What was out of order, if anything."
    )
    results = MatchResultSerializer(many=True, read_only=True)

    def to_representation(self, answer: Answer) -> dict[str, Any]:
        """Return what the fields say."""
        match, result = answer.match, MatchResultSerializer()
        return {
            "matchId": str(match.pk),
            "provider": match.provider,
            "model": match.model,
            "modelVersion": match.model_version,
            "weights": match.weights,
            "titleWeight": match.title_weight,
            "threshold": match.threshold,
            "notice": match.notice,
            "results": [result.to_representation(each) for each in answer.results],
        }


class MatchVerdictSerializer(Serializer):
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)


class MatchSerializer(ModelSerializer):
    """One question of the decision log."""

    kind = serializers.ChoiceField(choices=MatchKind.choices, read_only=True)
    job = NamedSerializer()
    candidate_id = serializers.UUIDField(source="profile_id", read_only=True, allow_null=True)
    weights = serializers.DictField(read_only=True)
    filters = serializers.DictField(read_only=True)
    created_by = PersonField()

    class Meta:
        model = Match
        fields = [
            "id", "kind", "job", "candidate_id", "filters", "weights", "title_weight", "threshold", "provider", "model",
            "model_version", "rules_version", "notice", "total", "created_by", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class LoggedResultSerializer(ModelSerializer):
    """One result as it was shown, and what a person said of it."""

    match_id = serializers.UUIDField(read_only=True)
    job_id = serializers.UUIDField(read_only=True, allow_null=True)
    candidate_id = serializers.UUIDField(source="profile_id", read_only=True, allow_null=True)
    contact_id = serializers.UUIDField(read_only=True, allow_null=True)
    factors = MatchFactorSerializer(many=True, read_only=True)
    verdict = blank_or(Verdict.choices)(read_only=True, help_text="Empty while nobody said anything.")
    decided_by = PersonField()

    class Meta:
        model = MatchedPerson
        fields = [
            "id", "match_id", "rank", "job_id", "candidate_id", "contact_id", "score", "factors", "reason", "verdict",
            "note", "decided_by", "decided_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class MatchQualitySerializer(Serializer):
    """How good the first ten results were, by model and weights."""

    provider = serializers.CharField(read_only=True)
    model = serializers.CharField(read_only=True)
    weights = serializers.DictField(child=serializers.FloatField(), read_only=True)
    judged = serializers.IntegerField(read_only=True)
    good = serializers.IntegerField(read_only=True)
    precision = serializers.FloatField(read_only=True)


class SearchSerializer(Serializer):
    """What to look for in words of one's own."""

    kind = serializers.ChoiceField(choices=SubjectKind.choices)
    text = serializers.CharField(max_length=5_000)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100)


class FoundSerializer(Serializer):
    """Somebody or something a text may mean, the likest first."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=SubjectKind.choices, read_only=True)
    name = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    likeness = serializers.FloatField(read_only=True, help_text="0 to 1.")
