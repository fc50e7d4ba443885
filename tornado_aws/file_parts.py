"""Parts of files: each can be sent as a body of its own, and is in no memory until then."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FilePart", "OpenFile", "open_file"]


class FilePart:
    """A part of a file, with the methods of a file; used by one thread at a time.

    Its position is its own, so that parts of one file can be read at the same time.

    Args:
        file: the file.
        start: where the part begins.
        length: how many bytes it has.
    """

    def __init__(self, file: io.FileIO, start: int, length: int) -> None:
        self._file = file
        self._start = start
        self._length = length
        self._position = 0

    def __len__(self) -> int:
        return self._length

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position and return it, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, `size` at most; none at the end.

        Raises:
            ValueError: the file is closed.
            OSError: the file cannot be read.
        """
        rest = max(0, self._length - self._position)
        wanted = rest if size < 0 else min(size, rest)
        data = os.pread(self._file.fileno(), wanted, self._start + self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        """Put the next bytes into a buffer and return how many; none at the end.

        Raises:
            ValueError: the file is closed.
            OSError: the file cannot be read.
        """
        if not hasattr(os, "preadv"):  # macOS before version 11
            data = self.read(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        rest = max(0, self._length - self._position)
        place = self._start + self._position
        size = os.preadv(self._file.fileno(), [buffer[:rest]], place)
        self._position += size
        return size


class OpenFile:
    """A regular file that is open for reading, from where it stands to its end.

    Args:
        file: the file.
        start: where it stands.
        is_own: whether `close` closes it.
    """

    def __init__(self, file: io.FileIO, start: int, is_own: bool) -> None:
        self._file = file
        self._start = start
        self._is_own = is_own
        self.length = max(0, os.fstat(file.fileno()).st_size - start)

    def parts(self, size: int) -> Iterator[FilePart]:
        """Yield parts of `size` bytes, the last one shorter, at least one."""
        for start in range(0, self.length or 1, size):
            yield FilePart(self._file, self._start + start, min(size, self.length - start))

    def close(self) -> None:
        """Close the file unless it is the caller's."""
        if self._is_own:
            self._file.close()


def open_file(source: object) -> OpenFile | None:
    """Return the regular file that a source is, None if it is something else.

    Files that are more than their bytes on the disk, decompressed ones for example, are something
    else.

    Args:
        source: a path or an open file.

    Raises:
        OSError: the path cannot be opened.
    """
    if not hasattr(os, "pread"):  # Windows
        return None
    if isinstance(source, os.PathLike):
        path = Path(source)
        return OpenFile(path.open("rb", buffering=0), 0, True) if path.is_file() else None
    raw = source.raw if isinstance(source, io.BufferedReader) else source
    if not isinstance(raw, io.FileIO) or not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return None
    return OpenFile(raw, source.tell(), False) if isinstance(source, io.IOBase) else None
