// The kernel that looks for the largest outputs in a coarse copy of the weights
// (tensor/coarse.h). Beside simd.h's members an Isa has
//
//   static Bytes Lookup(Bytes table, Bytes indices);  // of each 16 bytes: table[index], 0..15
//   static void AddParts(const Ints v[4], Ints* out);  // where a vector is wider than 16 bytes
//
// where Bytes are xsimd's batches of Arch. AddParts adds up the 16-byte parts of each vector and
// lays the four sums side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"
#include "kernels/prefetch.h"
#include "tensor/coarse.h"

namespace translucent {

template <class Isa>
struct Coarse {
  using Floats = xsimd::batch<float, typename Isa::Arch>;
  using Ints = xsimd::batch<std::int32_t, typename Isa::Arch>;
  using Words = xsimd::batch<std::uint16_t, typename Isa::Arch>;
  using Bytes = xsimd::batch<std::uint8_t, typename Isa::Arch>;
  static constexpr int kLanes = static_cast<int>(Floats::size);
  static constexpr int kBytes = static_cast<int>(Bytes::size);
  static constexpr int kVectors = kPanelRows / kLanes;
  static constexpr int kMostGroups = CoarseGroups(kMostCoarseColumns);

  /// Panels at a time. They share what is read of the tables and lie far apart: what a processor
  /// foresees of one run of memory ends with the page, so four are read 1.5 times as fast.
  static constexpr int kStreams = 4;

  /// The sums that 4 columns of x can yield: [groups][16] for the bits l and for h, made positive.
  /// Two of each add up to a byte.
  struct Tables {
    alignas(64) std::uint8_t low[kMostGroups * 16];
    alignas(64) std::uint8_t high[kMostGroups * 16];
    std::int32_t offset;  // what the sum of all groups is too large by
    float scale;          // of what they hold
  };

  static void Fill(const QuantizedRows& x, Tables& tables) {
    const int groups = PackedColumns(x.cols) / kColumnGroup;
    std::int32_t largest = 0;
    for (int g = 0; g < groups; ++g) {
      std::int32_t sum = 0;
      for (int i = 0; i < kColumnGroup; ++i) sum += std::abs(x.values[g * kColumnGroup + i]);
      largest = std::max(largest, sum);
    }
    const std::int32_t factor = largest > 0 ? (kLargestEntry << 16) / largest : 0;
    for (int g = 0; g < groups; ++g) {
      std::int16_t four[kColumnGroup], sums[16];
      for (int i = 0; i < kColumnGroup; ++i) {
        four[i] = static_cast<std::int16_t>((x.values[g * kColumnGroup + i] * factor + 128) >> 8);
      }
      sums[0] = static_cast<std::int16_t>(-four[0] - four[1] - four[2] - four[3]);
      for (int i = 0; i < kColumnGroup; ++i) {
        for (int n = 0; n < 1 << i; ++n) {
          sums[(1 << i) + n] = static_cast<std::int16_t>(sums[n] + 2 * four[i]);
        }
      }
      for (int n = 0; n < 16; ++n) {
        tables.low[g * 16 + n] = static_cast<std::uint8_t>(((sums[n] + 128) >> 8) + kLargestEntry);
        tables.high[g * 16 + n] =
            static_cast<std::uint8_t>(((sums[n] + 64) >> 7) + 2 * kLargestEntry);
      }
    }
    const std::size_t end = static_cast<std::size_t>(groups) * 16;
    const std::size_t padding = static_cast<std::size_t>(CoarseGroups(x.cols)) * 16 - end;
    std::fill_n(tables.low + end, padding, std::uint8_t{0});
    std::fill_n(tables.high + end, padding, std::uint8_t{0});
    tables.offset = 3 * kLargestEntry * groups;
    tables.scale = x.scales[0] * (static_cast<float>(largest) / kLargestEntry);
  }

  static Words AsWords(Bytes v) { return xsimd::bitwise_cast<std::uint16_t>(v); }

  /// The largest outputs of Streams panels: `panel` and those every `apart` panels on.
  template <int Streams>
  static void Search(const Tables& tables, const CoarseMatrix& w, int panel, int apart,
                     const float* bias, float* bests) {
    const std::size_t panel_bytes = CoarsePanelBytes(w.cols), stride = apart * panel_bytes;
    const std::uint8_t* codes = w.codes + panel * panel_bytes;
    const int end = CoarseGroups(w.cols) * 16;
    const Bytes nibble(15);
    Words all[Streams], odd[Streams];  // sums of even bytes + 256 times those of odd ones, odd ones
    for (int s = 0; s < Streams; ++s) all[s] = odd[s] = Words(0);
    for (int at = 0; at < end; at += 2 * kBytes) {
      Bytes sums[Streams];
      for (int half = 0; half < 2; ++half) {
        const int i = at + half * kBytes;
        const Bytes low = Bytes::load_unaligned(tables.low + i);
        const Bytes high = Bytes::load_unaligned(tables.high + i);
        for (int s = 0; s < Streams; ++s) {
          const Bytes code = Bytes::load_unaligned(codes + s * stride + i);
          if constexpr (kLead > 0) {
            __builtin_prefetch(codes + s * stride + i + kLead / Streams);
          }
          const Bytes h = xsimd::bitwise_cast<std::uint8_t>(AsWords(code) >> 4);
          const Bytes sum = Isa::Lookup(low, code & nibble) + Isa::Lookup(high, h & nibble);
          sums[s] = half == 0 ? sum : sums[s] + sum;
        }
      }
      for (int s = 0; s < Streams; ++s) {
        all[s] += AsWords(sums[s]);
        odd[s] += AsWords(sums[s]) >> 8;
      }
    }
    for (int s = 0; s < Streams; ++s) {
      const Ints even = xsimd::bitwise_cast<std::int32_t>(all[s] - (odd[s] << 8));
      const Ints others = xsimd::bitwise_cast<std::int32_t>(odd[s]);
      const Ints low_half(0xFFFF);
      const Ints parts[4] = {even & low_half, others & low_half, (even >> 16) & low_half,
                             (others >> 16) & low_half};
      Ints totals[kVectors];
      if constexpr (kLanes == 4) {
        std::copy_n(parts, 4, totals);
      } else {
        Isa::AddParts(parts, totals);
      }
      const int first = (panel + s * apart) * kPanelRows;
      Floats best(-std::numeric_limits<float>::infinity());
      for (int v = 0; v < kVectors; ++v) {
        const int o = first + v * kLanes;
        const Floats scale = Floats(tables.scale) * Floats::load_unaligned(w.scales + o);
        const Floats y = xsimd::to_float(totals[v] - Ints(tables.offset)) * scale +
                         Floats::load_unaligned(bias + o);
        best = xsimd::max(best, y);
      }
      bests[panel + s * apart] = xsimd::reduce_max(best);
    }
  }

  static void Bests(const QuantizedRows& x, const CoarseMatrix& w, const float* bias,
                    float* bests) {
    Tables tables;
    Fill(x, tables);
    const int apart = w.panels / kStreams;
    for (int p = 0; p < apart; ++p) Search<kStreams>(tables, w, p, apart, bias, bests);
    for (int p = apart * kStreams; p < w.panels; ++p) Search<1>(tables, w, p, 0, bias, bests);
  }
};

}  // namespace translucent
