"""What was asked for last is kept, and no more than so much of it."""

from __future__ import annotations

from loopnet_cli.recent import Recent


def test_it_is_made_once_and_the_oldest_is_forgotten():
    made = []

    def ask(key: str) -> str:
        return memory.get(key, lambda: (made.append(key), key.upper())[1])

    memory: Recent[str, str] = Recent(2)
    assert [ask(key) for key in "aabacb"] == ["A", "A", "B", "A", "C", "B"]
    assert made == ["a", "b", "c", "b"] and len(memory) == 2


def test_what_is_found_is_kept_longer():
    memory: Recent[str, str] = Recent(2)
    for key in "ab":
        memory.keep(key, key.upper())
    assert memory.find("axa") == {"a": "A"}
    memory.keep("c", "C")
    assert memory.find("abc") == {"a": "A", "c": "C"}


def test_what_could_not_be_made_is_asked_again():
    memory: Recent[int, int] = Recent(1)
    for _ in range(2):
        try:
            memory.get(0, lambda: 1 // 0)
        except ZeroDivisionError:
            continue
    assert len(memory) == 0 and memory.get(0, lambda: 5) == 5
