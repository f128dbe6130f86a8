"""A product of two small matrices, by tiles that stay in the machine's registers.

Of a loop over rows and columns the compiler keeps one row of sums in memory, and reads the weights
anew for each row. A tile of rows by columns is summed up in registers, and reads each weight once.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from playbill.models.lanes import NUMBER_BYTES, in_all, loaded

ROWS, COLUMNS = 4, 16
"""Of a tile: eight registers of eight numbers, or four of sixteen."""


def _sums(rows):
    """Return an intrinsic that fills ``rows`` by ``COLUMNS`` of a product."""

    @intrinsic
    def fill(typingctx, x, weight, bias, out, row, column):
        if any(array.layout != "C" for array in (x, weight, bias, out)):
            raise TypingError("matrices are read as they lie in memory; pass contiguous arrays")

        def generate(context, builder, signature, arguments):
            arrays = [
                context.make_array(kind)(context, builder, value)
                for kind, value in zip(signature.args[:4], arguments[:4], strict=True)
            ]
            x, weight, bias, out = (array.data for array in arrays)
            inner = builder.extract_value(arrays[0].shape, 1)
            width = builder.extract_value(arrays[3].shape, 1)
            first, column = arguments[4:]
            lane = ir.VectorType(ir.FloatType(), COLUMNS)
            places = [builder.add(first, ir.Constant(first.type, number)) for number in range(rows)]
            begins = [builder.gep(x, [builder.mul(place, inner)]) for place in places]
            start = loaded(builder, builder.gep(bias, [column]), lane)
            sums = [cgutils.alloca_once_value(builder, start) for _ in places]
            with cgutils.for_range(builder, inner) as loop:
                at = builder.add(builder.mul(loop.index, width), column)
                weights = loaded(builder, builder.gep(weight, [at]), lane)
                for begin, total in zip(begins, sums, strict=True):
                    number = builder.load(builder.gep(begin, [loop.index]))
                    product = builder.fmul(in_all(builder, number, lane), weights, ("contract",))
                    builder.store(builder.fadd(product, builder.load(total), ("contract",)), total)
            for place, total in zip(places, sums, strict=True):
                at = builder.add(builder.mul(place, width), column)
                address = builder.bitcast(builder.gep(out, [at]), lane.as_pointer())
                builder.store(builder.load(total), address, align=NUMBER_BYTES)
            return context.get_dummy_value()

        return types.none(x, weight, bias, out, types.int64, types.int64), generate

    return fill


_tile, _row = _sums(ROWS), _sums(1)


@njit(nogil=True, cache=True, error_model="numpy")
def multiply(x, weight, bias, out):
    """Fill (T, O) with (T, I) times (I, O) and (1, O) added; O is a multiple of 16.

    All arrays are contiguous float32. Each sum runs along I in order.
    """
    whole = x.shape[0] - x.shape[0] % ROWS
    for column in range(0, out.shape[1], COLUMNS):
        for row in range(0, whole, ROWS):
            _tile(x, weight, bias, out, row, column)
        for row in range(whole, x.shape[0]):
            _row(x, weight, bias, out, row, column)
