"""A dot product of 8-bit codes, as wide as the machine's registers.

Of a loop over sixty-four products the compiler uses half of each register; asked for all of them
at once it uses the whole.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

USUAL_WIDTH = 64
"""The width that is known to the compiler; others are right, and several times slower."""


@intrinsic
def _usual_dot(typingctx, codes, place, code):
    """Return the dot product of ``codes[place]`` and ``code``, both of the usual width.

    Args:
        codes: (N, D) int8.
        place: int64.
        code: (D,) int16.
    """
    if codes.layout != "C" or code.layout != "C":
        raise TypingError("codes are read as they lie in memory; pass contiguous arrays")

    def generate(context, builder, signature, arguments):
        products = ir.VectorType(ir.IntType(32), USUAL_WIDTH)
        rows = context.make_array(signature.args[0])(context, builder, arguments[0])
        asked = context.make_array(signature.args[2])(context, builder, arguments[2])
        first = builder.mul(arguments[1], ir.Constant(arguments[1].type, USUAL_WIDTH))
        row = _all_of(builder, builder.gep(rows.data, [first]), ir.IntType(8), 1)
        other = _all_of(builder, asked.data, ir.IntType(16), 2)
        product = builder.mul(builder.sext(row, products), builder.sext(other, products))
        add = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.IntType(32), [products]),
            f"llvm.vector.reduce.add.v{USUAL_WIDTH}i32",
        )
        return builder.call(add, [product])

    return types.int32(codes, types.int64, code), generate


def _all_of(builder, address, number, size):
    """Return ``USUAL_WIDTH`` numbers from an address on, ``size`` bytes each."""
    every = ir.VectorType(number, USUAL_WIDTH)
    loaded = builder.load(builder.bitcast(address, every.as_pointer()))
    loaded.align = size
    return loaded


@njit(nogil=True, cache=True, inline="always")
def dot(codes, place, code):
    """Return the dot product of ``codes[place]`` and ``code`` as int32.

    Args:
        codes: (N, D) int8, contiguous.
        place: int64.
        code: (D,) int16.
    """
    if code.shape[0] == USUAL_WIDTH:
        return _usual_dot(codes, place, code)
    total = np.int32(0)
    for d in range(code.shape[0]):
        total = np.int32(total + np.int32(np.int16(codes[place, d]) * code[d]))
    return total
