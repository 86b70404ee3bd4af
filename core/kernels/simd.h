// The f32 kernels, written once over xsimd vectors. A kernel file names its instruction set as
//
//   struct Isa {
//     using Arch = ...;                                    // an xsimd architecture
//     static constexpr int kTileRows, kTileOutputs;        // accumulators that fit the registers
//     static Vector LoadTail(const float* p, int count, float fill);  // count < Vector::size
//     static void StoreTail(Vector v, float* p, int count);
//     static Vector AddUp(const Vector* v);                // lane i: the sum of v[i]'s lanes
//   };
//
// adds what int8.h and coarse.h ask for, and fills a table with MakeKernels<Isa>. Include it from
// kernel files only: each is compiled with its own instruction set flags.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <xsimd/xsimd.hpp>

#include "kernels/coarse.h"
#include "kernels/int8.h"
#include "kernels/kernels.h"

namespace translucent {

template <class Isa>
struct Simd {
  using Vector = xsimd::batch<float, typename Isa::Arch>;
  static constexpr int kLanes = static_cast<int>(Vector::size);

  static Vector Load(const float* p) { return Vector::load_unaligned(p); }

  static Vector LoadTail(const float* p, int count, float fill) {
    return Isa::LoadTail(p, count, fill);
  }
  static void StoreTail(Vector v, float* p, int count) { Isa::StoreTail(v, p, count); }

  /// x[i] = f(x[i]), the tail through the same vector code so that every element is treated alike.
  template <class F>
  static void Map(float* x, std::size_t n, F f) {
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) f(Load(x + i)).store_unaligned(x + i);
    if (i < n) {
      const int rest = static_cast<int>(n - i);
      StoreTail(f(LoadTail(x + i, rest, 0.f)), x + i, rest);
    }
  }

  // --- products -------------------------------------------------------------------------------

  /// Rows x Outputs dot products of `cols` values: sums stay in registers until the end.
  template <int Rows, int Outputs>
  static void LinearTile(const float* x, const float* w, int cols, const float* bias, float* out,
                         std::size_t out_stride) {
    Vector sums[Rows][Outputs];
    for (auto& row : sums) {
      for (Vector& sum : row) sum = Vector(0.f);
    }
    int i = 0;
    for (; i + kLanes <= cols; i += kLanes) {
      Vector weights[Outputs];
      for (int o = 0; o < Outputs; ++o) {
        weights[o] = Load(w + static_cast<std::size_t>(o) * cols + i);
      }
      for (int r = 0; r < Rows; ++r) {
        const Vector value = Load(x + static_cast<std::size_t>(r) * cols + i);
        for (int o = 0; o < Outputs; ++o) sums[r][o] = xsimd::fma(value, weights[o], sums[r][o]);
      }
    }
    for (int r = 0; r < Rows; ++r) {
      for (int o = 0; o < Outputs; ++o) {
        float sum = xsimd::reduce_add(sums[r][o]);
        for (int t = i; t < cols; ++t) {
          sum +=
              x[static_cast<std::size_t>(r) * cols + t] * w[static_cast<std::size_t>(o) * cols + t];
        }
        out[r * out_stride + o] = bias != nullptr ? sum + bias[o] : sum;
      }
    }
  }

  template <int Rows>
  static void LinearRows(const float* x, const WeightMatrix& w, const float* bias, float* out,
                         std::size_t out_stride) {
    constexpr int kOutputs = Isa::kTileOutputs;
    const std::size_t cols = w.cols;
    int o = 0;
    for (; o + kOutputs <= w.rows; o += kOutputs) {
      LinearTile<Rows, kOutputs>(x, w.f32 + o * cols, w.cols, bias != nullptr ? bias + o : nullptr,
                                 out + o, out_stride);
    }
    for (; o < w.rows; ++o) {
      LinearTile<Rows, 1>(x, w.f32 + o * cols, w.cols, bias != nullptr ? bias + o : nullptr,
                          out + o, out_stride);
    }
  }

  static void Linear(const float* x, int rows, const WeightMatrix& w, const float* bias, float* out,
                     std::size_t out_stride) {
    constexpr int kRows = Isa::kTileRows;
    const std::size_t x_stride = w.cols;
    int r = 0;
    for (; r + kRows <= rows; r += kRows) {
      LinearRows<kRows>(x + r * x_stride, w, bias, out + r * out_stride, out_stride);
    }
    for (; r < rows; ++r) {
      LinearRows<1>(x + r * x_stride, w, bias, out + r * out_stride, out_stride);
    }
  }

  // --- attention ------------------------------------------------------------------------------

  /// The scores of kLanes keys in Heads heads, so that their sums over lanes are taken together:
  /// summing one vector after another takes longer than the products of a head of 32.
  template <int Heads>
  static void ScoresTile(const float* q, const float* const* keys, int d_k, Vector* scores) {
    const int whole = d_k / kLanes * kLanes;
    Vector sums[Heads][kLanes];
    for (auto& head_sums : sums) {
      for (Vector& sum : head_sums) sum = Vector(0.f);
    }
    for (int i = 0; i < whole; i += kLanes) {
      for (int h = 0; h < Heads; ++h) {
        const int at = h * d_k + i;
        const Vector query = Load(q + at);
        for (int l = 0; l < kLanes; ++l) {
          sums[h][l] = xsimd::fma(query, Load(keys[l] + at), sums[h][l]);
        }
      }
    }
    if (whole < d_k) {
      const int rest = d_k - whole;
      for (int h = 0; h < Heads; ++h) {
        const int at = h * d_k + whole;
        const Vector query = LoadTail(q + at, rest, 0.f);
        for (int l = 0; l < kLanes; ++l) {
          sums[h][l] = xsimd::fma(query, LoadTail(keys[l] + at, rest, 0.f), sums[h][l]);
        }
      }
    }
    for (int h = 0; h < Heads; ++h) scores[h] = Isa::AddUp(sums[h]);
  }

  static void AttentionScores(const float* q, const float* const* keys, int n, int heads, int d_k,
                              float scale, float* out, std::size_t stride) {
    // Additions to one sum wait for each other: where a vector is short, those of two heads are
    // under way.
    constexpr int kHeads = kLanes == 4 ? 2 : 1;
    for (int j = 0; j < n; j += kLanes) {
      const int count = std::min(kLanes, n - j);
      const float* k[kLanes];  // the last key stands in for those behind it
      for (int l = 0; l < kLanes; ++l) k[l] = keys[j + std::min(l, count - 1)];
      const auto tile = [&]<int Heads>(int h) {
        const float* k_h[kLanes];
        for (int l = 0; l < kLanes; ++l) k_h[l] = k[l] + h * d_k;
        Vector scores[Heads];
        ScoresTile<Heads>(q + h * d_k, k_h, d_k, scores);
        for (int i = 0; i < Heads; ++i) {
          const Vector scaled = scores[i] * Vector(scale);
          float* to = out + (h + i) * stride + j;
          if (count == kLanes) {
            scaled.store_unaligned(to);
          } else {
            StoreTail(scaled, to, count);
          }
        }
      };
      int h = 0;
      for (; h + kHeads <= heads; h += kHeads) tile.template operator()<kHeads>(h);
      for (; h < heads; ++h) tile.template operator()<1>(h);
    }
  }

  /// Columns [column, column + Vectors * kLanes) of the sum, of several heads where a head is
  /// shorter: additions to one vector wait for each other, those to different ones do not. Each
  /// Shared vectors belong to one head.
  template <int Vectors, int Shared>
  static void SumTile(const float* weights, std::size_t stride, const float* const* values, int n,
                      int d_k, int column, float* out) {
    const float* head_weights[Vectors / Shared];
    for (int v = 0; v < Vectors; v += Shared) {
      head_weights[v / Shared] = weights + (column + v * kLanes) / d_k * stride;
    }
    Vector sums[Vectors];
    for (Vector& sum : sums) sum = Vector(0.f);
    for (int j = 0; j < n; ++j) {
      const float* value = values[j] + column;
      for (int v = 0; v < Vectors; v += Shared) {
        const Vector weight(head_weights[v / Shared][j]);
        for (int i = v; i < v + Shared; ++i) {
          sums[i] = xsimd::fma(weight, Load(value + i * kLanes), sums[i]);
        }
      }
    }
    for (int v = 0; v < Vectors; ++v) sums[v].store_unaligned(out + column + v * kLanes);
  }

  static void AttentionSums(const float* weights, std::size_t stride, const float* const* values,
                            int n, int heads, int d_k, float* out) {
    // Where a head is no whole number of vectors, each by itself.
    const int span = d_k % kLanes == 0 ? heads * d_k : d_k;
    const bool wide = d_k % (8 * kLanes) == 0;
    for (int begin = 0; begin < heads * d_k; begin += span) {
      const int end = begin + span;
      int i = begin;
      for (; i + 8 * kLanes <= end; i += 8 * kLanes) {
        (wide ? SumTile<8, 8> : SumTile<8, 1>)(weights, stride, values, n, d_k, i, out);
      }
      for (; i + 2 * kLanes <= end; i += 2 * kLanes) {
        SumTile<2, 1>(weights, stride, values, n, d_k, i, out);
      }
      for (; i + kLanes <= end; i += kLanes) SumTile<1, 1>(weights, stride, values, n, d_k, i, out);
      if (i < end) {
        Vector sum(0.f);
        for (int j = 0; j < n; ++j) {
          const Vector weight(weights[i / d_k * stride + j]);
          sum = xsimd::fma(weight, LoadTail(values[j] + i, end - i, 0.f), sum);
        }
        StoreTail(sum, out + i, end - i);
      }
    }
  }

  // --- rows -----------------------------------------------------------------------------------

  static float Max(const float* x, int n) {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    Vector max(kLowest);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) max = xsimd::max(max, Load(x + i));
    if (i < n) max = xsimd::max(max, LoadTail(x + i, n - i, kLowest));
    return xsimd::reduce_max(max);
  }

  static float Sum(const float* x, int n) {
    Vector sum(0.f);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) sum += Load(x + i);
    if (i < n) sum += LoadTail(x + i, n - i, 0.f);
    return xsimd::reduce_add(sum);
  }

  static void Softmax(float* x, int n) {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    const Vector max(Max(x, n));
    Vector sum(0.f);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      const Vector y = xsimd::exp(Load(x + i) - max);
      y.store_unaligned(x + i);
      sum += y;
    }
    if (i < n) {
      const Vector y = xsimd::exp(LoadTail(x + i, n - i, kLowest) - max);
      StoreTail(y, x + i, n - i);
      sum += y;
    }
    const Vector inverse(1.f / xsimd::reduce_add(sum));
    Map(x, n, [&](Vector v) { return v * inverse; });
  }

  static float LogSumExp(const float* x, int n) {
    const float max = Max(x, n);
    const Vector shift(max);
    Vector sum(0.f);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) sum += xsimd::exp(Load(x + i) - shift);
    if (i < n) {
      sum += xsimd::exp(LoadTail(x + i, n - i, -std::numeric_limits<float>::infinity()) - shift);
    }
    return max + xsimd::log(Vector(xsimd::reduce_add(sum))).get(0);
  }

  static void LayerNorm(float* x, int rows, int d, const float* gain, const float* bias,
                        float eps) {
    for (int r = 0; r < rows; ++r, x += d) {
      const float mean = Sum(x, d) / static_cast<float>(d);
      const Vector means(mean);
      Vector squares(0.f);
      int i = 0;
      for (; i + kLanes <= d; i += kLanes) {
        const Vector delta = Load(x + i) - means;
        squares = xsimd::fma(delta, delta, squares);
      }
      if (i < d) {
        const Vector delta = LoadTail(x + i, d - i, mean) - means;
        squares = xsimd::fma(delta, delta, squares);
      }
      const float variance = xsimd::reduce_add(squares) / static_cast<float>(d);
      const Vector inverse = Vector(1.f) / xsimd::sqrt(Vector(variance + eps));
      for (i = 0; i + kLanes <= d; i += kLanes) {
        xsimd::fma((Load(x + i) - means) * inverse, Load(gain + i), Load(bias + i))
            .store_unaligned(x + i);
      }
      if (i < d) {
        const int rest = d - i;
        StoreTail(xsimd::fma((LoadTail(x + i, rest, 0.f) - means) * inverse,
                             LoadTail(gain + i, rest, 0.f), LoadTail(bias + i, rest, 0.f)),
                  x + i, rest);
      }
    }
  }

  static void Relu(float* x, std::size_t n) {
    Map(x, n, [](Vector v) { return xsimd::max(v, Vector(0.f)); });
  }
  static void Swish(float* x, std::size_t n) {
    Map(x, n, [](Vector v) { return v / (Vector(1.f) + xsimd::exp(-v)); });
  }
  static void Gelu(float* x, std::size_t n) {
    const Vector inverse_sqrt2(0.70710678118654752f);
    Map(x, n,
        [&](Vector v) { return Vector(0.5f) * v * (Vector(1.f) + xsimd::erf(v * inverse_sqrt2)); });
  }
};

template <class Isa>
constexpr Kernels MakeKernels(const char* name) {
  using S = Simd<Isa>;
  using I = Int8<Isa>;
  return {name,
          S::Linear,
          I::Quantize,
          I::Linear,
          I::FindArgMax,
          Coarse<Isa>::Bests,
          S::AttentionScores,
          S::AttentionSums,
          S::Softmax,
          S::LogSumExp,
          S::LayerNorm,
          S::Relu,
          S::Swish,
          S::Gelu};
}

}  // namespace translucent
