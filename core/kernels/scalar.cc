// The specification of every kernel, in plain C++.
#include <algorithm>
#include <cmath>

#include "kernels/sets.h"

namespace translucent {
namespace {

void Linear(const float* x, int rows, const WeightMatrix& w, const float* bias, float* out) {
  for (int r = 0; r < rows; ++r) {
    const float* row = x + static_cast<std::size_t>(r) * w.cols;
    for (int o = 0; o < w.rows; ++o) {
      const std::size_t start = static_cast<std::size_t>(o) * w.cols;
      float sum = 0;
      if (w.i8 != nullptr) {
        for (int i = 0; i < w.cols; ++i) sum += row[i] * static_cast<float>(w.i8[start + i]);
        sum *= w.scales[o];
      } else {
        for (int i = 0; i < w.cols; ++i) sum += row[i] * w.f32[start + i];
      }
      out[static_cast<std::size_t>(r) * w.rows + o] = bias != nullptr ? sum + bias[o] : sum;
    }
  }
}

void DotRows(const float* q, const float* k, std::size_t stride, int n, int d, float scale,
             float* out) {
  for (int j = 0; j < n; ++j) {
    float sum = 0;
    for (int i = 0; i < d; ++i) sum += q[i] * k[j * stride + i];
    out[j] = scale * sum;
  }
}

void WeightedSum(const float* weights, const float* v, std::size_t stride, int n, int d,
                 float* out) {
  std::fill(out, out + d, 0.f);
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < d; ++i) out[i] += weights[j] * v[j * stride + i];
  }
}

void Softmax(float* x, int n) {
  const float max = *std::max_element(x, x + n);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - max);
  for (int i = 0; i < n; ++i) x[i] /= sum;
}

float LogSumExp(const float* x, int n) {
  const float max = *std::max_element(x, x + n);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += std::exp(x[i] - max);
  return max + std::log(sum);
}

void LayerNorm(float* x, int rows, int d, const float* gain, const float* bias, float eps) {
  for (int r = 0; r < rows; ++r, x += d) {
    float mean = 0;
    for (int i = 0; i < d; ++i) mean += x[i];
    mean /= static_cast<float>(d);
    float variance = 0;
    for (int i = 0; i < d; ++i) variance += (x[i] - mean) * (x[i] - mean);
    variance /= static_cast<float>(d);
    const float inverse = 1.f / std::sqrt(variance + eps);
    for (int i = 0; i < d; ++i) x[i] = (x[i] - mean) * inverse * gain[i] + bias[i];
  }
}

void Relu(float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = std::max(0.f, x[i]);
}

void Swish(float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] / (1.f + std::exp(-x[i]));
}

void Gelu(float* x, std::size_t n) {
  constexpr float kInverseSqrt2 = 0.70710678118654752f;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = 0.5f * x[i] * (1.f + std::erf(x[i] * kInverseSqrt2));
  }
}

}  // namespace

const Kernels kScalarKernels = {"scalar",  Linear,    DotRows, WeightedSum, Softmax,
                                LogSumExp, LayerNorm, Relu,    Swish,       Gelu};

}  // namespace translucent
