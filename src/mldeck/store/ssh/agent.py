"""The far end of a store on another machine: sent there over ssh, run from memory, gone with the connection.

Nothing imports it: its text is what is sent. It runs on Python 3.6 and later with the standard library alone. It creates no
file. It reads a database by the rules of store/sqlite/files.py; where those recover it or make a copy, this refuses.

Requests come on standard input, each for a stream. A stream is a thread with a connection of its own, so that one read does not
wait for another. Frames are described in store/ssh/frames.py.
"""

import array
import base64
import errno
import json
import os
import queue
import sqlite3
import stat
import struct
import sys
import threading
import time
import zlib
from urllib.parse import quote

MYPY = False
if MYPY:  # for the type checker alone, because it takes long to import over there
    from typing import Any

MAGIC = b"\x00mldeck far end 1\n\xff"
FRAME = struct.Struct(">IIB")
HEAD_LENGTH = struct.Struct(">I")
REQUEST, STOP, ANSWER, FAILURE, CHANGE = 1, 2, 3, 4, 5
PACKED = 0x80
LARGEST_FRAME = 256 << 20
PACKED_FROM = 512
"""Bytes from which a frame is compressed."""
SAMPLE = 4096

OLDEST_SQLITE = (3, 16)
"""The first with table-valued PRAGMAs."""
GENERATED_COLUMNS_SQLITE = (3, 26)
"""The first whose PRAGMAs tell of generated columns as a table."""

SQLITE_MAGIC = b"SQLite format 3\x00"
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
DATABASE_NAME = "mlflow.db"
SIDE_FILES = ("-journal", "-wal", "-shm")
CLOCK_TICK_S = 0.05
"""Seconds within which a file may be changed twice without a change of its modification time."""

WAIT_S = 0.2
"""Seconds that SQLite waits for a lock at a time."""
RETRY_S = 0.05
LOOK_S = 0.2
"""Seconds between two looks for a change."""
INSTRUCTIONS_BETWEEN_CHECKS = 500000
LARGEST_READ = 16 << 20
SHORTEST_IDS = 8
ID_LENGTH = 32


class Refusal(Exception):
    """Something that the near end tells the user. `kind` is one of store/ssh/failures.py."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class Database:
    """The database, and the way it can be read without leaving anything beside it."""

    def __init__(self, path: str, head_fd: int, opening: int) -> None:
        self.path = path
        self.real_path = os.path.realpath(path)
        self.opening = opening
        self.head_fd = head_fd
        """Never closed: closing any descriptor of the file would drop the locks that SQLite holds on it in this process."""
        self.lock = threading.Lock()
        self.watcher: sqlite3.Connection | None = None
        self.quiet_state: object = None
        """What `file_state` was when the write-ahead log was empty, None in other modes: read as immutable."""
        self.is_log_live = False
        """Whether another program keeps a write-ahead log. No connection then outlives a request: the program could not
        remove its log if it ended first."""
        self.last_state: object = None
        self.last_schema: object = None
        self.told: object = None

    def find_way(self) -> None:
        self.check_side_files()
        if not self.is_wal():
            return
        age_s = time.time() - os.fstat(self.head_fd).st_mtime
        if 0 <= age_s < CLOCK_TICK_S:
            time.sleep(CLOCK_TICK_S - age_s)
        state = self.file_state()
        if not self.has_content("-wal") and not self.has_content("-journal"):
            self.quiet_state = state
        elif self.has("-shm"):
            self.is_log_live = True
        else:
            raise Refusal(
                "unavailable",
                f"{self.path} has a write-ahead log of a crashed program, which cannot be read without changing its folder; "
                "the next start of MLflow there puts it right",
            )

    def connect(self) -> sqlite3.Connection:
        options = "mode=ro" if self.quiet_state is None else "mode=ro&immutable=1"
        uri = f"file://{quote(os.fsencode(self.path))}?{options}"
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection

    def check(self) -> None:
        """Raise `Refusal` if the database can no longer be read the way it was opened."""
        if self.quiet_state is not None:
            is_changed = self.file_state() != self.quiet_state
        elif self.is_log_live:
            is_changed = not (self.has("-wal") and self.has("-shm"))
        else:
            is_changed = self.is_wal()
        if is_changed:
            raise Refusal("changed", f"{self.path} was changed while it was read")

    def check_side_files(self) -> None:
        """As `check_side_files` of store/sqlite/files.py does."""
        for suffix in SIDE_FILES:
            place = self.real_path + suffix
            name = os.path.basename(place)
            try:
                status = os.lstat(place)
            except OSError:
                continue
            if not stat.S_ISREG(status.st_mode):
                raise Refusal("refused", f"{self.path} cannot be read: {name} is no ordinary file")
            if suffix == "-journal" and names_super_journal(place):
                raise Refusal(
                    "refused",
                    f"{self.path} cannot be read: {name} names another file, which SQLite would delete",
                )

    def is_wal(self) -> bool:
        return os.pread(self.head_fd, 20, 0)[18:20] == b"\x02\x02"

    def has(self, suffix: str) -> bool:
        return os.path.exists(self.real_path + suffix)

    def has_content(self, suffix: str) -> bool:
        try:
            return os.stat(self.real_path + suffix).st_size > 0
        except OSError:
            return False

    def file_state(self) -> object:
        """A value that changes with the database or its write-ahead log."""
        log = state_of(self.real_path + "-wal")
        return [state_of(self.path), log if log and log[-1] else None]

    def identity(self) -> "list[int] | None":
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return [status.st_dev, status.st_ino]

    def files(self) -> "set[tuple[int, int]]":
        """The identities of the database and its side files, whose descriptors must not be closed."""
        found = set()
        for suffix in ("",) + SIDE_FILES:
            try:
                status = os.stat(self.real_path + suffix)
            except OSError:
                continue
            found.add((status.st_dev, status.st_ino))
        return found

    def look(self) -> "dict[str, Any]":
        """Return what tells whether anything changed: `schema` when it must be opened again, `data` when rows changed."""
        with self.lock:
            found: dict[str, Any] = {
                "identity": self.identity(),
                "data": None,
                "schema": None,
                "locked": False,
                "error": None,
            }
            if found["identity"] is None:
                return found
            try:
                self.check_side_files()
                found["data"], found["schema"] = self.versions()
            except Refusal as refusal:
                found["error"] = refusal.text
            except (sqlite3.Error, OSError) as error:
                found["error"] = str(error)
                found["locked"] = is_locked(error)
            return found

    def versions(self) -> "tuple[object, object]":
        if self.quiet_state is not None:
            return None, self.file_state()
        if self.is_log_live:
            if not (self.has_content("-wal") and self.has("-shm")):
                return None, "no log"
            state = self.file_state()
            if state != self.last_state:
                connection = self.connect()
                try:
                    self.last_schema = pragma(connection, "schema_version")
                finally:
                    connection.close()
                self.last_state = state
            return self.last_state, self.last_schema
        if self.is_wal():
            return None, "log"
        if self.watcher is None:
            self.watcher = self.connect()
        return pragma(self.watcher, "data_version"), pragma(self.watcher, "schema_version")

    def close(self) -> None:
        with self.lock:
            if self.watcher is not None:
                self.watcher.close()
                self.watcher = None


def pragma(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute("PRAGMA " + name).fetchone()
    if row is None:
        raise sqlite3.OperationalError("no answer to PRAGMA " + name)
    return row[0]


def state_of(path: str) -> "list[int] | None":
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size]


def names_super_journal(journal: str) -> bool:
    with open(journal, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(JOURNAL_MAGIC)))
        return file.read() == JOURNAL_MAGIC


def is_locked(error: Exception) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def careful_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def query(connection: sqlite3.Connection, text: str, values: "list[Any]") -> "tuple[list[str], list[tuple[Any, ...]]]":
    """Return the names of the columns, and all rows. Text that is not UTF-8 is read again, with replacement characters."""
    for factory in (str, careful_text):
        connection.text_factory = factory
        cursor = connection.cursor()
        try:
            cursor.execute(text, values)
            rows = cursor.fetchall()
            return [column[0] for column in cursor.description or ()], rows
        except sqlite3.OperationalError as error:
            if factory is careful_text or "decode" not in str(error):
                raise
        finally:
            cursor.close()
    raise AssertionError("unreachable")


def pack_rows(names: "list[str]", rows: "list[tuple[Any, ...]]") -> "tuple[dict[str, Any], bytes]":
    """Pack column by column: whole numbers and floats as 8 bytes each, ids of runs as 16, all else as JSON."""
    kinds, parts = [], []
    for column in zip(*rows) if rows else [()] * len(names):
        kind, data = pack_column(column)
        kinds.append((kind, len(data)))
        parts.append(data)
    return {"names": names, "kinds": kinds, "count": len(rows)}, b"".join(parts)


def pack_column(column: "tuple[Any, ...]") -> "tuple[str, bytes]":
    types = set(map(type, column))
    if types == {int} or types == {float}:
        kind = "q" if types == {int} else "d"
        numbers = array.array(kind, column)
        if sys.byteorder == "big":
            numbers.byteswap()
        return kind, numbers.tobytes()
    if types == {str} and len(column) >= SHORTEST_IDS and set(map(len, column)) == {ID_LENGTH}:
        data = bytes_of_hex("".join(column))
        if data is not None:
            return "h", data
    if bytes in types:
        column = tuple({"b": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in column)
        return "b", packed_json(column)
    return "j", packed_json(column)


def bytes_of_hex(text: str) -> "bytes | None":
    """Return what the text is the hexadecimal form of; None if it is another text. As fast as can be: it may be long."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if data.hex() == text else None


def packed_json(value: object) -> bytes:
    """Names of files may hold bytes that are not UTF-8, which Python keeps as halves of characters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class Stream:
    """A thread that answers the requests of one connection of the near end, one after another."""

    def __init__(self, agent: "Agent") -> None:
        self.agent = agent
        self.requests: queue.Queue[tuple[int, dict[str, Any]]] = queue.Queue()
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.database: Database | None = None
        self.current = 0
        self.finished = 0
        self.stopped: set[int] = set()
        thread = threading.Thread(target=self.work)
        thread.daemon = True
        thread.start()

    def stop(self, number: int) -> None:
        """Stop a request that waits or runs; nothing happens to later ones."""
        with self.lock:
            if number <= self.finished:
                return
            self.stopped.add(number)
            if number == self.current and self.connection is not None:
                self.connection.interrupt()

    def is_stopped(self) -> bool:
        return self.current in self.stopped

    def work(self) -> None:
        while True:
            number, request = self.requests.get()
            with self.lock:
                self.current = number
            try:
                if request["do"] == "close":
                    self.disconnect()
                    return
                head, body = self.answer(request)
                self.agent.send(number, ANSWER, head, body)
            except Exception as error:
                self.agent.send(number, FAILURE, described(error))
            finally:
                with self.lock:
                    self.finished = number
                    self.stopped = {other for other in self.stopped if other > number}

    def answer(self, request: "dict[str, Any]") -> "tuple[dict[str, Any], bytes]":
        do = request["do"]
        if do == "sql":
            return self.run(request["statements"])
        if do == "open":
            return self.agent.open(request, self), b""
        if do == "entries":
            return entries(request["root"], request["path"], request["follow"])
        if do == "entry":
            return entry(request["root"], request["path"], request["follow"])
        if do == "read":
            path = real_path(request["root"], request["path"], request["follow"])
            return read_file(path, request["at"], request["count"], self.agent.database)
        if do == "exists":
            return first_existing(request["paths"], request["folders"], self.agent.database), b""
        raise Refusal("refused", f"unknown request {do!r}")

    def run(self, statements: "list[tuple[str, list[Any]]]") -> "tuple[dict[str, Any], bytes]":
        """Run statements one after another, each fetched completely. What follows one that fails is not run."""
        database = self.agent.database
        if database is None:
            raise Refusal("refused", "no database is open")
        database.check_side_files()
        database.check()
        heads, bodies = [], []
        try:
            connection = self.connected(database)
            earlier = []  # type: list[list[tuple[Any, ...]]]
            for text, values in statements:
                if self.is_stopped():
                    raise sqlite3.OperationalError("interrupted")
                filled = filled_in(text, values, earlier)
                names, rows = query(connection, *filled) if filled else ([], [])
                earlier.append(rows)
                head, body = pack_rows(names, rows)
                heads.append(head)
                bodies.append(body)
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            database.check()
            heads.append(described(error))
        finally:
            if database.is_log_live:
                self.disconnect()
        database.check()
        return {"results": heads}, b"".join(bodies)

    def connected(self, database: Database) -> sqlite3.Connection:
        if self.database is not database:
            self.disconnect()
        if self.connection is None:
            connection = database.connect()
            connection.set_progress_handler(self.is_stopped, INSTRUCTIONS_BETWEEN_CHECKS)
            with self.lock:
                self.connection, self.database = connection, database
        return self.connection

    def disconnect(self) -> None:
        with self.lock:
            if self.connection is not None:
                self.connection.close()
            self.connection = self.database = None


def is_worth_packing(data: bytes) -> bool:
    """Judge by a sample: ids and floats are as good as random, and compressing a million of them takes its time."""
    middle = len(data) // 2
    sample = data[max(0, middle - SAMPLE) : middle + SAMPLE]
    return len(zlib.compress(sample, 1)) < 0.9 * len(sample)


def filled_in(text: str, values: "list[Any]", earlier: "list[list[tuple[Any, ...]]]") -> "tuple[str, list[Any]] | None":
    """Put the first column of the rows of an earlier statement in the place of each value that stands for them.

    None if that is no value, or more than may be bound: then the near end does not ask the statement.
    """
    if not any(isinstance(value, dict) and "earlier" in value for value in values):
        return text, [unpacked(value) for value in values]
    parts = text.split("?")
    if len(parts) != len(values) + 1:
        return None  # a question mark in a text or a name
    filled, bound = parts[0], []  # type: str, list[Any]
    for value, part in zip(values, parts[1:]):
        some = [unpacked(value)]
        if isinstance(value, dict) and "earlier" in value:
            some = [row[0] for row in earlier[value["earlier"]]]
            if not 0 < len(some) <= value["most"]:
                return None
        bound += some
        filled += ", ".join("?" * len(some)) + part
    return filled, bound


def unpacked(value: object) -> object:
    return base64.b64decode(value["b"]) if isinstance(value, dict) and "b" in value else value


def described(error: Exception) -> "dict[str, Any]":
    """Return an error for the near end, which makes one of the same kind of it."""
    if isinstance(error, Refusal):
        return {"refusal": error.kind, "text": error.text}
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno or 0, "EIO")
        return {"errno": name, "text": error.strerror or str(error), "path": error.filename}
    return {"error": type(error).__name__, "text": str(error)}


ENTRY_COLUMNS = ["name", "state", "mode", "size", "mtime_ns", "is_open", "target"]
ORDINARY, LINK, ESCAPE, BROKEN, DENIED = "", "link", "escape", "broken", "denied"
"""The states of an entry: only a link has another one than the first and the last."""


def real_path(root: str, path: str, follow: bool) -> str:
    """Resolve a path below the real folder `root`. Raises `OSError` EXDEV, which no other call here does, if it leads out."""
    real = os.path.realpath(os.path.join(root, *path.split("/")))
    if not (follow or is_inside(real, root)):
        raise OSError(errno.EXDEV, "leads out of the folder", real)
    return real


def is_inside(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip("/") + "/")


def entries(root: str, path: str, follow: bool) -> "tuple[dict[str, Any], bytes]":
    """List a folder. What a link leads to is told only if it is inside of `root`, or if links are followed."""
    found: list[tuple[Any, ...]] = []
    with os.scandir(real_path(root, path, follow)) as items:
        for item in items:
            try:
                found.append((item.name,) + facts(root, item.path, follow))
            except FileNotFoundError:
                continue  # gone meanwhile
            except PermissionError:
                mode = stat.S_IFDIR if item.is_dir(follow_symlinks=False) else 0
                found.append((item.name, DENIED, mode, 0, 0, False, None))
    head, body = pack_rows(ENTRY_COLUMNS, found)
    return {"results": [head]}, body


def entry(root: str, path: str, follow: bool) -> "tuple[dict[str, Any], bytes]":
    """Describe one path. Only what is above it is resolved."""
    parent, _, name = path.rpartition("/")
    if name in ("", ".", ".."):
        place = real_path(root, path, follow)
    else:
        place = os.path.join(real_path(root, parent, follow), name)
    head, body = pack_rows(ENTRY_COLUMNS, [(name,) + facts(root, place, follow)])
    return {"results": [head]}, body


def facts(root: str, place: str, follow: bool) -> "tuple[Any, ...]":
    """Return all columns but the name. Those of a link are of what it leads to."""
    status = os.lstat(place)
    if not stat.S_ISLNK(status.st_mode):
        return (ORDINARY,) + described_status(place, status) + (None,)
    target, real = os.readlink(place), os.path.realpath(place)
    nothing = (0, 0, 0, False, target)
    if not (follow or is_inside(real, root)):
        return (ESCAPE,) + nothing
    try:
        return (LINK,) + described_status(real, os.stat(real)) + (target,)
    except PermissionError:
        return (DENIED,) + nothing
    except OSError:  # also for a link to itself
        return (BROKEN,) + nothing


def described_status(place: str, status: os.stat_result) -> "tuple[int, int, int, bool]":
    wanted = os.R_OK | os.X_OK if stat.S_ISDIR(status.st_mode) else os.R_OK
    is_open = os.access(place, wanted, effective_ids=os.access in os.supports_effective_ids)
    return status.st_mode, status.st_size, status.st_mtime_ns, is_open


def read_file(path: str, at: int, count: int, database: "Database | None") -> "tuple[dict[str, Any], bytes]":
    """Read a part of an ordinary file, never through a link. Fewer bytes come where the file ends."""
    status = os.lstat(path)
    if database is not None and (status.st_dev, status.st_ino) in database.files():
        raise Refusal("refused", f"{path} is the database")
    # Opening a pipe would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(path, flags)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Refusal("refused", f"{path} is no ordinary file")
        parts = []
        count = min(count, LARGEST_READ)
        while count > 0:
            part = os.pread(fd, count, at)
            if not part:
                break
            parts.append(part)
            at += len(part)
            count -= len(part)
    finally:
        os.close(fd)
    return {"identity": [status.st_dev, status.st_ino]}, b"".join(parts)


def first_existing(paths: "list[str]", folders: "list[str]", database: "Database | None") -> "dict[str, Any]":
    """Return the first path that exists, with the real path of each of its beginnings; if none does, the first folder.

    Relative paths start from the folder of the database.
    """
    base = "/" if database is None else os.path.dirname(database.real_path)
    found: dict[str, Any] = {"base": base, "index": None, "reals": [], "folder": None, "unreadable": None}
    for index, path in enumerate(paths):
        place = os.path.join(base, path)
        try:
            os.stat(place)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        except OSError as error:
            if found["unreadable"] is None:
                found["unreadable"] = [place, error.strerror or str(error)]
            continue
        parts = [part for part in place.split("/") if part]
        beginnings = ["/" + "/".join(parts[:length]) for length in range(len(parts) + 1)]
        found.update(index=index, reals=[os.path.realpath(beginning) for beginning in beginnings])
        return found
    found["folder"] = next((index for index, path in enumerate(folders) if is_folder(os.path.join(base, path))), None)
    return found


def is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:  # a null byte in the name, for old Pythons
        return False


class Agent:
    """Everything that is open here."""

    def __init__(self) -> None:
        self.output = sys.stdout.buffer
        self.sending = threading.Lock()
        self.streams: dict[int, Stream] = {}
        self.database: Database | None = None
        self.openings = 0
        self.head_fds: dict[tuple[int, int], int] = {}

    def send(self, number: int, kind: int, head: "dict[str, Any]", body: bytes = b"") -> None:
        packed_head = packed_json(head)
        data = HEAD_LENGTH.pack(len(packed_head)) + packed_head + body
        if len(data) > LARGEST_FRAME:
            head = described(Refusal("refused", f"the answer is too large: {len(data) >> 20} MB"))
            kind, packed_head = FAILURE, packed_json(head)
            data = HEAD_LENGTH.pack(len(packed_head)) + packed_head
        elif len(data) >= PACKED_FROM and is_worth_packing(data):
            kind, data = kind | PACKED, zlib.compress(data, 1)
        with self.sending:
            self.output.write(FRAME.pack(len(data), number, kind) + data)
            self.output.flush()

    def open(self, request: "dict[str, Any]", stream: Stream) -> "dict[str, Any]":
        """Open the database, again if it is open, and return all that the near end needs to know of it."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise Refusal("usage", f"SQLite {sqlite3.sqlite_version} is too old: 3.16 or later is needed")
        end = time.time() + request["wait_s"]
        while True:
            try:
                return self.open_now(request)
            except Refusal as refusal:
                if refusal.kind not in ("locked", "changed") or time.time() >= end or stream.is_stopped():
                    raise
            time.sleep(RETRY_S)

    def open_now(self, request: "dict[str, Any]") -> "dict[str, Any]":
        path, head_fd = self.found(request["path"])
        self.openings += 1
        database = Database(path, head_fd, self.openings)
        try:
            database.find_way()
            hello = self.described(database, request["tables"])
        except BaseException:
            database.close()
            raise
        before, self.database = self.database, database
        if before is not None:
            before.close()
        return hello

    def found(self, path: str) -> "tuple[str, int]":
        """Return the absolute path of the file, and a descriptor of it. A folder stands for the `mlflow.db` in it."""
        if path.startswith("~"):
            path = os.path.expanduser(path)
        path = os.path.abspath(path)
        try:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                folder, path = path, os.path.join(path, DATABASE_NAME)
                if not os.path.isfile(path):
                    raise Refusal("usage", f"{folder} is a folder without an {DATABASE_NAME}")
                status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                raise Refusal("usage", f"{path} is not a file")
            identity = (status.st_dev, status.st_ino)
            if identity not in self.head_fds:
                self.head_fds[identity] = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            head_fd = self.head_fds[identity]
            head = os.pread(head_fd, len(SQLITE_MAGIC), 0)
        except (FileNotFoundError, NotADirectoryError):
            raise Refusal("unmade", f"no such file: {path}")
        except PermissionError:
            raise Refusal("usage", f"no permission to read {path}")
        except (OSError, ValueError) as error:
            raise Refusal("usage", "{} cannot be read: {}".format(path, getattr(error, "strerror", None) or error))
        if not head:
            raise Refusal("unmade", f"{path} is empty: MLflow has not written anything to it yet")
        if head != SQLITE_MAGIC:
            raise Refusal("usage", f"{path} is not a SQLite database")
        return path, head_fd

    def described(self, database: Database, tables: "list[str]") -> "dict[str, Any]":
        path = database.path
        database.told = state = database.look()
        if state["locked"]:
            raise Refusal("locked", f"{path} is locked by another program")
        try:
            connection = database.connect()
            connection.text_factory = careful_text
            try:
                hello = catalogue(connection, path, tables)
            finally:
                connection.close()
        except sqlite3.OperationalError as error:
            database.check()
            if is_locked(error):
                raise Refusal("locked", f"{path} is locked by another program")
            if database.has_content("-journal"):
                raise Refusal(
                    "unavailable",
                    f"{path} was left unfinished by a crashed writer, and mldeck only reads there; "
                    "the next start of MLflow there puts it right",
                )
            raise Refusal("unavailable", f"{path} cannot be read: {error}")
        except sqlite3.DatabaseError as error:
            database.check()
            raise Refusal("usage", f"{path} is damaged: {error}")
        database.check()
        if state["error"] is not None:
            raise Refusal("unavailable", "{} cannot be watched now: {}".format(path, state["error"]))
        hello.update(
            opening=database.opening,
            state=state,
            path=path,
            size=os.fstat(database.head_fd).st_size,
            host=os.uname().nodename,
            python=sys.version.split()[0],
            sqlite=list(sqlite3.sqlite_version_info),
            read_only_reason=read_only_reason(database),
        )
        return hello

    def watch(self) -> None:
        """Tell the near end of each change, without being asked."""
        while True:
            time.sleep(LOOK_S)
            database = self.database
            if database is None:
                continue
            state = database.look()
            if state != database.told and database is self.database:
                database.told = state
                self.send(0, CHANGE, {"opening": database.opening, "state": state})

    def serve(self) -> None:
        """Read requests until standard input ends, and end the process then, whatever the other threads are doing."""
        self.output.write(MAGIC)
        self.output.flush()
        thread = threading.Thread(target=self.watch)
        thread.daemon = True
        thread.start()
        read = sys.stdin.buffer.read
        while True:
            frame = read(FRAME.size)
            if len(frame) < FRAME.size:
                os._exit(0)
            length, number, kind = FRAME.unpack(frame)
            data = read(length) if length <= LARGEST_FRAME else b""
            if len(data) < length:
                os._exit(1)
            request = json.loads(data.decode("utf-8", "surrogatepass"))
            if kind == STOP:
                if request["stream"] in self.streams:
                    self.streams[request["stream"]].stop(number)
                continue
            stream = self.streams.get(request["stream"])
            if stream is None:
                stream = self.streams[request["stream"]] = Stream(self)
            stream.requests.put((number, request))
            if request["do"] == "close":
                del self.streams[request["stream"]]


def catalogue(connection: sqlite3.Connection, path: str, tables: "list[str]") -> "dict[str, Any]":
    """Read what store/sqlite/catalogue.py reads. Columns of a view are None if it names something that does not exist."""
    has_generated = sqlite3.sqlite_version_info >= GENERATED_COLUMNS_SQLITE
    function, shown = ("pragma_table_xinfo", "c.hidden != 1") if has_generated else ("pragma_table_info", "1")
    columns = f"SELECT m.name, c.name FROM sqlite_master AS m, {function}(m.name) AS c WHERE {shown} AND"
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    missing = [name for name in tables if name not in names]
    if missing:
        kind = "usage" if names and set(names).isdisjoint(tables) else "unmade"
        text = "%s is a SQLite database, but not an MLflow tracking database: it has no table %s"
        raise Refusal(kind, text % (path, ", ".join(missing)))
    views: dict[str, list[str] | None] = {}
    for (view,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
        try:
            views[view] = [row[1] for row in connection.execute(columns + " m.type = 'view' AND m.name = ?", (view,))]
        except sqlite3.DatabaseError as error:
            if is_locked(error):
                raise
            views[view] = None
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    value = revision[0] if revision else None
    return {
        "columns": connection.execute(columns + " m.type = 'table'").fetchall(),
        "views": views,
        "indexes": connection.execute("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'").fetchall(),
        "revision": careful_text(value) if isinstance(value, bytes) else value if value is None else str(value),
    }


def read_only_reason(database: Database) -> "str | None":
    if not is_writable(database.path):
        return "the file cannot be written to"
    if not is_writable(os.path.dirname(database.real_path)):
        return "its folder cannot be written to"
    return None


def is_writable(path: str) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


if __name__ == "__main__":
    Agent().serve()
