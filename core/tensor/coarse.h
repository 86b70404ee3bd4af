// A coarse copy of packed weights: 2 bits each, a quarter of their bytes, for looking where the
// largest of many outputs is before it is computed.
//
// A weight w becomes one of four levels, value(r, c) = level * scales[r] with
//
//   level = 2 (2 h - 1) + (2 l - 1):   -3, -1, 1, 3
//
// whose bits h and l are kept apart, those of 4 columns of a row in a byte: l of column i is its
// bit i, h its bit 4 + i. So 4 columns of x can only yield 16 different sums for the h and 16 for
// the l of any row, and a vector of 16 rows looks them up in one instruction each.
//
// A panel's rows lie as they do in tensor/packing.h, 4 columns of all 16 side by side, but row
// 4 s + r is byte 4 r + s: what the kernels get when they widen 16 bytes is then in order.
//
//   [panels][CoarseGroups(cols)][16]
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/packing.h"
#include "tensor/weights.h"

namespace translucent {

/// Of a matrix: the sums of what is looked up stay below 2^16.
inline constexpr int kMostCoarseColumns = 2048;

/// The largest |entry| of the tables for l; those for h have twice that. Two of each fit a byte.
inline constexpr int kLargestEntry = 21;

/// Groups of 4 columns, with padding: as many as the widest vectors take at a time, twice.
constexpr int CoarseGroups(int cols) {
  constexpr int kTogether = 8;
  const int groups = PackedColumns(cols) / kColumnGroup;
  return (groups + kTogether - 1) / kTogether * kTogether;
}

/// Bytes of one panel.
constexpr std::size_t CoarsePanelBytes(int cols) {
  return static_cast<std::size_t>(kPanelRows) * CoarseGroups(cols);
}

/// The byte of a group that row `row` of a panel has.
constexpr int CoarseByte(int row) { return row % 4 * 4 + row / 4; }

/// The full panels of a WeightMatrix. Does not own its memory.
struct CoarseMatrix {
  int panels = 0;
  int cols = 0;
  const std::uint8_t* codes = nullptr;
  const float* scales = nullptr;  // [panels * 16]
};

/// Writes codes [w.rows / 16 * CoarsePanelBytes(w.cols)] and scales [w.rows / 16 * 16] of a packed
/// matrix w. The levels are half the row's root mean square apart from 0 and one from each other:
/// nearly the best there are for normally distributed weights (Max 1960, table I).
void PackCoarse(const WeightMatrix& w, std::uint8_t* codes, float* scales);

}  // namespace translucent
