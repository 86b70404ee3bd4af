// The int8 kernels, written once over what an instruction set multiplies bytes with. Beside
// simd.h's members an Isa has
//
//   static constexpr int kAccumulators;   // vectors of sums a tile may hold in registers
//   static constexpr int kMaxVectors;     // the widest tile, used for a single row
//   static constexpr int kMaxRows;        // the tallest
//   static constexpr int kMaxColumns;     // whose products an Accumulator is sure to hold
//   using Value;                          // of activations: std::int8_t, or what Arrange writes
//   using Weights, Activations, Accumulator;
//   static void Arrange(const std::int8_t* x, Value* out);  // 4 columns; not for std::int8_t
//   static Weights LoadWeights(const std::uint8_t* p);     // 4 columns of a vector of outputs
//   static Activations Broadcast(const Value* p);          // 4 columns of one row
//   static Accumulator Zero();
//   static Accumulator MultiplyAdd(Accumulator sums, Weights w, Activations x);
//   static Ints Total(Accumulator sums);                   // one sum per output
//   static void StoreBytes(Ints v, std::int8_t* p);        // values in -128..127
//
// and, where MultiplyAdd adds up products in 16 bits first, its steps:
//
//   using Pairs;                                           // each the sum of two products, 16 bits
//   static Pairs Multiply(Weights w, Activations x);
//   static Pairs Add(Pairs a, Pairs b);
//   static Accumulator Widen(Accumulator sums, Pairs p);   // adds p
//
// where Ints and Floats are xsimd's batches of Arch; a vector has as many outputs as they have
// lanes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"
#include "kernels/prefetch.h"

// In the midst of its callers' loops GCC 12 lets a tile's registers spill (AVX2, 4 rows: 72 against
// 103 GMAC/s); V8 does when it is a function of its own (relaxed SIMD, 16 rows: 35 against 51).
#if defined(__clang__)
#define TRANSLUCENT_TILE
#else
#define TRANSLUCENT_TILE [[gnu::noinline]]
#endif

// What shares a tile's sums: they would lie in memory if it were a function of its own.
#define TRANSLUCENT_INLINE __attribute__((always_inline))

// V8 unrolls loops too, but keeps the counting of every round: 7 % at 4 rows and more. Plain SIMD,
// which takes more registers, loses as much by it.
#if defined(__wasm_relaxed_simd__)
#define TRANSLUCENT_PRAGMA(text) _Pragma(#text)
#define TRANSLUCENT_UNROLL(times) TRANSLUCENT_PRAGMA(clang loop unroll_count(times))
#else
#define TRANSLUCENT_UNROLL(times)
#endif

namespace translucent {

template <class Isa>
struct Int8 {
  using Floats = xsimd::batch<float, typename Isa::Arch>;
  using Ints = xsimd::batch<std::int32_t, typename Isa::Arch>;
  using Value = typename Isa::Value;
  static constexpr int kLanes = static_cast<int>(Floats::size);
  static constexpr int kPanelVectors = kPanelRows / kLanes;
  static constexpr int kVectorBytes = kLanes * kColumnGroup;
  static constexpr int kGroupBytes = kPanelRows * kColumnGroup;
  static constexpr int kMaxStreams = std::max(1, Isa::kMaxVectors / kPanelVectors);

  /// Whether groups of columns are multiplied two at a time: their products are added up in 16 bits
  /// before they are widened. They fit where of the 4 columns that meet in a lane the positive
  /// activations come to kMostTogether at most, and so do the negative ones; nearly always.
  static constexpr bool kByTwos = requires { typename Isa::Pairs; };
  static constexpr int kTwoGroups = 2 * kColumnGroup;
  static constexpr int kMostTogether = 32767 / (kWeightOffset + kMaxWeight);

  /// Rows that are taken through all weights together: their activations stay in the cache.
  static constexpr int kRowBlock = 64;

  // --- quantising -------------------------------------------------------------------------------

  /// |v| < 2^22, rounded half to even: of a sum with 1.5 * 2^23 the last bits are whole numbers.
  /// WebAssembly's own conversion takes longer, since it has to do with every float.
  static Ints ToInts(Floats v) {
    constexpr float kWhole = 0x1.8p23f;
    return xsimd::bitwise_cast<std::int32_t>(v + Floats(kWhole)) -
           Ints(std::bit_cast<std::int32_t>(kWhole));
  }

  static Floats LoadTail(const float* p, int count) { return Isa::LoadTail(p, count, 0.f); }

  /// The bits of the largest |x|. Of positive floats the larger has the larger bits, and what is
  /// not finite the largest.
  static std::int32_t LargestBits(const float* x, int n) {
    const Ints magnitude(0x7FFFFFFF);
    Ints largest(0);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      const Ints bits = xsimd::bitwise_cast<std::int32_t>(Floats::load_unaligned(x + i));
      largest = xsimd::max(largest, bits & magnitude);
    }
    if (i < n) {
      const Ints bits = xsimd::bitwise_cast<std::int32_t>(LoadTail(x + i, n - i));
      largest = xsimd::max(largest, bits & magnitude);
    }
    return xsimd::reduce_max(largest);
  }

  static void Quantize(const float* x, const QuantizedRows& out) {
    constexpr float kSmallest = 0x1p-100f;
    constexpr std::int32_t kInfinityBits = 0x7F800000;
    const int cols = out.cols;
    const int padded = PackedColumns(cols);
    for (int r = 0; r < out.rows; ++r, x += cols) {
      std::int8_t* values = out.values + static_cast<std::size_t>(r) * padded;
      const std::int32_t bits = LargestBits(x, cols);
      const float max = std::bit_cast<float>(bits);
      if (bits >= kInfinityBits || max < kSmallest) {
        std::fill(values, values + padded, 0);
        out.scales[r] = bits >= kInfinityBits ? std::numeric_limits<float>::quiet_NaN() : 0.f;
        out.corrections[r] = 0;
        continue;
      }
      const Floats factor(127.f / max);
      Ints sum(0);
      int i = 0;
      for (; i + kLanes <= cols; i += kLanes) {
        const Ints q = ToInts(Floats::load_unaligned(x + i) * factor);
        Isa::StoreBytes(q, values + i);
        sum += q;
      }
      if (i < cols) {
        const Ints q = ToInts(LoadTail(x + i, cols - i) * factor);
        std::int8_t bytes[kLanes];
        Isa::StoreBytes(q, bytes);
        std::copy_n(bytes, padded - i, values + i);
        sum += q;
      }
      out.scales[r] = max / 127.f;
      out.corrections[r] = -kWeightOffset * xsimd::reduce_add(sum);
    }
  }

  // --- products ---------------------------------------------------------------------------------

  /// The sums of Rows rows with the outputs of Vectors vectors, the first of which begins at `w`;
  /// the panels they lie in are `apart` bytes apart. sink(sums) receives them all. run_ends, for
  /// kByTwos: where a run of columns ends whose groups are multiplied two at a time, one whose
  /// groups are multiplied one by one, and so on; the last is x_stride.
  template <int Rows, int Vectors, class Sink>
  TRANSLUCENT_TILE static void Tile(const Value* x, std::size_t x_stride,
                                    const std::size_t* run_ends, const std::uint8_t* w,
                                    std::size_t apart, Sink sink) {
    constexpr int kStreams = std::max(1, Vectors / kPanelVectors);
    typename Isa::Accumulator sums[Rows][Vectors];
    const auto clear = [&] {
      for (auto& row_sums : sums) {
        for (auto& sum : row_sums) sum = Isa::Zero();
      }
    };
    const auto weights = [&](int group, int v) {
      const std::size_t at = v / kPanelVectors * apart + v % kPanelVectors * kVectorBytes;
      return Isa::LoadWeights(w + group * kGroupBytes + at);
    };
    const auto prefetch = [&](int group) {
      if constexpr (kLead > 0) {
        for (int p = 0; p < kStreams; ++p) {
          __builtin_prefetch(w + group * kGroupBytes + p * apart + kLead / kStreams);
        }
      }
    };
    const auto multiply = [&](std::size_t begin, std::size_t end) TRANSLUCENT_INLINE {
      TRANSLUCENT_UNROLL(4)
      for (std::size_t i = begin; i < end; i += kColumnGroup, w += kGroupBytes) {
        prefetch(0);
        typename Isa::Weights all[Vectors];
        for (int v = 0; v < Vectors; ++v) all[v] = weights(0, v);
        for (int r = 0; r < Rows; ++r) {
          const typename Isa::Activations values = Isa::Broadcast(x + r * x_stride + i);
          for (int v = 0; v < Vectors; ++v) {
            sums[r][v] = Isa::MultiplyAdd(sums[r][v], all[v], values);
          }
        }
      }
    };
    // What sinks read; the sums themselves are to stay in registers.
    Ints totals[Rows][Vectors];
    for (auto& row_totals : totals) {
      for (Ints& total : row_totals) total = Ints(0);
    }
    const auto add_totals = [&]() TRANSLUCENT_INLINE {
      for (int r = 0; r < Rows; ++r) {
        for (int v = 0; v < Vectors; ++v) totals[r][v] += Isa::Total(sums[r][v]);
      }
    };
    if constexpr (Isa::kMaxColumns >= kMostColumns) {
      clear();
      if constexpr (kByTwos) {
        // As many at a time as V8 has registers for.
        constexpr int kWide = std::min(Rows == 1 ? 4 : 2, Vectors);
        const auto multiply_twos = [&](std::size_t begin, std::size_t end) TRANSLUCENT_INLINE {
          TRANSLUCENT_UNROLL(Rows == 1 ? 4 : 2)
          for (std::size_t i = begin; i < end; i += kTwoGroups, w += 2 * kGroupBytes) {
            prefetch(0);
            prefetch(1);
            for (int r = 0; r < Rows; ++r) {
              for (int v = 0; v < Vectors; v += kWide) {
                typename Isa::Pairs pairs[kWide];
                for (int g = 0; g < 2; ++g) {
                  const Value* at = x + r * x_stride + i + g * kColumnGroup;
                  const typename Isa::Activations values = Isa::Broadcast(at);
                  for (int k = 0; k < kWide; ++k) {
                    const auto products = Isa::Multiply(weights(g, v + k), values);
                    pairs[k] = g == 0 ? products : Isa::Add(pairs[k], products);
                  }
                }
                for (int k = 0; k < kWide; ++k) {
                  sums[r][v + k] = Isa::Widen(sums[r][v + k], pairs[k]);
                }
              }
            }
          }
        };
        for (std::size_t done = 0; done < x_stride; run_ends += 2) {
          multiply_twos(done, run_ends[0]);
          multiply(run_ends[0], run_ends[1]);
          done = run_ends[1];
        }
      } else {
        multiply(0, x_stride);
      }
      add_totals();
    } else {
      for (std::size_t i = 0; i < x_stride; i += Isa::kMaxColumns) {
        clear();
        multiply(i, std::min<std::size_t>(i + Isa::kMaxColumns, x_stride));
        add_totals();
      }
    }
    sink(totals);
  }

  /// How wide a tile of so many rows is: a power of two.
  static constexpr int VectorsFor(int rows) {
    int vectors = Isa::kMaxVectors;
    while (vectors > 1 && rows * vectors > Isa::kAccumulators) vectors /= 2;
    return vectors;
  }

  /// The first output of a strip and its weights. Where a strip spans several panels, streams, they
  /// lie `apart` panels apart: what processors foresee of one run of memory ends with the page, so
  /// that several are read faster together.
  struct Place {
    const std::uint8_t* w;
    int output;
    int apart;

    /// The first output of vector v.
    int Output(int v) const {
      return output + v / kPanelVectors * apart * kPanelRows + v % kPanelVectors * kLanes;
    }
  };

  /// The outputs of a tile, whose first row is `row`, from its sums.
  template <int Rows, int Vectors, class Sink>
  TRANSLUCENT_INLINE static void ToOutputs(const Sink& sink, int row, const Place& place,
                                           const Ints (&sums)[Rows][Vectors],
                                           Floats (&outputs)[Rows][Vectors]) {
    for (int v = 0; v < Vectors; ++v) {
      const int o = place.Output(v);
      const Floats scales = Floats::load_unaligned(sink.scales + o);
      // y + -0 is y, whatever y is.
      const Floats bias =
          sink.bias != nullptr ? Floats::load_unaligned(sink.bias + o) : Floats(-0.f);
      for (int r = 0; r < Rows; ++r) {
        const Floats sum = xsimd::to_float(sums[r][v] + Ints(sink.corrections[row + r]));
        outputs[r][v] = sum * (Floats(sink.row_scales[row + r]) * scales) + bias;
      }
    }
  }

  // What becomes of a tile's sums: a sink is given its first row, its place and them.

  /// Writes outputs: linear_int8.
  struct Writer {
    const float* row_scales;
    const std::int32_t* corrections;
    const float* scales;
    const float* bias;
    bool relu;
    float* out;
    std::size_t out_stride;

    template <int Rows, int Vectors>
    TRANSLUCENT_INLINE void Take(int row, Place place, const Ints (&sums)[Rows][Vectors]) const {
      Floats outputs[Rows][Vectors];
      ToOutputs(*this, row, place, sums, outputs);
      if (relu) {
        const Floats zero(0.f);
        for (auto& of_row : outputs) {
          for (Floats& y : of_row) y = xsimd::select(y < zero, zero, y);
        }
      }
      // Copies, as `place` is: compilers cannot know that no store changes them.
      float* to = out + row * out_stride;
      const std::size_t stride = out_stride;
      for (int r = 0; r < Rows; ++r, to += stride) {
        for (int v = 0; v < Vectors; ++v) outputs[r][v].store_unaligned(to + place.Output(v));
      }
    }
  };

  /// Remembers the largest output of each row: arg_max_int8.
  struct Chooser {
    const float* row_scales;
    const std::int32_t* corrections;
    const float* scales;
    const float* bias;
    int first;                   // the index of output 0
    Floats (*bests)[kRowBlock];  // [streams]: of each row and lane the largest output so far
    Ints (*indices)[kRowBlock];  // [streams]: and its index; in a stream, indices rise

    template <int Rows, int Vectors>
    TRANSLUCENT_INLINE void Take(int row, const Place& place,
                                 const Ints (&sums)[Rows][Vectors]) const {
      Floats outputs[Rows][Vectors];
      ToOutputs(*this, row, place, sums, outputs);
      auto better = outputs[0][0] > bests[0][row];
      for (int r = 0; r < Rows; ++r) {
        for (int v = 0; v < Vectors; ++v) {
          better = better | (outputs[r][v] > bests[v / kPanelVectors][row + r]);
        }
      }
      if (!xsimd::any(better)) return;  // nearly always, but for the first outputs
      for (int r = 0; r < Rows; ++r) {
        for (int v = 0; v < Vectors; ++v) Remember(row + r, v, place, outputs[r][v]);
      }
    }

    void Remember(int row, int v, const Place& place, Floats y) const {
      alignas(64) static constexpr std::int32_t kIota[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                             8, 9, 10, 11, 12, 13, 14, 15};
      Floats& best = bests[v / kPanelVectors][row];
      const auto better = y > best;
      best = xsimd::select(better, y, best);
      Ints& index = indices[v / kPanelVectors][row];
      index = xsimd::select(xsimd::batch_bool_cast<std::int32_t>(better),
                            Ints(first + place.Output(v)) + Ints::load_aligned(kIota), index);
    }
  };

  /// Rows and weights of a block of products.
  struct Block {
    const Value* x;
    std::size_t x_stride;
    int rows;
    std::size_t panel_bytes;
    const std::size_t* const* run_ends;  // of each tile, for kByTwos
  };

  /// Tiles of like height: the remainder of 9 = 8 + 1 would cost nearly as much as the 8.
  static int TileCount(int rows) { return (rows + Isa::kMaxRows - 1) / Isa::kMaxRows; }
  static int TileHeight(int rows, int tile) {
    const int tiles = TileCount(rows);
    return (rows + tiles - 1 - tile) / tiles;
  }

  /// All rows of the block with Vectors vectors of outputs; Rows is their number if they fit one
  /// tile, 0 otherwise.
  template <int Rows, int Vectors, class Sink>
  static void Strip(const Block& b, const Place& place, const Sink& sink) {
    if constexpr (Rows > 0) {
      OneTile<Rows, Vectors>(b, 0, 0, place, sink);
    } else {
      for (int t = 0, r = 0; r < b.rows; ++t) {
        const int height = TileHeight(b.rows, t);
        TileOfHeight<Isa::kMaxRows, Vectors>(height, b, t, r, place, sink);
        r += height;
      }
    }
  }

  template <int Height, int Vectors, class Sink>
  static void TileOfHeight(int height, const Block& b, int tile, int row, const Place& place,
                           const Sink& sink) {
    if constexpr (Height > Isa::kMaxRows / 2) {
      if (height < Height) {
        return TileOfHeight<Height - 1, Vectors>(height, b, tile, row, place, sink);
      }
    }
    OneTile<Height, Vectors>(b, tile, row, place, sink);
  }

  template <int Rows, int Vectors, class Sink>
  static void OneTile(const Block& b, int tile, int row, const Place& place, const Sink& sink) {
    Tile<Rows, Vectors>(b.x + row * b.x_stride, b.x_stride, kByTwos ? b.run_ends[tile] : nullptr,
                        place.w, place.apart * b.panel_bytes,
                        [&](const Ints(&sums)[Rows][Vectors]) { sink.Take(row, place, sums); });
  }

  /// `panels` panels that lie side by side, as many at a time as Vectors vectors span, then the
  /// rest in narrower strips.
  template <int Rows, int Vectors, class Sink>
  static void Panels(const Block& b, const std::uint8_t* w, int panels, int o, const Sink& sink) {
    constexpr int kStreams = std::max(1, Vectors / kPanelVectors);
    const int apart = panels / kStreams;
    for (int p = 0; p < apart; ++p, w += b.panel_bytes, o += kPanelRows) {
      for (int v = 0; v < kPanelVectors; v += Vectors) {
        Strip<Rows, Vectors>(b, {w + v * kVectorBytes, o + v * kLanes, apart}, sink);
      }
    }
    if constexpr (kStreams > 1) {
      const int done = (kStreams - 1) * apart;
      Panels<Rows, Vectors / 2>(b, w + done * b.panel_bytes, panels - kStreams * apart,
                                o + done * kPanelRows, sink);
    }
  }

  template <int Rows, class Sink>
  static void PanelsForRows(const Block& b, const std::uint8_t* w, int panels, const Sink& sink) {
    if constexpr (Rows == 0) {
      Panels<0, VectorsFor(Isa::kMaxRows)>(b, w, panels, 0, sink);
    } else if (b.rows == Rows) {
      Panels<Rows, VectorsFor(Rows)>(b, w, panels, 0, sink);
    } else if constexpr (Rows < Isa::kMaxRows) {
      PanelsForRows<Rows + 1>(b, w, panels, sink);
    } else {
      PanelsForRows<0>(b, w, panels, sink);
    }
  }

  /// The rows of the last panel, with room for a whole panel's; `fill` stands behind the scales.
  struct LastPanel {
    LastPanel(const WeightMatrix& w, const float* all_bias, float fill)
        : start(w.rows / kPanelRows * kPanelRows), count(w.rows - start) {
      std::fill(scales, scales + kPanelRows, fill);
      std::copy_n(w.scales + start, count, scales);
      if (all_bias != nullptr) std::copy_n(all_bias + start, count, bias);
    }
    int start;
    int count;
    float scales[kPanelRows];
    float bias[kPanelRows] = {};
  };

  /// The rows from `first` on, for that many panels; good until the next call.
  static Block BlockOf(const QuantizedRows& x, int first, int panels) {
    const std::size_t stride = PackedColumns(x.cols);
    const int rows = std::min(kRowBlock, x.rows - first);
    const std::int8_t* values = x.values + first * stride;
    const std::size_t* const* run_ends = nullptr;
    if constexpr (kByTwos) run_ends = RunEnds(values, stride, rows, panels);
    return {ValuesOf(values, rows * stride), stride, rows, PanelBytes(x.cols), run_ends};
  }

  /// Whether products of two groups of columns may not fit 16 bits.
  static bool Crowded(const std::int8_t* x) {
    for (int lane = 0; lane < kColumnGroup; lane += 2) {
      int above = 0, below = 0;
      for (int i : {lane, lane + 1, lane + kColumnGroup, lane + kColumnGroup + 1}) {
        above += std::max<int>(x[i], 0);
        below += std::min<int>(x[i], 0);
      }
      if (std::max(above, -below) > kMostTogether) return true;
    }
    return false;
  }

  /// Whether any two groups of a row are Crowded.
  static bool AnyCrowded(const std::int8_t* x, std::size_t cols) {
    using Bytes = xsimd::batch<std::int8_t, typename Isa::Arch>;
    using Words = xsimd::batch<std::int16_t, typename Isa::Arch>;
    // Of each two groups, what meets in a lane: products with ones add up two columns, as any do.
    const auto together = [](Bytes v) {
      const Words pairs = Isa::Multiply(Bytes(1), v);
      return pairs +
             xsimd::bitwise_cast<std::int16_t>(xsimd::bitwise_cast<std::uint64_t>(pairs) >> 32);
    };
    Words most(0);
    std::size_t i = 0;
    for (; i + Bytes::size <= cols; i += Bytes::size) {
      const Bytes values = Bytes::load_unaligned(x + i);
      const Bytes above = xsimd::max(values, Bytes(0));
      most = xsimd::max(most, xsimd::max(together(above), together(above - values)));
    }
    bool any = xsimd::reduce_max(most) > kMostTogether;
    for (; i + kTwoGroups <= cols; i += kTwoGroups) any |= Crowded(x + i);
    return any;
  }

  /// Block::run_ends; good until the next call.
  static const std::size_t* const* RunEnds(const std::int8_t* x, std::size_t stride, int rows,
                                           int panels) {
    thread_local std::vector<bool> crowded;  // of two groups each
    thread_local std::vector<std::size_t> ends;
    thread_local const std::size_t* tiles[kRowBlock];
    const std::size_t twos = stride / kTwoGroups;
    const bool few = panels < 4;  // for which it takes longer to look than it saves
    const int count = TileCount(rows);
    ends.clear();
    ends.reserve(count * 2 * (twos + 1));
    for (int t = 0; t < count; ++t) {
      tiles[t] = ends.data() + ends.size();
      if (few) {
        ends.insert(ends.end(), {0, stride});
        continue;
      }
      bool any = false;
      for (int r = TileHeight(rows, t); r > 0; --r, x += stride) {
        if (!AnyCrowded(x, stride)) continue;
        if (!any) crowded.assign(twos, false);
        any = true;
        for (std::size_t i = 0; i < twos; ++i) {
          if (Crowded(x + i * kTwoGroups)) crowded[i] = true;
        }
      }
      for (std::size_t i = 0; any && i < twos; ++i) {
        if (!crowded[i]) continue;
        const std::size_t begin = i * kTwoGroups, end = begin + kTwoGroups;
        if (i > 0 && crowded[i - 1]) {
          ends.back() = end;
        } else {
          ends.insert(ends.end(), {begin, end});
        }
      }
      ends.insert(ends.end(), {twos * kTwoGroups, stride});
    }
    return tiles;
  }

  /// The activations as products take them; good until the next call.
  static const Value* ValuesOf(const std::int8_t* values, std::size_t size) {
    if constexpr (sizeof(Value) == 1) {
      return values;
    } else {
      thread_local std::vector<Value> arranged;
      if (arranged.size() < size) arranged.resize(size);
      for (std::size_t i = 0; i < size; i += kColumnGroup) {
        Isa::Arrange(values + i, &arranged[i]);
      }
      return arranged.data();
    }
  }

  static void Linear(const QuantizedRows& x, const WeightMatrix& w, const float* bias, bool relu,
                     float* out, std::size_t out_stride) {
    const int panels = w.rows / kPanelRows;
    for (int first = 0; first < x.rows; first += kRowBlock) {
      const Block b = BlockOf(x, first, panels);
      Writer writer = {
          x.scales + first, x.corrections + first, w.scales, bias, relu, out + first * out_stride,
          out_stride};
      PanelsForRows<1>(b, w.packed, panels, writer);
      if (w.rows % kPanelRows == 0) continue;
      const LastPanel last(w, bias, 0.f);
      float outputs[kRowBlock * kPanelRows];
      float* to = writer.out + last.start;
      writer.scales = last.scales;
      writer.bias = bias != nullptr ? last.bias : nullptr;
      writer.out = outputs;
      writer.out_stride = kPanelRows;
      PanelsForRows<1>(b, w.last_panel, 1, writer);
      for (int r = 0; r < b.rows; ++r) {
        std::copy_n(outputs + r * kPanelRows, last.count, to + r * out_stride);
      }
    }
  }

  static void FindArgMax(const QuantizedRows& x, const WeightMatrix& w, const float* bias,
                         ArgMax* result) {
    const int panels = w.rows / kPanelRows;
    for (int first = 0; first < x.rows; first += kRowBlock) {
      const Block b = BlockOf(x, first, panels);
      constexpr float kNone = -std::numeric_limits<float>::infinity();
      Floats bests[kMaxStreams][kRowBlock];
      Ints indices[kMaxStreams][kRowBlock];
      for (int s = 0; s < kMaxStreams; ++s) {
        std::fill_n(bests[s], b.rows, Floats(kNone));
        std::fill_n(indices[s], b.rows, Ints(-1));
      }
      Chooser chooser = {x.scales + first, x.corrections + first, w.scales, bias, 0, bests,
                         indices};
      PanelsForRows<1>(b, w.packed, panels, chooser);
      if (w.rows % kPanelRows != 0) {
        // What is not a number is never chosen.
        const LastPanel last(w, bias, std::numeric_limits<float>::quiet_NaN());
        chooser.scales = last.scales;
        chooser.bias = bias != nullptr ? last.bias : nullptr;
        chooser.first = last.start;
        PanelsForRows<1>(b, w.last_panel, 1, chooser);
      }
      for (int r = 0; r < b.rows; ++r) {
        ArgMax& found = result[first + r] = {-1, kNone};
        for (int s = 0; s < kMaxStreams; ++s) {
          alignas(64) float values[kLanes];
          alignas(64) std::int32_t positions[kLanes];
          bests[s][r].store_aligned(values);
          indices[s][r].store_aligned(positions);
          for (int lane = 0; lane < kLanes; ++lane) {
            const bool better = values[lane] > found.value ||
                                (values[lane] == found.value && positions[lane] < found.index);
            if (better) found = {positions[lane], values[lane]};
          }
        }
      }
    }
  }
};

}  // namespace translucent
