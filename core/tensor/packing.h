// The layout of int8 weights in memory, one for all instruction sets.
//
// Weights are 7-bit integers w in -63..63 and stored as the unsigned bytes w + 64 in 1..127: what
// x86 wants of its unsigned factor (products of 8-bit weights would saturate in pmaddubsw) and what
// WebAssembly's relaxed dot product wants of its second one. Kernels take 64 times the sum of the
// activations off again.
//
// 16 rows (outputs) make a panel; in a panel, 4 columns of all 16 rows lie side by side:
//
//   [rows / 16][cols / 4][16][4]
//
// so that a vector of 4, 8 or 16 outputs is one load and a group of 4 activations one broadcast. A
// panel takes the bytes its 16 rows took row-major, so matrices are packed where they lie in their
// file; only a last panel of fewer rows, and matrices whose columns are no multiple of 4, need
// padded storage of their own. Padding is w = 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/weights.h"

namespace translucent {

inline constexpr int kPanelRows = 16;
inline constexpr int kColumnGroup = 4;
inline constexpr int kMaxWeight = 63;         // of the integers
inline constexpr int kWeightOffset = 64;      // what is added to them
inline constexpr int kMostColumns = 1 << 17;  // of a matrix: products' sums stay below 2^31

/// Columns with padding.
constexpr int PackedColumns(int cols) {
  return (cols + kColumnGroup - 1) / kColumnGroup * kColumnGroup;
}
/// Bytes of one panel.
constexpr std::size_t PanelBytes(int cols) {
  return static_cast<std::size_t>(kPanelRows) * PackedColumns(cols);
}

/// The largest |w|.
int LargestWeight(std::span<const std::int8_t> w);

/// Brings row-major integers w [rows, cols] into -63..63, in place: a row with a larger one is
/// divided by as much as that takes, rounding half to even, and its scale multiplied by the same.
void LimitWeights(std::int8_t* w, int rows, int cols, float* scales);

/// Packs row-major integers w [rows, cols] in -63..63 into `panels`, ceil(rows / 16) of them. The
/// last may lack rows. Panels may begin where w does if no panel but the last lacks rows and
/// cols % 4 is 0; otherwise the two must not overlap.
void PackPanels(const std::int8_t* w, int rows, int cols, std::uint8_t* panels);

/// The panel row `row` lies in, and the first byte of the row there; its group g of 4 columns
/// begins 64 * g bytes on.
const std::uint8_t* PackedRow(const WeightMatrix& w, int row);

/// Packs the rows `rows` of a packed matrix w into `panels`, ceil(rows.size() / 16) of them: row i
/// becomes what rows[i] is in w.
void GatherPackedRows(const WeightMatrix& w, std::span<const int> rows, std::uint8_t* panels);

/// out[c] = (w.scales[row] * factor) * w(row, c) of a packed matrix: how an embedding is looked up.
void DequantizeRow(const WeightMatrix& w, int row, float factor, std::span<float> out);

}  // namespace translucent
