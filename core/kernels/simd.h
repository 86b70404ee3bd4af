// The f32 kernels, written once over xsimd vectors. A kernel file names its instruction set as
//
//   struct Isa {
//     using Arch = ...;                                    // an xsimd architecture
//     static constexpr int kTileRows, kTileOutputs;        // accumulators that fit the registers
//     static Vector LoadTail(const float* p, int count, float fill);  // `count` < Vector::size
//     values static void StoreTail(Vector v, float* p, int count); static Vector AddUp(const
//     Vector* v);                // lane i: the sum of v[i]'s lanes
//   };
//
// adds what int8.h asks for, and fills a table with MakeKernels<Isa>. Include it from kernel files
// only: each is compiled with its own instruction set flags.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <xsimd/xsimd.hpp>

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

  /// Vectors k_j in groups of kLanes: their sums are added up together, lane j that of k_j. The
  /// last group repeats its last vector, so that every product takes the same way.
  static void DotRows(const float* q, const float* k, std::size_t stride, int n, int d, float scale,
                      float* out) {
    for (int j = 0; j < n; j += kLanes, k += kLanes * stride) {
      const int count = std::min(kLanes, n - j);
      Vector sums[kLanes];
      for (int l = 0; l < kLanes; ++l) {
        const float* key = k + std::min(l, count - 1) * stride;
        Vector sum(0.f);
        int i = 0;
        for (; i + kLanes <= d; i += kLanes) sum = xsimd::fma(Load(q + i), Load(key + i), sum);
        if (i < d) {
          sum = xsimd::fma(LoadTail(q + i, d - i, 0.f), LoadTail(key + i, d - i, 0.f), sum);
        }
        sums[l] = sum;
      }
      const Vector scores = Vector(scale) * Isa::AddUp(sums);
      if (count == kLanes) {
        scores.store_unaligned(out + j);
      } else {
        StoreTail(scores, out + j, count);
      }
    }
  }

  /// `Vectors` vectors of the sum at a time: each is a chain of additions, so they take turns.
  template <int Vectors>
  static void WeightedSumOf(const float* weights, const float* v, std::size_t stride, int n,
                            float* out) {
    Vector sums[Vectors];
    for (Vector& sum : sums) sum = Vector(0.f);
    for (int j = 0; j < n; ++j, v += stride) {
      const Vector weight(weights[j]);
      for (int i = 0; i < Vectors; ++i) {
        sums[i] = xsimd::fma(weight, Load(v + i * kLanes), sums[i]);
      }
    }
    for (int i = 0; i < Vectors; ++i) sums[i].store_unaligned(out + i * kLanes);
  }

  static void WeightedSum(const float* weights, const float* v, std::size_t stride, int n, int d,
                          float* out) {
    int i = 0;
    for (; i + 4 * kLanes <= d; i += 4 * kLanes) {
      WeightedSumOf<4>(weights, v + i, stride, n, out + i);
    }
    for (; i + 2 * kLanes <= d; i += 2 * kLanes) {
      WeightedSumOf<2>(weights, v + i, stride, n, out + i);
    }
    for (; i + kLanes <= d; i += kLanes) WeightedSumOf<1>(weights, v + i, stride, n, out + i);
    if (i < d) {
      Vector sum(0.f);
      for (int j = 0; j < n; ++j) {
        sum = xsimd::fma(Vector(weights[j]), LoadTail(v + j * stride + i, d - i, 0.f), sum);
      }
      StoreTail(sum, out + i, d - i);
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
  return {name,       S::Linear,      I::Quantize, I::Linear,    I::FindArgMax,
          S::DotRows, S::WeightedSum, S::Softmax,  S::LogSumExp, S::LayerNorm,
          S::Relu,    S::Swish,       S::Gelu};
}

}  // namespace translucent
