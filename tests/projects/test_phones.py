"""Two phones, an office, and a line that drops, repeats and reorders.

An oracle of its own keeps who wrote which note when. It says when a conflict must appear and when
it must not; at the end every edit has come to something, and to that once.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.kit.decision import Conflict as Refusal
from services.kit.decision import NotAllowed
from services.projects import domain
from services.projects.domain import Claim, Edit, Report
from tests.projects.builders import NOW
from tests.projects.desk import Desk

PHONES = st.sampled_from(["li", "wang"])
NUMBERS = st.sampled_from([1, 2])
ON = date(2026, 3, 1)


@dataclass
class Phone:
    """What it holds: edits that are not acknowledged, the chain's end, and the versions that it has read."""

    queue: list[Edit] = field(default_factory=list)
    last: str | None = None
    base: dict[int, int] = field(default_factory=lambda: {1: 1, 2: 1})


class Phones(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.phones = {"li": Phone(), "wang": Phone()}
        self.now = NOW
        self.made: dict[str, Edit] = {}
        self.chains: dict[str, str] = {}
        # The oracle: of each milestone's note the version at which it was written, and by which chain.
        self.writes: dict[int, list[tuple[int, str | None]]] = {1: [], 2: []}
        self.must_conflict: set[str] = set()
        self.counted: list[tuple[Any, float]] = []

    def tick(self) -> int:
        self.now += timedelta(minutes=1)
        return len(self.made) + int((self.now - NOW).total_seconds())

    # What phones do without a line.

    def make(self, who: str, **fields: Any) -> None:
        phone, number = self.phones[who], self.tick()
        edit = Edit(
            id=f"{who}-{number}",
            after=phone.last,
            occurred_at=self.now,
            sent="",
            fingerprint=str(number),
            who=who,
            came_at=self.now,
            detail={"zh": "", "en": ""},
            **fields,
        )
        self.chains[edit.id] = self.chains[phone.last] if phone.last else edit.id
        self.made[edit.id] = edit
        phone.queue.append(edit)
        phone.last = edit.id

    def report(self, who: str, no: int, **told: Any) -> None:
        report = Report(occurred_at=self.now + timedelta(minutes=1), **told)
        base = self.phones[who].base[no]
        self.make(
            who, kind="milestone-report", project_id="project-1", milestone_no=no, base_version=base, report=report
        )

    @rule(who=PHONES, no=NUMBERS)
    def writes_a_note(self, who: str, no: int) -> None:
        self.report(who, no, note=f"{who} {self.tick()}")

    @rule(who=PHONES, no=NUMBERS)
    def takes_a_photo(self, who: str, no: int) -> None:
        sha256 = f"{self.tick():064x}"
        self.desk.upload(sha256, who)
        self.report(who, no, evidence=(sha256,))

    @rule(who=PHONES)
    def counts(self, who: str) -> None:
        value = self.tick()
        claim = Claim(indicator="villages_with_fibre", value=value, on=ON, occurred_at=self.now + timedelta(minutes=1))
        self.make(
            who,
            kind="observation",
            project_id="project-1",
            milestone_no=None,
            base_version=None,
            claim=claim,
        )

    # The line.

    @rule(who=PHONES, lost=st.booleans(), data=st.data())
    def sends(self, who: str, lost: bool, data: st.DataObject) -> None:
        """Some of the queue in any order, some of it twice; `lost` is the answer."""
        phone = self.phones[who]
        if not phone.queue:
            return
        sent = data.draw(st.lists(st.sampled_from(phone.queue), max_size=2 * len(phone.queue)))
        self.push(sent, None if lost else phone)

    @rule(who=PHONES)
    def sends_all_and_reads(self, who: str) -> None:
        """With an empty queue the next chain begins on what stands here now."""
        phone = self.phones[who]
        self.push(phone.queue, phone)
        assert not phone.queue
        phone.last = None
        phone.base = {no: self.desk.project.milestone(no).version for no in (1, 2)}

    def push(self, edits: list[Edit], phone: Phone | None) -> None:
        self.tick()
        for edit in list(edits):
            verdict = self.watched(edit, lambda edit=edit: self.desk.take(edit, self.now))
            over = [edit.id] if verdict.is_over else []
            while over:
                for waiting in self.desk.waiting_for(over.pop()):
                    if self.watched(waiting, lambda one=waiting: self.desk.settle(one, self.now)).is_over:
                        over.append(waiting.id)
        if phone:
            taken = {id for id, edit in self.desk.edits.items() if edit.is_in}
            phone.queue = [one for one in phone.queue if one.id not in taken]

    def watched(self, edit: Edit, act: Any) -> Edit:
        """Lets an edit in, and holds what came of it against the oracle."""
        known = self.desk.edits.get(edit.id)
        is_first = known is None or known.outcome == "waiting"
        note = self.made[edit.id].report and self.made[edit.id].report.note
        clashes = note is not None and any(
            version > edit.base_version and chain != self.chains[edit.id]
            for version, chain in self.writes[edit.milestone_no]
        )
        before = len(self.desk.events)
        verdict: Edit = act()
        if not is_first:
            assert verdict.outcome == "duplicate"
            assert len(self.desk.events) == before
        elif verdict.outcome != "waiting":
            assert (verdict.outcome == "conflict") == clashes
            assert verdict.outcome in ("applied", "merged", "conflict")
            if clashes:
                self.must_conflict.add(edit.id)
                (clash,) = self.desk.conflicts[verdict.conflict_id].fields
                assert (clash.mine, clash.theirs) == (note, self.desk.project.milestone(edit.milestone_no).note)
            elif note is not None:
                self.wrote(edit.milestone_no, self.chains[edit.id])
        return verdict

    def wrote(self, no: int, chain: str | None) -> None:
        self.writes[no].append((self.desk.project.milestone(no).version, chain))

    # What the office does meanwhile.

    @rule(no=NUMBERS)
    def office_writes(self, no: int) -> None:
        note = f"office {self.tick()}"
        self.desk.report(no, note, "zhao", self.now)
        self.wrote(no, None)

    @rule(no=NUMBERS, what=st.sampled_from(["verify", "return", "reschedule"]))
    def office_acts(self, no: int, what: str) -> None:
        self.tick()
        project, who = self.desk.project, {"who": "sun", "now": self.now}
        try:
            if what == "verify":
                self.desk.keep(domain.verify_milestone(project, no, None, **who))
            elif what == "return":
                self.desk.keep(domain.return_milestone(project, no, "why", **who))
            else:
                self.desk.keep(domain.reschedule_milestone(project, no, date(2026, 9, 1), "why", **who))
        except (Refusal, NotAllowed):
            pass

    @rule()
    def office_counts(self) -> None:
        value = self.tick()
        claim = Claim(indicator="villages_with_fibre", value=value, on=ON, occurred_at=self.now)
        self.desk.observe(claim, "zhao", self.now)
        self.counted.append((self.now, value))

    @precondition(lambda self: any(one.status == "open" for one in self.desk.conflicts.values()))
    @rule(choice=st.sampled_from(["mine", "theirs", "other"]), data=st.data())
    def office_resolves(self, choice: str, data: st.DataObject) -> None:
        open_ = [one for one in self.desk.conflicts.values() if one.status == "open"]
        conflict = data.draw(st.sampled_from(open_))
        (clash,) = conflict.fields
        note = f"office {self.tick()}" if choice == "other" else getattr(clash, choice)
        self.desk.resolve(conflict, note, "zhao", self.now)
        if note != clash.theirs:
            self.wrote(conflict.milestone_no, None)

    # What must hold whatever happened.

    @invariant()
    def every_open_conflict_lists_what_waits_and_what_stands(self) -> None:
        for conflict in self.desk.conflicts.values():
            (clash,) = conflict.fields
            if conflict.status == "open":
                assert clash.theirs == self.desk.project.milestone(conflict.milestone_no).note
                assert clash.mine != clash.theirs or clash.mine is not None

    @invariant()
    def nobody_verified_what_they_reported(self) -> None:
        for milestone in self.desk.project.milestones:
            assert milestone.verified_by is None or milestone.verified_by not in milestone.reporters

    def teardown(self) -> None:
        for who in self.phones:
            self.sends_all_and_reads(who)
        history = self.desk.history
        for id, made in self.made.items():
            kept = self.desk.edits[id]
            assert kept.is_in
            assert (kept.outcome == "conflict") == (id in self.must_conflict)
            if made.report:
                assert made.who in self.desk.project.milestone(made.milestone_no).reporters
            if made.report and made.report.note:
                values = [entry for entry in history if entry.new == made.report.note and entry.edit == kept.link]
                assert len(values) == 1, "each note is in the history, once, as its phone's"
                assert values[0].field.startswith("conflicts/") == (kept.outcome == "conflict")
            if made.report and made.report.evidence:
                assert set(made.report.evidence) <= set(self.desk.project.milestone(made.milestone_no).evidence)
            if made.claim:
                self.counted.append((made.occurred_at, made.claim.value))
        if self.counted:
            (observation,) = self.desk.observations.values()
            assert observation.value == max(self.counted)[1], "what was observed last counts"


TestPhones = Phones.TestCase
TestPhones.settings = settings(max_examples=75, stateful_step_count=30, deadline=None)
