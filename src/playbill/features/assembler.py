"""Feature vectors for one request: the compiled definitions, with their buffers."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import BrokenContract
from playbill.features.assemble_kernel import assemble, assemble_many
from playbill.features.definitions import FEATURES
from playbill.features.layout import HALF_LIVES_MS, Program, compile_program

Records = npt.NDArray[np.void]
Floats = npt.NDArray[np.float32]

_HOURS = np.array(
    [(math.sin(2 * math.pi * h / 24), math.cos(2 * math.pi * h / 24)) for h in range(24)]
)


class ItemTables(msgspec.Struct, frozen=True):
    """Item state as arrays: (I,) items, (A,) authors, (T,) topics."""

    items: Records
    authors: Records
    topics: Records

    def as_tuple(self) -> tuple[Records, Records, Records]:
        """Return the three arrays, as kernels take them."""
        return self.items, self.authors, self.topics


def hours_of_day(at_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return (Q, 2) sine and cosine of the hour of the day in UTC of (Q,) instants."""
    return _HOURS[(at_ms // 3_600_000) % 24]


class Assembler:
    """Read every feature of every candidate. Not for two threads at once: it reuses buffers."""

    def __init__(self, largest: int = 2_048) -> None:
        program: Program = compile_program()
        self._program = tuple(getattr(program, name) for name in Program.__slots__)
        self._out = np.empty((largest, len(FEATURES)), np.float32)

    def read(
        self, tables: ItemTables, rows: npt.NDArray[np.int64], user: Records, at_ms: int
    ) -> Floats:
        """Return (C, F) features of C candidates; the array is overwritten by the next call.

        Args:
            tables: item state.
            rows: (C,) rows of the candidates.
            user: (1,) ``USER_RECORD``.
            at_ms: instant of the request.

        Raises:
            BrokenContract: the instant lies before something the viewer's row already holds.
        """
        if at_ms < user["last_at_ms"][0]:
            _require_later(np.array([at_ms]), user)
        if len(rows) > len(self._out):
            self._out = np.empty((len(rows), self._out.shape[1]), np.float32)
        out = self._out[: len(rows)]
        hour = _HOURS[(at_ms // 3_600_000) % 24]
        assemble(out, rows, tables.as_tuple(), user[0], at_ms, hour, self._program, HALF_LIVES_MS)
        return out

    def read_many(
        self,
        tables: ItemTables,
        rows: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
        users: Records,
        at_ms: npt.NDArray[np.int64],
    ) -> Floats:
        """Return (N, F) features of Q requests that are laid end to end; a new array.

        Args:
            tables: item state.
            rows: (N,) rows of all candidates, request by request.
            starts: (Q + 1,) where each request begins: request q has
                ``rows[starts[q]:starts[q + 1]]``.
            users: (Q,) ``USER_RECORD``.
            at_ms: (Q,) instants of the requests.

        Raises:
            BrokenContract: an instant lies before something its viewer's row already holds.
        """
        _require_later(at_ms, users)
        out = np.empty((len(rows), self._out.shape[1]), np.float32)
        assemble_many(
            out,
            rows,
            starts,
            tables.as_tuple(),
            users,
            at_ms,
            hours_of_day(at_ms),
            self._program,
            HALF_LIVES_MS,
        )
        return out


def _require_later(at_ms: npt.NDArray[np.int64], users: Records) -> None:
    """Refuse (Q,) instants that lie before the last event of their (Q,) viewers' rows."""
    early = np.flatnonzero(at_ms < users["last_at_ms"])
    if len(early):
        first = early[0]
        raise BrokenContract(
            f"features were read at {int(at_ms[first])}, before {int(users['last_at_ms'][first])}, "
            "which the viewer's row already holds"
        )
