// The specification of every kernel, in plain C++.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "kernels/sets.h"

namespace translucent {
namespace {

void Linear(const float* x, int rows, const WeightMatrix& w, const float* bias, float* out,
            std::size_t out_stride) {
  for (int r = 0; r < rows; ++r) {
    const float* row = x + static_cast<std::size_t>(r) * w.cols;
    for (int o = 0; o < w.rows; ++o) {
      const std::size_t start = static_cast<std::size_t>(o) * w.cols;
      float sum = 0;
      for (int i = 0; i < w.cols; ++i) sum += row[i] * w.f32[start + i];
      out[r * out_stride + o] = bias != nullptr ? sum + bias[o] : sum;
    }
  }
}

void Quantize(const float* x, const QuantizedRows& out) {
  constexpr float kSmallest = 0x1p-100f;
  const int padded = PackedColumns(out.cols);
  for (int r = 0; r < out.rows; ++r, x += out.cols) {
    float max = 0;
    bool finite = true;
    for (int i = 0; i < out.cols; ++i) {
      max = std::max(max, std::abs(x[i]));
      finite &= std::isfinite(x[i]);
    }
    std::int8_t* values = out.values + static_cast<std::size_t>(r) * padded;
    std::fill(values, values + padded, 0);
    std::int32_t sum = 0;
    if (finite && max >= kSmallest) {
      const float factor = 127.f / max;
      for (int i = 0; i < out.cols; ++i) {
        values[i] = static_cast<std::int8_t>(std::nearbyint(x[i] * factor));
        sum += values[i];
      }
      out.scales[r] = max / 127.f;
    } else {
      out.scales[r] = finite ? 0.f : std::numeric_limits<float>::quiet_NaN();
    }
    out.corrections[r] = -kWeightOffset * sum;
  }
}

// One output of one row.
float Int8Output(const QuantizedRows& x, int r, const WeightMatrix& w, int o, const float* bias) {
  const std::int8_t* values = x.values + static_cast<std::size_t>(r) * PackedColumns(x.cols);
  const std::uint8_t* weights = PackedRow(w, o);
  std::int32_t sum = x.corrections[r];
  for (int c = 0; c < x.cols; ++c) {
    const int group = c / kColumnGroup * kPanelRows * kColumnGroup;
    sum += values[c] * weights[group + c % kColumnGroup];
  }
  const float y = static_cast<float>(sum) * (x.scales[r] * w.scales[o]);
  return bias != nullptr ? y + bias[o] : y;
}

void LinearInt8(const QuantizedRows& x, const WeightMatrix& w, const float* bias, bool relu,
                float* out, std::size_t out_stride) {
  for (int r = 0; r < x.rows; ++r) {
    for (int o = 0; o < w.rows; ++o) {
      const float y = Int8Output(x, r, w, o, bias);
      out[r * out_stride + o] = relu && y < 0 ? 0.f : y;
    }
  }
}

void ArgMaxInt8(const QuantizedRows& x, const WeightMatrix& w, const float* bias, ArgMax* best) {
  for (int r = 0; r < x.rows; ++r) {
    best[r] = {-1, -std::numeric_limits<float>::infinity()};
    for (int o = 0; o < w.rows; ++o) {
      const float y = Int8Output(x, r, w, o, bias);
      if (y > best[r].value) best[r] = {o, y};
    }
  }
}

// One output of one row by a coarse copy of the weights.
float CoarseOutput(const QuantizedRows& x, const CoarseMatrix& w, int o, const float* bias) {
  const int groups = PackedColumns(x.cols) / kColumnGroup;
  std::int32_t largest = 0;
  for (int g = 0; g < groups; ++g) {
    std::int32_t sum = 0;
    for (int i = 0; i < kColumnGroup; ++i) sum += std::abs(x.values[g * kColumnGroup + i]);
    largest = std::max(largest, sum);
  }
  const std::int32_t factor = largest > 0 ? (kLargestEntry << 16) / largest : 0;
  const std::uint8_t* code =
      w.codes + o / kPanelRows * CoarsePanelBytes(w.cols) + CoarseByte(o % kPanelRows);
  std::int32_t sum = 0;
  for (int g = 0; g < groups; ++g, code += kPanelRows) {
    std::int32_t l = 0, h = 0;
    for (int i = 0; i < kColumnGroup; ++i) {
      const std::int32_t y = (x.values[g * kColumnGroup + i] * factor + 128) >> 8;
      l += (*code >> i & 1) != 0 ? y : -y;
      h += (*code >> (4 + i) & 1) != 0 ? y : -y;
    }
    sum += ((l + 128) >> 8) + ((h + 64) >> 7);
  }
  const float scale = x.scales[0] * (static_cast<float>(largest) / kLargestEntry);
  const float y = static_cast<float>(sum) * (scale * w.scales[o]);
  return y + bias[o];
}

void CoarseBests(const QuantizedRows& x, const CoarseMatrix& w, const float* bias, float* bests) {
  for (int p = 0; p < w.panels; ++p) {
    bests[p] = -std::numeric_limits<float>::infinity();
    for (int r = 0; r < kPanelRows; ++r) {
      bests[p] = std::max(bests[p], CoarseOutput(x, w, p * kPanelRows + r, bias));
    }
  }
}

void AttentionScores(const float* q, const float* const* keys, int n, int heads, int d_k,
                     float scale, float* out, std::size_t stride) {
  for (int h = 0; h < heads; ++h) {
    for (int j = 0; j < n; ++j) {
      float sum = 0;
      for (int i = h * d_k; i < (h + 1) * d_k; ++i) sum += q[i] * keys[j][i];
      out[h * stride + j] = scale * sum;
    }
  }
}

void AttentionSums(const float* weights, std::size_t stride, const float* const* values, int n,
                   int heads, int d_k, float* out) {
  std::fill(out, out + heads * d_k, 0.f);
  for (int h = 0; h < heads; ++h) {
    for (int j = 0; j < n; ++j) {
      for (int i = h * d_k; i < (h + 1) * d_k; ++i)
        out[i] += weights[h * stride + j] * values[j][i];
    }
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

const Kernels kScalarKernels = {
    "scalar",      Linear,  Quantize,  LinearInt8, ArgMaxInt8, CoarseBests, AttentionScores,
    AttentionSums, Softmax, LogSumExp, LayerNorm,  Relu,       Swish,       Gelu};

}  // namespace translucent
