// The small layers every block is made of: linear, layer norm, feed-forward, residual.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    std::size_t least_bytes = 4 << 20;  // of the layer, where it has to be faster
    int computed = 48;                  // panels that are computed exactly
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

 private:
  CoarseOutputs(const Linear& all, int computed);

  Linear all_;
  int computed_;
  AlignedVector<std::uint8_t> codes_;
  AlignedVector<float> scales_;
  CoarseMatrix coarse_;
};

/// The coarse outputs of a layer, where a search is faster with guesses. That depends on how fast
/// the machine reads what its caches do not hold, and on what a browser has compiled for good, so
/// that no measurement beside a search foretells it: the first searches guess and find in turns, a
/// turn for some ids, and tell what an id took. Threads may share it.
class CoarseTrial {
 public:
  CoarseTrial(const Linear& all, const CoarseOutputs::Settings& settings)
      : all_(all), settings_(settings) {}

  /// Null where guesses are no faster. The first call makes the copy.
  std::shared_ptr<const CoarseOutputs> Outputs();

  /// Whether the turn that begins is to guess; nothing where none is needed any more.
  std::optional<bool> NextTurn();

  /// What each id of such a turn took, in seconds.
  void Tell(bool guessed, double seconds);

 private:
  static constexpr int kTurns = 12;  // of each kind
  static constexpr int kWarm = 2;    // the first of which do not count

  const Linear all_;
  const CoarseOutputs::Settings settings_;
  std::mutex mutex_;
  bool copied_ = false;
  bool decided_ = false;
  std::shared_ptr<const CoarseOutputs> outputs_;
  struct Turns {
    int count = 0;
    std::array<double, kTurns> seconds = {};
    double Undisturbed();  // the lower quartile: whatever else a machine does only adds to it
  };
  Turns found_, guessed_;
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
