"""Where the nonzeros of a matrix are; see SPEC.md, "Mask"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .gap_tables import COLUMN_WEIGHTS, ROW_CLASSES, SCALE, SCALE_BITS, STRIDE, GapTables, gap_tables
from .rans import STATE_MIN, Words, check_end, encode_streams, state_at, words_of

Integers = npt.NDArray[np.int64]

#: Blocks from which on they are decoded side by side. A step of NumPy takes as long as some 100 symbols.
SIDE_BY_SIDE = 96
_WEIGHTS = np.array(COLUMN_WEIGHTS, np.int64)


@dataclass(frozen=True)
class MaskShape:
    """``slot_of``: ``[columns + 1]`` the first slot of each column. ``row_class``: ``[rows]`` 0 for an empty row, else
    1 + its density class."""

    slot_of: Integers
    row_class: "npt.NDArray[Any]"

    @property
    def slots(self) -> int:
        return int(self.slot_of[-1])


@dataclass(frozen=True)
class MaskBlock:
    """The mask of rows ``start`` to ``end`` of a matrix, with ``count`` nonzeros."""

    data: bytes
    shape: MaskShape
    start: int
    end: int
    count: int

    @property
    def most_escapes(self) -> int:
        return 2 * self.count + (self.end - self.start) * (self.shape.slots // 1024 + 4)


#: The nonzeros of each row of a block, and their columns.
DecodedMask = Tuple["npt.NDArray[np.int64]", "npt.NDArray[np.uint16]"]


def slot_starts(column_class: "npt.NDArray[Any]") -> Integers:
    """The first slot of each column, and behind them the number of slots."""
    return np.concatenate([[0], np.cumsum(_WEIGHTS[column_class])]).astype(np.int64)


def decode_masks(blocks: Sequence[MaskBlock]) -> List[DecodedMask]:
    """Decodes blocks, of one matrix or several. Raises ``corrupt`` for the first damaged one."""
    if len(blocks) >= SIDE_BY_SIDE:
        words = [words_of(block.data, 1) for block in blocks]
        for own in words:
            state_at(own, 0)
        decoded = _decode_side_by_side(blocks, words, gap_tables())
        if decoded is not None:
            return decoded
    tables = gap_tables()
    below, gap_at, reach = tables.below.tolist(), tables.gap_at.tolist(), tables.reach.tolist()
    return [_decode_one(block, below, gap_at, reach) for block in blocks]


def _decode_one(block: MaskBlock, below: List[int], gap_at: List[int], reach: List[int]) -> DecodedMask:
    words = words_of(block.data, 1)
    state = state_at(words, 0)
    shape, slots, most = block.shape, block.shape.slots, block.count
    slot_of = shape.slot_of.tolist()
    column_at = np.repeat(np.arange(len(slot_of) - 1), np.diff(shape.slot_of)).tolist()
    escapes = block.most_escapes
    # A damaged stream may ask for words past its end: those are 0.
    word, at, size = words.tolist(), 1 + 1, len(words)
    columns: List[int] = []
    counts = []
    for row_class in shape.row_class[block.start : block.end].tolist():
        before = len(columns)
        base = 0 if row_class else slots
        table, gaps, sight = (row_class - 1) * STRIDE, (row_class - 1) * SCALE, reach[row_class - 1]
        while base < slots:
            position = state & SCALE - 1
            gap = gap_at[gaps + position]
            slot = base + gap
            high = SCALE
            if slot >= slots:
                low = below[table + slots - base]
                base = slots
            elif gap == sight:
                low = below[table + sight]
                base += sight
                escapes -= 1
                if escapes < 0:
                    corrupt("block skips more than its rows can hold", "too many escapes")
            else:
                column = column_at[slot]
                low = below[table + max(slot_of[column] - base, 0)]
                after = slot_of[column + 1]
                high = below[table + min(after - base, sight)]
                if len(columns) >= most:
                    corrupt("block has too many nonzeros", f"more than {most}", most)
                columns.append(column)
                base = after
            state = (high - low) * (state >> SCALE_BITS) + position - low
            if state < STATE_MIN:
                state = state << 16 | (word[at] if at < size else 0)
                at += 1
        counts.append(len(columns) - before)
    if len(columns) != most:
        corrupt("block has too few nonzeros", len(columns), most)
    check_end(size, at, state)
    return np.array(counts, np.int64), np.array(columns, np.uint16)


def _decode_side_by_side(
    blocks: Sequence[MaskBlock], words: Sequence[Words], tables: GapTables
) -> Optional[List[DecodedMask]]:
    """All blocks at once, a step of each at a time; ``None`` when one of them is damaged."""
    lanes = len(blocks)
    shapes = {id(block.shape): block.shape for block in blocks}
    # Of every slot of every matrix: the column that owns it, and where that column's slots begin and end. Behind the
    # last slot lies a column that no way leads past.
    column_at: List[Any] = []
    first_at: List[Any] = []
    next_at: List[Any] = []
    starts_of = {}
    size = 0
    for key, shape in shapes.items():
        starts_of[key] = size
        widths = np.diff(shape.slot_of)
        column_at += [np.repeat(np.arange(len(widths)), widths), [len(widths)]]
        first_at += [np.repeat(shape.slot_of[:-1], widths), [shape.slots]]
        next_at += [np.repeat(shape.slot_of[1:], widths), [2**40]]
        size += shape.slots + 1
    columns_at, firsts_at, nexts_at = (np.concatenate(of).astype(np.int64) for of in (column_at, first_at, next_at))
    # The classes of the rows that are not empty, block after block, each block ended by the class that stands still.
    row_class: List[Any] = []
    for block in blocks:
        own = block.shape.row_class[block.start : block.end].astype(np.int64)
        row_class += [own[own > 0] - 1, [ROW_CLASSES]]
    classes = np.concatenate(row_class).astype(np.int64)
    heights = np.array([len(own) for own in row_class[::2]], np.int64)
    counts = np.array([block.count for block in blocks], np.int64)
    slots = np.array([block.shape.slots for block in blocks], np.int64)
    if ((slots == 0) & (heights > 0)).any():
        # Rows of a matrix without slots end at once, which the loop below would not see.
        return None
    place = np.array([starts_of[id(block.shape)] for block in blocks], np.int64)
    first_row = np.cumsum(heights + 1) - heights - 1
    first_out = np.cumsum(counts + 1) - counts - 1
    most = counts + heights + np.array([block.most_escapes for block in blocks], np.int64)
    sizes = np.array([len(own) for own in words], np.int64)
    word = np.concatenate([*words, np.zeros(1, np.uint16)]).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    ends = starts + sizes
    state: Any = word[starts] << 16 | word[starts + 1]
    at: Any = starts + 2
    row: Any = first_row.copy()
    out_end: Any = first_out + counts
    row_end = first_row + heights
    out_at = first_out.copy()
    base: Any = np.zeros(lanes, np.int64)
    out: Any = np.zeros(int((counts + 1).sum()), np.int64)
    row_ends = np.zeros(len(classes), np.int64)
    live = np.arange(lanes)
    below, gap_at, reach = tables.below, tables.gap_at, tables.reach
    last_word = len(word) - 1
    finished: List[Any] = []
    step = 0
    while True:
        if step % 64 == 0:
            # Blocks that are done, and those that take more steps than any honest one, leave the loop.
            done = (row >= row_end) | (step > most[live])
            if done.any():
                finished.append((live[done], state[done], at[done], out_at[done], row[done]))
                keep = ~done
                live = live[keep]
                if not len(live):
                    break
                state, at, base, out_at, row, slots, place, out_end, row_end = (
                    of[keep] for of in (state, at, base, out_at, row, slots, place, out_end, row_end)
                )
        step += 1
        k = classes[row]
        position = state & SCALE - 1
        gap = gap_at[k * SCALE + position]
        sight = reach[k]
        slot = base + gap
        is_end = slot >= slots
        owner = np.minimum(slot, slots) + place
        after = nexts_at[owner]
        is_far = gap == sight
        is_escape = is_far & ~is_end
        is_other = is_far | is_end
        table = k * STRIDE
        low = below[table + np.where(is_escape, sight, np.maximum(firsts_at[owner] - base, 0))]
        # The column behind the last one never ends, and one that is escaped ends past the reach.
        high = below[table + np.minimum(after - base, sight + is_other)]
        state = (high - low) * (state >> SCALE_BITS) + position - low
        short = state < STATE_MIN
        state = np.where(short, state << 16 | word[np.minimum(at, last_word)], state)
        at += short
        # Written again by the next column where this one is no nonzero.
        out[np.minimum(out_at, out_end)] = owner
        out_at += ~is_other
        base = np.where(is_escape, base + sight, after)
        row_ends[row] = out_at
        is_done = base >= slots
        row += is_done
        base[is_done] = 0
    lane, state, at, out_at, row = (np.concatenate(of) for of in zip(*finished))
    good = (state == STATE_MIN) & (at == ends[lane]) & (out_at == (first_out + counts)[lane])
    if not (good & (row == (first_row + heights)[lane])).all():
        return None
    out = columns_at[out].astype(np.uint16)
    decoded: List[DecodedMask] = []
    for i, block in enumerate(blocks):
        used = block.shape.row_class[block.start : block.end] > 0
        filled = np.diff(row_ends[first_row[i] : first_row[i] + heights[i]], prepend=first_out[i])
        per_row: Integers = np.zeros(block.end - block.start, np.int64)
        per_row[used] = filled
        decoded.append((per_row, out[first_out[i] : first_out[i] + counts[i]]))
    return decoded


def encode_masks(
    shape: MaskShape, indptr: Integers, indices: "npt.NDArray[Any]", ends: Sequence[int]
) -> List[bytes]:
    """The masks of blocks of rows, of which each ends before the row in ``ends``."""
    tables = gap_tables()
    slots = shape.slots
    rows = len(indptr) - 1
    counts = np.diff(indptr)
    row = np.repeat(np.arange(rows), counts)
    k = shape.row_class[row].astype(np.int64) - 1
    first, after = shape.slot_of[indices], shape.slot_of[indices.astype(np.int64) + 1]
    # A way starts where the slots of the nonzero before it end.
    start = np.zeros(len(indices), np.int64)
    start[1:] = np.where(row[1:] == row[:-1], after[:-1], 0)
    sight = tables.reach[k]
    escapes = np.maximum(first - start, 0) // sight
    base = start + escapes * sight
    low = tables.below[k * STRIDE + np.maximum(first - base, 0)]
    high = tables.below[k * STRIDE + np.minimum(after - base, sight)]
    # Behind the last nonzero of a row: escapes, and the end, unless its slots are used up.
    used = shape.row_class > 0
    row_k = np.maximum(shape.row_class.astype(np.int64) - 1, 0)
    row_sight = tables.reach[row_k]
    row_base = np.zeros(rows, np.int64)
    filled = counts > 0
    row_base[filled] = after[indptr[1:][filled] - 1]
    row_escapes = np.where(used & (slots > row_base), np.maximum(slots - row_base - 1, 0) // row_sight, 0)
    row_base += row_escapes * row_sight
    ended = used & (row_base < slots)
    row_low = tables.below[row_k * STRIDE + np.where(ended, slots - row_base, 0)]
    # Symbols in their order: for each nonzero its escapes and itself, for each row its escapes and its end.
    of_nonzero = escapes + 1
    of_row = row_escapes + ended
    position = np.arange(len(indices)) + row
    amounts = np.zeros(len(indices) + rows, np.int64)
    amounts[position] = of_nonzero
    row_position = indptr[1:] + np.arange(rows)
    amounts[row_position] = of_row
    ends_at = np.cumsum(amounts)
    total = int(ends_at[-1]) if len(ends_at) else 0
    classes = np.zeros(len(amounts), np.int64)
    classes[position] = k
    classes[row_position] = row_k
    escaped = tables.below[classes * STRIDE + tables.reach[classes]]
    lows = np.repeat(escaped, amounts)
    highs = np.full(total, SCALE, np.int64)
    last = ends_at[position] - 1
    lows[last], highs[last] = low, high
    closing = ends_at[row_position][ended] - 1
    lows[closing] = row_low[ended]
    edges = np.concatenate([[0], ends_at[row_position]]) if rows else np.zeros(1, np.int64)
    block_edges = edges[np.array([0, *ends])]
    return encode_streams(lows, highs - lows, np.diff(block_edges).tolist(), SCALE_BITS, 1)
