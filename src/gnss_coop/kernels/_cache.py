"""Compiled kernels on disk, such that nothing found there can give wrong numbers or end a run.

Numba's own cache keeps an index and data in separate files and believes both: a process that is killed between
them, or a full disk, leaves an index that points to code of another version or signature. Here

* each file holds one compiled kernel with its whole key and a checksum; it is written under a random name and
  renamed, so that at any moment it is there whole, or not at all;
* the key names the version, all sources of kernels, Python, numba, the processor with its features, and the types
  of the arguments; the folder's name is made from all but the last, so that versions never meet;
* whatever is wrong with a file counts as if it were not there: the kernel is compiled and the file replaced;
* what cannot be written is not kept, and a warning says so once;
* processes that need the same kernel wait for the one that compiles it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any, Final

import llvmlite
import numba
import numpy as np
from numba.core import compiler, sigutils
from numba.core.serialize import dumps

from gnss_coop._version import __version__
from gnss_coop.errors import GnssCoopWarning

try:
    import fcntl
except ImportError:  # no such locks: processes compile beside each other
    fcntl = None  # type: ignore[assignment]

_MAGIC: Final = b"gnss-coop kernel 1\n"
_DIGEST_SIZE: Final = hashlib.sha256().digest_size
_SUFFIX: Final = ".kernel"
#: Folders that no process has used for so long are removed, and drafts of killed processes [s].
_MAX_AGE_S: Final = 90 * 86400
_MAX_DRAFT_AGE_S: Final = 86400
#: How long a process waits for another one that compiles the same kernel, and how often it looks [s].
_MAX_WAIT_S: Final = 60.0
_POLL_S: Final = 0.02
#: Settings of numba that change the code it makes.
_SETTINGS: Final = (
    "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "DISABLE_INTEL_SVML",
)  # fmt: skip


def cache_root() -> Path | None:
    """Return the folder of all versions' folders: NUMBA_CACHE_DIR, XDG_CACHE_HOME or ~/.cache decide.

    None where there is no home folder.
    """
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR).absolute() / "gnss-coop"
    given = os.environ.get("XDG_CACHE_HOME", "")
    if Path(given).is_absolute():
        return Path(given) / "gnss-coop" / "kernels"
    try:
        return Path.home() / ".cache" / "gnss-coop" / "kernels"
    except RuntimeError:
        return None


class _Sources:
    """The kernels' sources as they were when the first of them was imported."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        self._digests: dict[str, bytes] = {}
        with suppress(OSError):  # without sources, as in a zip file, nothing is kept
            for path in sorted([*here.glob("*.py"), here.parent / "constants.py"]):
                self._digests[str(path)] = hashlib.sha256(path.read_bytes()).digest()
        self._checked: set[str] = set()
        #: Whether all modules that were imported are the ones that the digest is of.
        self.known = bool(self._digests)
        self.digest = hashlib.sha256(b"".join(self._digests.values())).hexdigest()

    def hold(self, path: str) -> bool:
        """Tell whether a module is one of them; compare it with what it was, as an upgrade may come between imports."""
        if path in self._digests and path not in self._checked:
            self._checked.add(path)
            try:
                self.known &= self._digests[path] == hashlib.sha256(Path(path).read_bytes()).digest()
            except OSError:
                self.known = False
        return path in self._digests


_SOURCES: Final = _Sources()
_failure: str | None = None
_swept = False


class KernelCache:
    """What a dispatcher of numba asks for compiled code, and gives it to.

    Parameters
    ----------
    function
        The kernel.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
        self._code = hashlib.sha256(repr((code.co_code, code.co_names, constants)).encode()).hexdigest()
        self._turns: dict[Path, int] = {}
        self._is_ours = _SOURCES.hold(code.co_filename)  # kernels from elsewhere are not in the key, and not kept

    @property
    def cache_path(self) -> str | None:
        """The folder, for numba's statistics."""
        root = cache_root()
        return None if root is None else str(root)

    def enable(self) -> None:
        """Do nothing: `numba` asks for this name."""

    disable = flush = enable

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kernel compiled for these types, or None."""
        target_context.refresh()
        place = self._place(sig, target_context.codegen())
        if place is None:
            return None
        path, key, types = place
        found = self._load(path, key, types, target_context)
        if found is None and (turn := _take_turn(path)) is not None:
            found = self._load(path, key, types, target_context)  # another process may have been faster
            if found is None:
                self._turns[path] = turn
            else:
                _end_turn(path, turn)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what has been compiled, if that is possible."""
        place = self._place(sig, data.codegen)
        if place is None:
            return
        path, key, _ = place
        try:
            if not data.lifted and not data.library.has_dynamic_globals:
                _publish(path, _pack(dumps((key, data._reduce()))))
        except Exception as error:  # whatever it is: the kernel has been compiled, and the run goes on
            _tell_not_kept(path.parent, error)
        finally:
            if path in self._turns:
                _end_turn(path, self._turns.pop(path))

    def _place(self, sig: Any, codegen: Any) -> tuple[Path, str, tuple[Any, ...]] | None:
        """Return the file of a signature, its key, and the types."""
        root = cache_root()
        if root is None or not (self._is_ours and _SOURCES.known):
            return None
        types = tuple(sigutils.normalize_signature(sig)[0])
        where = repr((_SOURCES.digest, *_software(), codegen.magic_tuple()))
        key = repr((where, self._name, self._code, [str(kind) for kind in types]))
        tag = f"{__version__}-{sys.implementation.cache_tag}-{hashlib.sha256(where.encode()).hexdigest()[:16]}"
        file = f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}{_SUFFIX}"
        return root / tag / file, key, types

    @staticmethod
    def _load(path: Path, key: str, types: tuple[Any, ...], target_context: Any) -> Any:
        try:
            found_key, parts = pickle.loads(_unpack(path.read_bytes()))
            if found_key != key:
                return None
            result = compiler.CompileResult._rebuild(target_context, *parts)
            if tuple(result.signature.args) != types:
                return None
        except Exception:  # any fault is a miss
            return None
        _mark_used(path.parent)
        return result


def folder_in_use() -> Path | None:
    """Return the folder of this version on this machine; None where nothing can be kept."""
    from numba.core.registry import cpu_target

    place = KernelCache(_pack)._place((), cpu_target.target_context.codegen())
    return None if place is None else place[0].parent


def _software() -> tuple[str, ...]:
    settings = (f"{name}={getattr(numba.config, name, None)}" for name in _SETTINGS)
    return (__version__, sys.version, numba.__version__, llvmlite.__version__, np.__version__, *settings)


def _pack(body: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpack(content: bytes) -> bytes:
    start = len(_MAGIC) + _DIGEST_SIZE
    body = content[start:]
    if content[:start] != _MAGIC + hashlib.sha256(body).digest():
        raise ValueError("not a whole file")
    return body


def _publish(path: Path, content: bytes) -> None:
    """Put a file in its place, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    _sweep(path.parent)


def failure() -> str | None:
    """Return why compiled kernels cannot be kept, if this process has tried and failed."""
    return _failure


def _tell_not_kept(folder: Path, error: Exception) -> None:
    global _failure
    if _failure is not None:
        return
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    _failure = f"compiled kernels cannot be kept in {folder} ({reason})"
    with suppress(Warning):  # which a filter may turn into an error
        warnings.warn(
            f"{_failure}, so that each run compiles them anew: set NUMBA_CACHE_DIR to a folder that can be written",
            GnssCoopWarning,
            stacklevel=2,
        )


def _take_turn(path: Path) -> int | None:
    """Wait until no other process compiles this kernel; return the lock, or None where there can be none."""
    if fcntl is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None
    until_s = time.monotonic() + _MAX_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as error:
            if not isinstance(error, BlockingIOError) or time.monotonic() > until_s:
                os.close(descriptor)
                return None
        time.sleep(_POLL_S)


def _end_turn(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        path.with_suffix(".lock").unlink(missing_ok=True)
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # also for children that were forked meanwhile
    with suppress(OSError):
        os.close(descriptor)


def _mark_used(folder: Path) -> None:
    """Let the folder's time say that it is in use, once a day."""
    with suppress(OSError):
        if time.time() - folder.stat().st_mtime > _MAX_DRAFT_AGE_S:
            os.utime(folder)


def _sweep(folder: Path) -> None:
    """Remove, once in a process, folders that are out of use, and what killed processes left in this one."""
    global _swept
    if _swept:
        return
    _swept = True
    now_s = time.time()
    for other in _entries(folder.parent):
        with suppress(OSError):
            if other.is_dir() and other != folder and now_s - other.stat().st_mtime > _MAX_AGE_S:
                shutil.rmtree(other, ignore_errors=True)
    for draft in _entries(folder):
        with suppress(OSError):
            if draft.suffix in (".draft", ".lock") and now_s - draft.stat().st_mtime > _MAX_DRAFT_AGE_S:
                draft.unlink()


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from folder.iterdir()
