import asyncio

from service.window import Window


def test_documents_and_bytes_are_counted() -> None:
    window = Window(max_documents=2, max_bytes=10)
    window.enter(4)
    assert window.has_room(6)
    assert not window.has_room(7)
    window.enter(0)
    assert not window.has_room(0)
    window.leave(4)
    assert (window.documents, window.bytes) == (1, 0)
    assert window.has_room(10)


def test_what_is_bigger_gets_in_alone() -> None:
    window = Window(max_documents=2, max_bytes=10)
    window.enter(1)
    assert not window.has_room(11)
    window.leave(1)
    window.enter(11)
    assert not window.has_room(0)


def test_waiting_ends_when_there_is_room_and_not_before() -> None:
    async def scenario() -> None:
        window = Window(max_documents=3, max_bytes=10)
        for _ in range(3):
            window.enter(3)
        waiting = asyncio.create_task(window.wait_for_room(5))
        window.leave(3)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        window.leave(3)
        await waiting
        window.enter(5)
        await window.wait_for_room(1)

    asyncio.run(scenario())
