// The contract of the numeric kernels. scalar.cc is the specification; the other files implement it
// for one instruction set each, and ActiveKernels() picks the best this machine has.
//
// Every output element depends on its own inputs only, in an order fixed by their lengths: a row's
// result never changes with the number of rows beside it. Batching therefore changes no output.
// The int8 kernels go further: all sets yield the same bits.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/coarse.h"
#include "tensor/quantized.h"
#include "tensor/weights.h"

namespace translucent {

/// The largest of a row of outputs: the first one, where several are equal. index is -1 and value
/// minus infinity where no output is greater than minus infinity.
struct ArgMax {
  int index;
  float value;
};

struct Kernels {
  const char* name;  // "scalar", "avx2", "avx512", ...

  /// out = x W^T + bias in f32.  x [rows, w.cols], W [w.rows, w.cols] with f32 set, bias [w.rows]
  /// or null, out [rows, w.rows], its rows out_stride floats apart.
  void (*linear)(const float* x, int rows, const WeightMatrix& w, const float* bias, float* out,
                 std::size_t out_stride);

  // --- int8: x is quantised once, then multiplied with all matrices that need it ----------------

  /// Quantises each row of x [rows, cols] to 8 bits, symmetrically:
  ///   scale = max|x| / 127,  q = x * (127 / max|x|) rounded half to even.
  /// A row whose max|x| is below 2^-100 gives zeros and scale 0; one with a value that is infinite
  /// or not a number gives zeros and a scale that is not a number, which every product then is,
  /// too. Writes values with their padding, scales and corrections of `out`, Resize()d to rows and
  /// cols.
  void (*quantize)(const float* x, const QuantizedRows& out);

  /// out = x W^T + bias, with relu 0 where that is negative.  x [rows, w.cols], W [w.rows, w.cols]
  /// packed, bias [w.rows] or null, out [rows, w.rows], its rows out_stride floats apart.
  /// Sums of integers are exact; then, each operation rounded by itself,
  ///   out[r, o] = float(sum) * (x.scales[r] * w.scales[o]) + bias[o].
  void (*linear_int8)(const QuantizedRows& x, const WeightMatrix& w, const float* bias, bool relu,
                      float* out, std::size_t out_stride);

  /// best[r] = the largest of the outputs linear_int8 would write for row r (without relu), which
  /// are not written. A bias of minus infinity keeps an output from being chosen.
  void (*arg_max_int8)(const QuantizedRows& x, const WeightMatrix& w, const float* bias,
                       ArgMax* best);

  /// Where the outputs of arg_max_int8 are likely to be large, by a coarse copy of its weights:
  ///   bests[p] = max over o in panel p of float(sum[o]) * (scale * w.scales[o]) + bias[o].
  /// x is one row of w.cols <= kMostCoarseColumns, bias [w.panels * 16], bests [w.panels]. The
  /// exact integers: with L the largest sum of 4 columns' |x| (those of a group), F = 21 * 2^16 / L
  /// rounded down (0 if L is 0) and y = floor((x F + 128) / 256), each group adds to sum[o]
  ///   floor((S_l + 128) / 256) + floor((S_h + 64) / 128),  S_b = sum of (2 b(o, c) - 1) y(c),
  /// and scale = x.scales[0] * (L / 21).
  void (*coarse_bests)(const QuantizedRows& x, const CoarseMatrix& w, const float* bias,
                       float* bests);

  // --- attention --------------------------------------------------------------------------------

  /// The scores of one query q [heads * d_k] against n keys [heads * d_k], each head by itself:
  ///   out[h * stride + j] = scale * (q_h · keys[j]_h).
  void (*attention_scores)(const float* q, const float* const* keys, int n, int heads, int d_k,
                           float scale, float* out, std::size_t stride);

  /// The values [heads * d_k] under one query's weights, each head by itself:
  ///   out_h = sum over j of weights[h * stride + j] * values[j]_h.
  void (*attention_sums)(const float* weights, std::size_t stride, const float* const* values,
                         int n, int heads, int d_k, float* out);

  /// In place over n >= 1 values: exp(x - max) / sum.
  void (*softmax)(float* x, int n);

  /// log(sum(exp(x))) of n >= 1 values, without overflow.
  float (*log_sum_exp)(const float* x, int n);

  // --- rows -------------------------------------------------------------------------------------

  /// In place over each row of x [rows, d]: (x - mean) / sqrt(variance + eps) * gain + bias.
  void (*layer_norm)(float* x, int rows, int d, const float* gain, const float* bias, float eps);

  /// In place: max(0, x);  x * sigmoid(x);  x * Phi(x) with the exact error function.
  void (*relu)(float* x, std::size_t n);
  void (*swish)(float* x, std::size_t n);
  void (*gelu)(float* x, std::size_t n);
};

/// The fastest kernels this machine runs; chosen once.
const Kernels& ActiveKernels();

/// Every kernel set compiled in that this machine can run, scalar first: for tests.
std::span<const Kernels* const> RunnableKernels();

}  // namespace translucent
