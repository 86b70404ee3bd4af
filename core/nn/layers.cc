#include "nn/layers.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace translucent {

const QuantizedRows& LinearInput::Quantized() {
  if (quantized_.values == nullptr) {
    quantized_ = buffer_->Resize(rows_, cols_);
    ActiveKernels().quantize(x_, quantized_);
  }
  return quantized_;
}

Linear::Linear(const Checkpoint& checkpoint, const std::string& prefix)
    : weight_(checkpoint.Matrix(prefix + ".weight")), bias_(checkpoint.Vector(prefix + ".bias")) {}

Matrix Linear::Forward(const Matrix& x) const {
  Matrix y(x.rows(), weight_.rows);
  QuantizedBuffer buffer;
  LinearInput input(x, buffer);
  Forward(input, y.data(), weight_.rows);
  return y;
}

void Linear::Forward(LinearInput& x, float* out, std::size_t out_stride, bool relu) const {
  const Kernels& kernels = ActiveKernels();
  if (weight_.packed != nullptr) {
    kernels.linear_int8(x.Quantized(), weight_, bias_.data, relu, out, out_stride);
    return;
  }
  kernels.linear(x.floats(), x.rows(), weight_, bias_.data, out, out_stride);
  for (int r = 0; relu && r < x.rows(); ++r) kernels.relu(out + r * out_stride, weight_.rows);
}

void Linear::FindArgMax(LinearInput& x, const float* bias, ArgMax* best) const {
  const Kernels& kernels = ActiveKernels();
  if (weight_.packed != nullptr) {
    kernels.arg_max_int8(x.Quantized(), weight_, bias, best);
    return;
  }
  constexpr int kChunk = 256;  // outputs at a time: they stay in the cache
  std::vector<float> outputs(static_cast<std::size_t>(x.rows()) * kChunk);
  std::fill(best, best + x.rows(), ArgMax{-1, -std::numeric_limits<float>::infinity()});
  for (int first = 0; first < weight_.rows; first += kChunk) {
    WeightMatrix chunk = weight_;
    chunk.rows = std::min(kChunk, weight_.rows - first);
    chunk.f32 += static_cast<std::size_t>(first) * weight_.cols;
    kernels.linear(x.floats(), x.rows(), chunk, bias != nullptr ? bias + first : nullptr,
                   outputs.data(), kChunk);
    for (int r = 0; r < x.rows(); ++r) {
      const float* row = &outputs[static_cast<std::size_t>(r) * kChunk];
      const float* largest = std::max_element(row, row + chunk.rows);
      if (*largest > best[r].value) best[r] = {first + static_cast<int>(largest - row), *largest};
    }
  }
}

LayerNorm::LayerNorm(const Checkpoint& checkpoint, const std::string& prefix)
    : gain_(checkpoint.Vector(prefix + ".weight")), bias_(checkpoint.Vector(prefix + ".bias")) {}

void LayerNorm::Apply(Matrix& x) const {
  constexpr float kEpsilon = 1e-5f;
  ActiveKernels().layer_norm(x.data(), static_cast<int>(x.rows()), static_cast<int>(x.cols()),
                             gain_.data, bias_.data, kEpsilon);
}

FeedForward::FeedForward(const Checkpoint& checkpoint, const std::string& prefix,
                         Activation activation)
    : expand_(checkpoint, prefix + ".fc1"),
      contract_(checkpoint, prefix + ".fc2"),
      activation_(activation) {}

Matrix FeedForward::Forward(const Matrix& x) const {
  QuantizedBuffer buffer;
  LinearInput input(x, buffer);
  Matrix hidden(x.rows(), expand_.outputs());
  expand_.Forward(input, hidden.data(), hidden.cols(), activation_ == Activation::kRelu);
  if (activation_ == Activation::kSwish) ActiveKernels().swish(hidden.data(), hidden.size());
  if (activation_ == Activation::kGelu) ActiveKernels().gelu(hidden.data(), hidden.size());
  return contract_.Forward(hidden);
}

}  // namespace translucent
