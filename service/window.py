"""Window: how much of a stream is in flight at once, from a line's arrival until its answer is sent."""

import asyncio


class Window:
    """Room for so many documents and bytes, entered by one task and left by another.

    Args:
        max_documents: The most documents.
        max_bytes: The most bytes; a document that is bigger gets in when it is alone.
    """

    def __init__(self, *, max_documents: int, max_bytes: int) -> None:
        self.max_documents = max_documents
        self.max_bytes = max_bytes
        self.documents = 0
        self.bytes = 0
        self._left = asyncio.Event()

    def has_room(self, size: int) -> bool:
        """Whether a document of so many bytes may enter now."""
        if not self.documents:
            return True
        return self.documents < self.max_documents and self.bytes + size <= self.max_bytes

    async def wait_for_room(self, size: int) -> None:
        """Wait until a document of so many bytes may enter."""
        while not self.has_room(size):
            self._left.clear()
            await self._left.wait()

    def enter(self, size: int) -> None:
        """Let in a document for which there is room."""
        assert self.has_room(size)
        self.documents += 1
        self.bytes += size

    def leave(self, size: int) -> None:
        """Let out a document that entered with so many bytes."""
        self.documents -= 1
        self.bytes -= size
        self._left.set()
