#include "tensor/packing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/aligned.h"

namespace translucent {

int LargestWeight(std::span<const std::int8_t> w) {
  // No early end, which would keep compilers from using vectors.
  std::int8_t low = 0, high = 0;
  for (std::int8_t v : w) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  return std::max(-static_cast<int>(low), static_cast<int>(high));
}

void LimitWeights(std::int8_t* w, int rows, int cols, float* scales) {
  for (int r = 0; r < rows; ++r, w += cols) {
    const int largest = LargestWeight({w, static_cast<std::size_t>(cols)});
    if (largest <= kMaxWeight) continue;
    const float factor = static_cast<float>(kMaxWeight) / static_cast<float>(largest);
    for (int c = 0; c < cols; ++c) {
      w[c] = static_cast<std::int8_t>(std::nearbyint(static_cast<float>(w[c]) * factor));
    }
    scales[r] *= static_cast<float>(largest) / static_cast<float>(kMaxWeight);
  }
}

void PackPanels(const std::int8_t* w, int rows, int cols, std::uint8_t* panels) {
  const std::size_t panel_bytes = PanelBytes(cols);
  const int full = cols / kColumnGroup;
  AlignedVector<std::uint8_t> panel(panel_bytes);
  for (int first = 0; first < rows; first += kPanelRows, panels += panel_bytes) {
    const int count = std::min(kPanelRows, rows - first);
    if (count < kPanelRows || cols % kColumnGroup != 0) {
      std::fill(panel.begin(), panel.end(), std::uint8_t{kWeightOffset});
    }
    for (int r = 0; r < count; ++r) {
      const std::int8_t* from = w + static_cast<std::size_t>(first + r) * cols;
      std::uint8_t* to = panel.data() + r * kColumnGroup;
      for (int g = 0; g < full; ++g, from += kColumnGroup, to += kPanelRows * kColumnGroup) {
        std::uint32_t bytes;
        std::memcpy(&bytes, from, sizeof bytes);
        bytes = (bytes ^ 0x40404040u) & 0x7F7F7F7Fu;  // + 64 in each byte, for -63..63
        std::memcpy(to, &bytes, sizeof bytes);
      }
      for (int i = 0; i < cols % kColumnGroup; ++i) {
        to[i] = static_cast<std::uint8_t>(from[i] + kWeightOffset);
      }
    }
    std::memcpy(panels, panel.data(), panel_bytes);
  }
}

const std::uint8_t* PackedRow(const WeightMatrix& w, int row) {
  const int panel = row / kPanelRows;
  const std::uint8_t* start = panel < w.rows / kPanelRows
                                  ? w.packed + static_cast<std::size_t>(panel) * PanelBytes(w.cols)
                                  : w.last_panel;
  return start + row % kPanelRows * kColumnGroup;
}

void GatherPackedRows(const WeightMatrix& w, std::span<const int> rows, std::uint8_t* panels) {
  constexpr std::size_t kGroupBytes = kPanelRows * kColumnGroup;
  const std::size_t panel_bytes = PanelBytes(w.cols);
  for (std::size_t first = 0; first < rows.size(); first += kPanelRows, panels += panel_bytes) {
    const std::size_t count = std::min<std::size_t>(kPanelRows, rows.size() - first);
    if (count < kPanelRows) std::fill(panels, panels + panel_bytes, std::uint8_t{kWeightOffset});
    for (std::size_t r = 0; r < count; ++r) {
      const std::uint8_t* from = PackedRow(w, rows[first + r]);
      std::uint8_t* to = panels + r * kColumnGroup;
      for (std::size_t at = 0; at < panel_bytes; at += kGroupBytes) {
        std::memcpy(to + at, from + at, kColumnGroup);
      }
    }
  }
}

void DequantizeRow(const WeightMatrix& w, int row, float factor, std::span<float> out) {
  const std::uint8_t* group = PackedRow(w, row);
  const float scale = w.scales[row] * factor;
  const int cols = w.cols;
  for (int c = 0; c < cols; c += kColumnGroup, group += kPanelRows * kColumnGroup) {
    for (int i = 0; i < kColumnGroup && c + i < cols; ++i) {
      out[c + i] = scale * static_cast<float>(group[i] - kWeightOffset);
    }
  }
}

}  // namespace translucent
