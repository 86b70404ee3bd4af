// The small layers every block is made of: linear, layer norm, feed-forward, residual.
#pragma once

#include <string>

#include "format/checkpoint.h"
#include "tensor/matrix.h"

namespace translucent {

/// y = x W^T + b, W [out, in] (PyTorch's layout), f32 or int8.
class Linear {
 public:
  /// Reads PREFIX.weight and PREFIX.bias.
  Linear(const Checkpoint& checkpoint, const std::string& prefix);

  /// x [rows, in] -> [rows, out].
  Matrix Forward(const Matrix& x) const;

 private:
  WeightMatrix weight_;
  WeightVector bias_;
};

/// Layer normalisation over the last axis (Ba et al. 2016), eps 1e-5 as in PyTorch.
class LayerNorm {
 public:
  /// Reads PREFIX.weight (gain) and PREFIX.bias.
  LayerNorm(const Checkpoint& checkpoint, const std::string& prefix);

  /// Normalises each row of x in place.
  void Apply(Matrix& x) const;

 private:
  WeightVector gain_;
  WeightVector bias_;
};

/// Position-wise feed-forward: activation(x W1^T + b1) W2^T + b2 (section 3.3).
class FeedForward {
 public:
  /// Reads PREFIX.fc1 and PREFIX.fc2.
  FeedForward(const Checkpoint& checkpoint, const std::string& prefix, Activation activation);

  /// x [rows, d_model] -> [rows, d_model].
  Matrix Forward(const Matrix& x) const;

 private:
  Linear expand_;
  Linear contract_;
  Activation activation_;
};

/// The residual connection around a sub-layer (section 3.1): post-norm is the paper's
/// x = LayerNorm(x + Sublayer(x)), pre-norm is x = x + Sublayer(LayerNorm(x)).
template <class Sublayer>
void AddAndNorm(Matrix& x, const LayerNorm& norm, bool pre_norm, Sublayer&& sublayer) {
  if (pre_norm) {
    Matrix normed = x;
    norm.Apply(normed);
    x += sublayer(normed);
  } else {
    x += sublayer(x);
    norm.Apply(x);
  }
}

}  // namespace translucent
