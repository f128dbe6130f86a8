"""Asking memory for a line before it is needed: many places at once, instead of one after another.

What is asked for changes no result, and an address that is not there is no error.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LINE_BYTES = 64
_READ, _KEEP, _DATA = 0, 2, 1
"""What is asked for: to read, to be kept near, data."""


@intrinsic
def ask_line(_typing, address):
    """Ask for the cache line that holds an address, and do not wait for it."""

    def generate(context, builder, _signature, arguments):
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(prefetch, [pointer, word(_READ), word(_KEEP), word(_DATA)])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@njit(nogil=True, cache=True)
def ask_records(address, size, rows):
    """Ask for all lines of (R,) rows of an array of records.

    Args:
        address: where the array begins.
        size: bytes of a record, a multiple of ``LINE_BYTES``.
        rows: (R,) whole numbers.
    """
    for r in range(rows.shape[0]):
        for offset in range(0, size, LINE_BYTES):
            ask_line(address + rows[r] * size + offset)
