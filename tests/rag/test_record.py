"""Which stored answers are found, and by whom. On SQLite and on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rag import record
from rag.record import Sought
from rag.system import System
from rag.types import LOCAL_ADMIN, Answer, Caller, Role

WARD = Caller("key:ward", Role.READER)
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def answer(number: int, question: str, **more: Any) -> Answer:
    stated: dict[str, Any] = {
        "id": f"a{number}",
        "question": question,
        "language": "en",
        "mode": "extractive",
        "status": "answered",
        "text": "It is.",
        **dict.fromkeys(("sentences", "withheld", "conflicts", "citations", "passages"), ()),
        "confidence": None,
        "model": "extractive",
        "index_generation": 1,
        "usage": {},
        "timings_ms": {},
        "created_at": (BEGAN + timedelta(days=number)).isoformat(),
    }
    return Answer(**{**stated, **more})


def test_answers_are_found_by_each_of_what_is_sought_and_by_all_of_it(system: System) -> None:
    stored = [
        (LOCAL_ADMIN, answer(1, "Is 100% of Metformin absorbed?")),
        (WARD, answer(2, "Is metformin safe?", mode="grounded", model="Taiyi2")),
        (WARD, answer(3, "Is gout painful?", status="abstained")),
    ]
    with system.database.writing() as session:
        for caller, one in stored:
            record.save(session, caller, one)

    def found(caller: Caller = LOCAL_ADMIN, **sought: Any) -> list[str]:
        with system.database.reading() as session:
            wanted = Sought(**sought)
            ids = [one.id for one in record.latest(session, caller, 10, 0, wanted)]
            assert record.count(session, caller, wanted) == len(ids)
        return ids

    assert found() == ["a3", "a2", "a1"]
    assert found(WARD) == found(caller_id=WARD.id) == ["a3", "a2"]
    assert found(text="METFORMIN") == ["a2", "a1"]
    assert found(text="0%") == ["a1"]
    assert found(text="%") == ["a1"]
    assert found(text="_") == []
    assert found(mode="grounded") == found(model="Taiyi2") == ["a2"]
    assert found(status="abstained") == ["a3"]
    assert found(since=BEGAN + timedelta(days=2), until=datetime(2026, 3, 4)) == ["a2"]
    assert found(text="metformin", caller_id=WARD.id, model="extractive") == []
    assert found(collection="default") == []  # they drew on nothing
    with system.database.reading() as session:
        latest = record.latest(session, LOCAL_ADMIN, 2)
        assert record.askers(session, latest) == {"a3": WARD.id, "a2": WARD.id}
