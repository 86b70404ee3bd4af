#include "tensor/coarse.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace translucent {
namespace {

constexpr std::uint32_t kEachByte = 0x01010101;

/// The root mean squares of a panel's rows.
void RootMeanSquares(const std::uint8_t* panel, int cols, float* roots) {
  constexpr int kGroupBytes = kPanelRows * kColumnGroup;
  const int groups = PackedColumns(cols) / kColumnGroup;
  std::int32_t squares[kGroupBytes] = {};  // padding is w = 0
  for (int g = 0; g < groups; ++g, panel += kGroupBytes) {
    for (int i = 0; i < kGroupBytes; ++i) {
      const auto w = static_cast<std::int16_t>(panel[i] - kWeightOffset);
      squares[i] += w * w;
    }
  }
  for (int r = 0; r < kPanelRows; ++r) {
    float sum = 0;
    for (int i = 0; i < kColumnGroup; ++i) {
      sum += static_cast<float>(squares[r * kColumnGroup + i]);
    }
    roots[r] = std::sqrt(sum / static_cast<float>(cols));
  }
}

/// Bits 0, 8, 16 and 24 of v side by side; no others are set.
std::uint32_t GatherBits(std::uint32_t v) { return (v * 0x01020408) >> 24 & 0xF; }

}  // namespace

void PackCoarse(const WeightMatrix& w, std::uint8_t* codes, float* scales) {
  const int groups = PackedColumns(w.cols) / kColumnGroup;
  const std::uint8_t* panel = w.packed;
  for (int row = 0; row + kPanelRows <= w.rows; row += kPanelRows) {
    float roots[kPanelRows];
    RootMeanSquares(panel, w.cols, roots);
    // What is added to four bytes 1..127 at once, so that bit 7 of those that reach a bound is set.
    std::uint32_t low[kPanelRows], high[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) {
      scales[row + r] = w.scales[row + r] * roots[r] / 2;
      const int bound = std::max(1, static_cast<int>(std::nearbyint(roots[r])));
      low[r] = kEachByte * static_cast<std::uint32_t>(128 - (kWeightOffset - bound));
      high[r] = kEachByte * static_cast<std::uint32_t>(128 - (kWeightOffset + bound));
    }
    for (int g = 0; g < groups; ++g, panel += kPanelRows * kColumnGroup, codes += kPanelRows) {
      std::uint32_t four[kPanelRows], code[kPanelRows], bytes[4];
      std::memcpy(four, panel, sizeof four);
      for (int r = 0; r < kPanelRows; ++r) {
        const std::uint32_t h = four[r] >> 6 & kEachByte;  // w >= 0
        const std::uint32_t from_low = four[r] + low[r], from_high = four[r] + high[r];
        const std::uint32_t l = ((h & from_high >> 7) | (~h & from_low >> 7)) & kEachByte;
        code[r] = GatherBits(l) | GatherBits(h) << 4;
      }
      for (int r = 0; r < 4; ++r) {  // little-endian: byte 4 r + s is row 4 s + r
        bytes[r] = code[r] | code[4 + r] << 8 | code[8 + r] << 16 | code[12 + r] << 24;
      }
      std::memcpy(codes, bytes, sizeof bytes);
    }
    const std::size_t padding =
        static_cast<std::size_t>(CoarseGroups(w.cols) - groups) * kPanelRows;
    std::memset(codes, 0, padding);
    codes += padding;
  }
}

}  // namespace translucent
