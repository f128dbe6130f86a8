"""Products of matrices of whole numbers, by the processor's own instruction for them.

In each of sixteen lanes it multiplies four bytes by four, or two words of sixteen bits by two, and
adds them to that lane's sum, without cutting anything off: four times and twice as many products
in a cycle as of float32. Numba does not find it by itself, so a tile of sums is written in the
compiler's own language; as in ``product_kernel``, it stays in registers.
"""

import functools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from playbill.models.lanes import NUMBER_BYTES, in_all, loaded
from playbill.models.whole_numbers import COLUMNS, PER_BYTE, PER_WORD, ROWS

_LANES = 16
_REGISTERS = COLUMNS // _LANES
_NEEDED = {"+avx512f", "+avx512vnni"}


@functools.cache
def multiplies_whole_numbers() -> bool:
    """Return whether this machine has the instruction. Elsewhere no tile may be compiled."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return set(features.split(",")) >= _NEEDED


def _tile_of(instruction, per):
    """Return an intrinsic that fills ``ROWS`` by ``COLUMNS`` sums of a product."""

    @intrinsic
    def fill(typingctx, x, weights, out, row, block):
        """Fill ``out[row : row + 4]`` (N, 64) int32 for the same rows of (N, at least I) ``x``.

        ``weights`` are packed. All rows must be there, also those that nobody asks for.
        """
        if any(array.layout != "C" for array in (x, weights, out)):
            raise TypingError("matrices are read as they lie in memory; pass contiguous arrays")

        def generate(context, builder, signature, arguments):
            x, weights, out = (
                context.make_array(kind)(context, builder, value)
                for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
            )
            row, block = arguments[3:]
            lanes = ir.VectorType(ir.IntType(32), _LANES)
            steps = builder.extract_value(weights.shape, 1)
            width = builder.sdiv(builder.extract_value(x.shape, 1), _same(steps, per))
            places = [builder.add(row, _same(row, number)) for number in range(ROWS)]
            numbers = builder.bitcast(x.data, ir.IntType(32).as_pointer())
            begins = [builder.gep(numbers, [builder.mul(place, width)]) for place in places]
            lines = builder.bitcast(weights.data, lanes.as_pointer())
            first = builder.mul(builder.mul(block, steps), _same(steps, _REGISTERS))
            nothing = ir.Constant(lanes, [0] * _LANES)
            sums = [
                [cgutils.alloca_once_value(builder, nothing) for _ in range(_REGISTERS)]
                for _ in places
            ]
            multiply = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(lanes, [lanes] * 3), instruction
            )
            with cgutils.for_range(builder, steps) as loop:
                at = builder.add(first, builder.mul(loop.index, _same(steps, _REGISTERS)))
                theirs = [
                    loaded(builder, builder.gep(lines, [builder.add(at, _same(at, number))]), lanes)
                    for number in range(_REGISTERS)
                ]
                for begin, totals in zip(begins, sums, strict=True):
                    inputs = builder.load(builder.gep(begin, [loop.index]), align=PER_WORD)
                    mine = in_all(builder, inputs, lanes)
                    for total, other in zip(totals, theirs, strict=True):
                        added = builder.call(multiply, [builder.load(total), mine, other])
                        builder.store(added, total)
            found = builder.bitcast(out.data, lanes.as_pointer())
            for place, totals in zip(places, sums, strict=True):
                at = builder.mul(place, _same(place, _REGISTERS))
                for number, total in enumerate(totals):
                    address = builder.gep(found, [builder.add(at, _same(at, number))])
                    builder.store(builder.load(total), address, align=NUMBER_BYTES)
            return context.get_dummy_value()

        return types.none(x, weights, out, types.int64, types.int64), generate

    return fill


def _same(like, number):
    return ir.Constant(like.type, number)


tile_of_bytes = _tile_of("llvm.x86.avx512.vpdpbusd.512", PER_BYTE)
"""Of (N, I) uint8 and int8 weights. (N, I) is a multiple of four bytes wide."""
tile_of_words = _tile_of("llvm.x86.avx512.vpdpwssd.512", PER_WORD)
"""Of (N, I) int16 and int16 weights, an even number of inputs wide."""
