"""What tiles of products say in the compiler's language: numbers side by side in a register."""

from llvmlite import ir

NUMBER_BYTES = 4
"""Of a float32 or int32, which is as much as an address of lanes is aligned to."""


def loaded(builder, address, lanes):
    """Return the lanes that lie from an address on."""
    pointer = builder.bitcast(address, lanes.as_pointer())
    return builder.load(pointer, align=NUMBER_BYTES)


def in_all(builder, number, lanes):
    """Return lanes that all hold one number."""
    empty, first = ir.Constant(lanes, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(empty, number, first)
    places = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
    return builder.shuffle_vector(one, empty, places)
