#include "nn/layers.h"

#include "kernels/kernels.h"

namespace translucent {

Linear::Linear(const Checkpoint& checkpoint, const std::string& prefix)
    : weight_(checkpoint.Matrix(prefix + ".weight")), bias_(checkpoint.Vector(prefix + ".bias")) {}

Matrix Linear::Forward(const Matrix& x) const {
  Matrix y(x.rows(), weight_.rows);
  ActiveKernels().linear(x.data(), static_cast<int>(x.rows()), weight_, bias_.data, y.data());
  return y;
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
  Matrix hidden = expand_.Forward(x);
  const std::size_t size = hidden.size();
  switch (activation_) {
    case Activation::kRelu:
      ActiveKernels().relu(hidden.data(), size);
      break;
    case Activation::kSwish:
      ActiveKernels().swish(hidden.data(), size);
      break;
    case Activation::kGelu:
      ActiveKernels().gelu(hidden.data(), size);
      break;
  }
  return contract_.Forward(hidden);
}

}  // namespace translucent
