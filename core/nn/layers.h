// The small layers every block is made of: linear, layer norm, feed-forward, residual.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "format/checkpoint.h"
#include "kernels/kernels.h"
#include "nn/workspace.h"
#include "tensor/coarse.h"
#include "tensor/matrix.h"
#include "tensor/quantized.h"

namespace translucent {

/// Rows that linear layers read. Those with int8 weights take them quantised: that happens once,
/// for the first layer that asks, so layers that read the same rows should be given the same
/// LinearInput.
class LinearInput {
 public:
  /// Views x [rows, cols], which must not change while this lives; `buffer` may be used again by
  /// the next one when this is done with.
  LinearInput(const float* x, int rows, int cols, QuantizedBuffer& buffer)
      : x_(x), rows_(rows), cols_(cols), buffer_(&buffer) {}
  LinearInput(MatrixView x, QuantizedBuffer& buffer)
      : LinearInput(x.data(), static_cast<int>(x.rows()), static_cast<int>(x.cols()), buffer) {}

  int rows() const { return rows_; }
  const float* floats() const { return x_; }
  const QuantizedRows& Quantized();

 private:
  const float* x_;
  int rows_;
  int cols_;
  QuantizedBuffer* buffer_;
  QuantizedRows quantized_;  // values null: not yet
};

/// y = x W^T + b, W [out, in] (PyTorch's layout), f32 or int8.
class Linear {
 public:
  /// Reads PREFIX.weight and PREFIX.bias.
  Linear(const Checkpoint& checkpoint, const std::string& prefix);
  /// bias of size 0: none.
  Linear(WeightMatrix weight, WeightVector bias) : weight_(weight), bias_(bias) {}

  int outputs() const { return weight_.rows; }
  bool is_int8() const { return weight_.packed != nullptr; }
  const WeightMatrix& weight() const { return weight_; }
  const float* bias() const { return bias_.data; }  // null: none

  /// x [rows, in] -> out [rows, out], whose rows lie out_stride floats apart; with relu max(0, y).
  void Forward(LinearInput& x, float* out, std::size_t out_stride, bool relu = false) const;
  void Forward(LinearInput& x, MatrixView out, bool relu = false) const {
    Forward(x, out.data(), static_cast<std::size_t>(out.cols()), relu);
  }

  /// For int8 weights: best[r] = the largest output of row r with `bias` [out] (or null) in place
  /// of the layer's own, and its index; see ArgMax. The values are those of Forward, which are not
  /// written anywhere.
  void FindArgMax(LinearInput& x, const float* bias, ArgMax* best) const;

 private:
  WeightMatrix weight_;
  WeightVector bias_;
};

/// Some outputs of a Linear layer as a layer of its own, to the bit, whose weights lie side by
/// side. Owns them.
class SelectedOutputs {
 public:
  /// Output i is output outputs[i] of `all`.
  SelectedOutputs(const Linear& all, std::span<const int> outputs);
  SelectedOutputs(const SelectedOutputs&) = delete;
  SelectedOutputs& operator=(const SelectedOutputs&) = delete;

  const Linear& layer() const { return layer_; }

 private:
  AlignedVector<std::uint8_t> panels_;  // int8
  AlignedVector<float> rows_;           // f32
  AlignedVector<float> scales_, bias_;
  Linear layer_;
};

/// Guesses the largest output of a Linear layer with int8 weights from a coarse copy of them, a
/// quarter of their size. Owns the copy; the layer's weights must outlive it.
class CoarseOutputs {
 public:
  struct Settings {
    bool only_if_faster = true;
    int computed = 48;  // panels that are computed exactly
  };

  /// None of float weights and of very wide layers; nor, where it has to be faster, of layers so
  /// small that caches hold them.
  static std::optional<CoarseOutputs> Of(const Linear& all, const Settings& settings);

  CoarseOutputs(CoarseOutputs&&) = default;
  CoarseOutputs& operator=(CoarseOutputs&&) = default;
  CoarseOutputs(const CoarseOutputs&) = delete;

  /// What Guess writes to.
  struct Buffers {
    std::vector<float> bests;  // [panels]
    std::vector<int> panels;   // [panels]
  };
  Buffers Allocate() const;

  /// The index that FindArgMax finds for x [1, in] and bias [out], nearly always: the panels whose
  /// coarse outputs are largest are computed exactly. -1: none.
  int Guess(LinearInput& x, const float* bias, Buffers& buffers) const;

  /// What one row takes, in seconds: its largest output found, guessed, and its share in finding
  /// those of some rows at once, by which guesses are verified.
  struct Times {
    double found, guessed, verified;
  };
  /// Takes as long as to compute the outputs of some 16 rows.
  Times Measure() const;

 private:
  CoarseOutputs(const Linear& all, int computed);

  Linear all_;
  int computed_;
  AlignedVector<std::uint8_t> codes_;
  AlignedVector<float> scales_;
  CoarseMatrix coarse_;
};

/// The coarse outputs of a layer where guessing is faster. That depends on how fast the machine
/// reads what its caches do not hold. It is measured when it is first asked for, a turn each time:
/// what has run for a while, browsers have compiled a second time, and better.
class MeasuredCoarseOutputs {
 public:
  explicit MeasuredCoarseOutputs(const CoarseOutputs::Settings& settings) : settings_(settings) {}

  /// Null while it is not known yet, and where guessing is no faster. The first call makes the
  /// copy. `all`: the same layer each time. Threads may share it.
  const CoarseOutputs* Of(const Linear& all);

 private:
  const CoarseOutputs::Settings settings_;
  std::mutex mutex_;
  int turns_ = 0;
  CoarseOutputs::Times least_ = {HUGE_VAL, HUGE_VAL, HUGE_VAL};
  std::optional<CoarseOutputs> outputs_;
};

/// Layer normalisation over the last axis (Ba et al. 2016), eps 1e-5 as in PyTorch.
class LayerNorm {
 public:
  /// Reads PREFIX.weight (gain) and PREFIX.bias.
  LayerNorm(const Checkpoint& checkpoint, const std::string& prefix);

  /// Normalises each row of x in place.
  void Apply(MatrixView x) const;

  /// Records gain and bias.
  void RecordParameters(Recorder& recorder) const;

 private:
  WeightVector gain_;
  WeightVector bias_;
};

/// Position-wise feed-forward: activation(x W1^T + b1) W2^T + b2 (section 3.3).
class FeedForward {
 public:
  /// Reads PREFIX.fc1 and PREFIX.fc2.
  FeedForward(const Checkpoint& checkpoint, const std::string& prefix, Activation activation);

  /// x [rows, d_model] -> out [rows, d_model].
  void Forward(MatrixView x, Workspace& workspace, MatrixView out) const;

 private:
  Linear expand_;
  Linear contract_;
  Activation activation_;
};

/// The residual connection around a sub-layer (section 3.1): post-norm is the paper's
/// x = LayerNorm(x + Sublayer(x)), pre-norm is x = x + Sublayer(LayerNorm(x)).
/// sublayer(input, out) reads and writes [rows, d_model]; workspace.normed and .update are taken.
/// `part` names the two together for a Recorder.
template <class Sublayer>
void AddAndNorm(MatrixView x, const LayerNorm& norm, bool pre_norm, Workspace& workspace,
                const char* part, Sublayer&& sublayer) {
  const MatrixView update = workspace.update.Resize(x.rows(), x.cols());
  Recorder* const recorder = workspace.DetailRecorder();
  if (recorder != nullptr) {
    recorder->BeginPart(part);
    norm.RecordParameters(*recorder);
    recorder->Append("residual", x);
  }
  if (pre_norm) {
    MatrixView normed = workspace.normed.Resize(x.rows(), x.cols());
    normed = x;
    norm.Apply(normed);
    if (recorder != nullptr) recorder->Append("normed", normed);
    sublayer(normed, update);
    x += update;
    if (recorder != nullptr) recorder->Append("sum", x);
  } else {
    sublayer(x, update);
    x += update;
    if (recorder != nullptr) recorder->Append("sum", x);
    norm.Apply(x);
    if (recorder != nullptr) recorder->Append("normed", x);
  }
}

}  // namespace translucent
