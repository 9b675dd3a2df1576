"""The mirror: typed copies, who depends on whom, and changes told once and in order."""

from __future__ import annotations

import pytest

from hookwright.cluster.mirror import Key, Mirror
from hookwright.kinds import BuildTrigger, InvalidObject, Webhook
from support.objects import raw_buildtrigger, raw_webhook

WEBHOOK = Key("Webhook", "default", "hello")
TRIGGER = Key("BuildTrigger", "default", "hello")


@pytest.fixture
def told():
    return []


@pytest.fixture
def mirror(told):
    made = Mirror()
    made.subscribe(told.append)
    return made


def version(number, **changes):
    metadata = {"resourceVersion": str(number), **changes.pop("metadata", {})}
    return raw_webhook(metadata=metadata, **changes)


def test_object_is_typed_once_and_found_by_name(mirror):
    """What the API server shows is found by namespace and name, as a model of its kind."""
    mirror.put(Webhook, raw_webhook())
    mirror.put(BuildTrigger, raw_buildtrigger())
    assert isinstance(mirror.webhook("default", "hello"), Webhook)
    assert isinstance(mirror.buildtrigger("default", "hello"), BuildTrigger)
    assert mirror.webhook("other", "hello") is None
    assert set(mirror._objects) == {WEBHOOK, TRIGGER}


def test_object_of_another_shape_is_kept_as_invalid(mirror, told):
    """An object that cannot be read is there all the same, so that its status can say so."""
    mirror.put(Webhook, raw_webhook(filters="all"))
    assert isinstance(mirror.webhook("default", "hello"), InvalidObject)
    assert told[0].key == WEBHOOK


def test_change_says_what_was_before(mirror, told):
    """Who is told of a change sees the object as it was and as it is."""
    mirror.put(Webhook, version(1))
    mirror.put(Webhook, version(2, suspend=True), ours=True)
    first, second = told
    assert (first.before, first.found.spec.suspend, first.ours) == (None, False, False)
    assert (second.before.spec.suspend, second.found.spec.suspend, second.ours) == (False, True, True)


@pytest.mark.parametrize("late", [1, 9, 10])
def test_older_and_known_states_are_passed_over(mirror, told, late):
    """A list and a watch run side by side: a state that is not newer than the known one changes nothing."""
    mirror.put(Webhook, version(10, suspend=True))
    mirror.put(Webhook, version(late))
    assert mirror.webhook("default", "hello").spec.suspend is True
    assert len(told) == 1


def test_versions_are_compared_as_numbers(mirror):
    """Version 10 is newer than version 9, although its text sorts before."""
    mirror.put(Webhook, version(9))
    mirror.put(Webhook, version(10, suspend=True))
    assert mirror.webhook("default", "hello").spec.suspend is True


def test_versions_that_are_no_numbers_count_as_they_come(mirror, told):
    """Of versions that are no numbers the newest to arrive counts, and the same one twice is one."""
    for text in ("b", "a", "a"):
        mirror.put(Webhook, version(text))
    assert len(told) == 2
    assert mirror.webhook("default", "hello").metadata.resource_version == "a"


def test_recreated_object_is_another_one(mirror, told):
    """An object of the same name and another UID is news whatever its version."""
    mirror.put(Webhook, version(10))
    mirror.put(Webhook, version(2, metadata={"uid": "another"}))
    assert mirror.webhook("default", "hello").metadata.uid == "another"
    assert [change.found.metadata.uid for change in told][-1] == "another"


def test_removed_object_is_gone(mirror, told):
    """An object that went is told with what it was, once."""
    mirror.put(Webhook, version(1))
    mirror.remove(Webhook, version(2))
    mirror.remove(Webhook, version(2))
    assert mirror.webhook("default", "hello") is None
    assert [(change.found is None) for change in told] == [False, True]


def test_late_removal_does_not_hit_the_successor(mirror):
    """The news that an object went, after another of its name came, leaves the other."""
    mirror.put(Webhook, version(5, metadata={"uid": "another"}))
    mirror.remove(Webhook, version(4))
    assert mirror.webhook("default", "hello").metadata.uid == "another"


def test_what_a_complete_list_does_not_show_is_gone(mirror, told):
    """Objects that went while nobody watched are forgotten after a list, and those of other kinds are not."""
    mirror.put(Webhook, version(1))
    mirror.put(Webhook, version(2, metadata={"name": "kept", "uid": "kept"}))
    mirror.put(BuildTrigger, raw_buildtrigger())
    mirror.retain(Webhook, {"kept"})
    assert set(mirror._objects) == {Key("Webhook", "default", "kept"), TRIGGER}
    assert told[-1].found is None


def test_uids_are_those_of_one_kind(mirror):
    """Which objects of a kind are known can be asked before a list."""
    mirror.put(Webhook, version(1, metadata={"uid": "a"}))
    mirror.put(BuildTrigger, raw_buildtrigger(metadata={"uid": "b"}))
    assert (mirror.uids(Webhook), mirror.uids(BuildTrigger)) == ({"a"}, {"b"})


def test_target_is_that_of_the_webhooks_own_namespace(mirror):
    """A Webhook's target is looked for in its namespace, never in another."""
    mirror.put(Webhook, raw_webhook())
    webhook = mirror.webhook("default", "hello")
    mirror.put(BuildTrigger, raw_buildtrigger(metadata={"namespace": "other"}))
    assert mirror.target_of(webhook) is None
    mirror.put(BuildTrigger, raw_buildtrigger())
    assert mirror.target_of(webhook).metadata.namespace == "default"


def test_invalid_webhook_has_no_target(mirror):
    """What cannot be read names no target."""
    mirror.put(Webhook, raw_webhook(filters="all"))
    assert mirror.target_of(mirror.webhook("default", "hello")) is None


def test_target_knows_its_webhooks(mirror):
    """All Webhooks of a target are found, in order, and those that turned to another target or went are not."""
    for number, name in enumerate("cab"):
        mirror.put(Webhook, version(number, metadata={"name": name, "uid": name}))
    assert [key.name for key in mirror.webhooks_of(TRIGGER)] == ["a", "b", "c"]
    mirror.put(Webhook, version(10, metadata={"name": "a", "uid": "a"}, targetPipeline={"name": "elsewhere"}))
    mirror.remove(Webhook, version(11, metadata={"name": "b", "uid": "b"}))
    assert [key.name for key in mirror.webhooks_of(TRIGGER)] == ["c"]
    assert [key.name for key in mirror.webhooks_of(Key("BuildTrigger", "default", "elsewhere"))] == ["a"]
    mirror.put(Webhook, version(12, metadata={"name": "c", "uid": "c"}, filters="all"))
    assert mirror.webhooks_of(TRIGGER) == []
    assert [target.name for target in mirror._by_target] == ["elsewhere"]


def test_asking_for_webhooks_of_nothing_remembers_nothing(mirror):
    """A target that nobody names has no Webhooks, and asking costs no memory."""
    for number in range(100):
        assert mirror.webhooks_of(Key("BuildTrigger", "default", f"t{number}")) == []
    assert len(mirror._by_target) == 0


# ── what is gone ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_object_that_went_does_not_come_back(mirror, told):
    """An answer or a page of a list that was under way while the object went does not bring it back."""
    mirror.put(Webhook, version(5))
    mirror.remove(Webhook, version(7))
    mirror.put(Webhook, version(6), ours=True)
    mirror.put(Webhook, version(8))
    assert mirror.webhook("default", "hello") is None
    assert len(told) == 2


def test_object_that_a_list_did_not_show_does_not_come_back(mirror):
    """What a complete list did not show is gone for good too."""
    mirror.put(Webhook, version(5))
    mirror.retain(Webhook, set())
    mirror.put(Webhook, version(6))
    assert mirror.webhook("default", "hello") is None


def test_successor_of_the_same_name_is_taken(mirror):
    """Another object of the name, with a UID of its own, is not taken for the one that went."""
    mirror.put(Webhook, version(5))
    mirror.remove(Webhook, version(7))
    mirror.put(Webhook, version(8, metadata={"uid": "successor"}))
    assert mirror.webhook("default", "hello").metadata.uid == "successor"


def test_memory_of_what_went_is_bounded(mirror, monkeypatch):
    """Only the newest UIDs are remembered."""
    monkeypatch.setattr("hookwright.cluster.mirror.MAX_REMEMBERED", 10)
    for number in range(50):
        raw = version(number + 1, metadata={"uid": f"uid-{number}"})
        mirror.put(Webhook, raw)
        mirror.remove(Webhook, raw)
    assert list(mirror._gone) == [f"uid-{number}" for number in range(40, 50)]


def test_object_that_was_replaced_unseen_does_not_come_back(mirror):
    """Of two objects that had a name one after the other the first stays gone, though nobody saw it go."""
    mirror.put(Webhook, version(10))
    mirror.put(Webhook, version(12, metadata={"uid": "another"}))
    mirror.put(Webhook, version(11))  # a page of a list that was under way
    assert mirror.webhook("default", "hello").metadata.uid == "another"


def test_mistake_of_one_listener_hides_nothing(mirror, told):
    """A listener that raises keeps neither the other listeners nor the other objects from being told."""
    mirror.subscribe(lambda _: 1 / 0)
    after = []
    mirror.subscribe(after.append)
    mirror.put(Webhook, raw_webhook())
    mirror.put(BuildTrigger, raw_buildtrigger())
    assert [change.key for change in after] == [change.key for change in told] == [WEBHOOK, TRIGGER]


def test_secret_of_a_buildtrigger_with_a_provider_is_depended_on(mirror):
    """Who tells of a BuildTrigger's own Secret names the BuildTrigger, as long as it has a provider."""
    source = {"provider": "GitHub", "repository": "octo/hello"}
    mirror.put(BuildTrigger, raw_buildtrigger(source=source))
    assert mirror.objects_on("default", "hello-hookwright") == [TRIGGER]
    mirror.put(BuildTrigger, raw_buildtrigger(metadata={"resourceVersion": "2"}))
    assert mirror.objects_on("default", "hello-hookwright") == []
