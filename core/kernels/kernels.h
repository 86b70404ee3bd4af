// The contract of the numeric kernels. scalar.cc is the specification; the other files implement it
// for one instruction set each, and ActiveKernels() picks the best this machine has.
//
// Every output element depends on its own inputs only, in an order fixed by their lengths: a row's
// result never changes with the number of rows beside it. Batching therefore changes no output.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/weights.h"

namespace translucent {

struct Kernels {
  const char* name;  // "scalar", "avx2", "avx512", "wasm-simd128"

  /// out = x W^T + bias.  x [rows, w.cols], W [w.rows, w.cols], bias [w.rows] or null,
  /// out [rows, w.rows]. int8 weights are widened to f32 on the way, sums are f32.
  void (*linear)(const float* x, int rows, const WeightMatrix& w, const float* bias, float* out);

  /// out[j] = scale * (q · k_j) for n vectors k_j of d floats, `stride` floats apart.
  void (*dot_rows)(const float* q, const float* k, std::size_t stride, int n, int d, float scale,
                   float* out);

  /// out[d] = sum over j of weights[j] * v_j for n vectors v_j, `stride` floats apart.
  void (*weighted_sum)(const float* weights, const float* v, std::size_t stride, int n, int d,
                       float* out);

  /// In place over n >= 1 values: exp(x - max) / sum.
  void (*softmax)(float* x, int n);

  /// log(sum(exp(x))) of n >= 1 values, without overflow.
  float (*log_sum_exp)(const float* x, int n);

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
