#include "nn/layers.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "tensor/packing.h"

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
  ActiveKernels().arg_max_int8(x.Quantized(), weight_, bias, best);
}

SelectedOutputs::SelectedOutputs(const Linear& all, std::span<const int> outputs) : layer_({}, {}) {
  const WeightMatrix& from = all.weight();
  const std::size_t count = outputs.size();
  const std::size_t cols = static_cast<std::size_t>(from.cols);
  WeightMatrix to = {.rows = static_cast<int>(count), .cols = from.cols};
  const auto gather = [&](const float* values, AlignedVector<float>& gathered) {
    for (const int output : outputs) gathered.push_back(values[output]);
    return gathered.data();
  };
  if (all.is_int8()) {
    const std::size_t full = count / kPanelRows, panels = (count + kPanelRows - 1) / kPanelRows;
    panels_.resize(panels * PanelBytes(from.cols));
    GatherPackedRows(from, outputs, panels_.data());
    to.packed = panels_.data();
    if (full < panels) to.last_panel = panels_.data() + full * PanelBytes(from.cols);
    to.scales = gather(from.scales, scales_);
  } else {
    rows_.reserve(count * cols);
    for (const int output : outputs) {
      const float* row = from.f32 + static_cast<std::size_t>(output) * cols;
      rows_.insert(rows_.end(), row, row + cols);
    }
    to.f32 = rows_.data();
  }
  WeightVector bias;
  if (all.bias() != nullptr) bias = {.size = to.rows, .data = gather(all.bias(), bias_)};
  layer_ = Linear(to, bias);
}

std::optional<CoarseOutputs> CoarseOutputs::Of(const Linear& all, const Settings& settings) {
  const WeightMatrix& w = all.weight();
  if (!all.is_int8() || w.cols > kMostCoarseColumns) return std::nullopt;
  const std::size_t bytes = w.rows / kPanelRows * PanelBytes(w.cols);
  if (settings.only_if_faster && bytes < settings.least_bytes) return std::nullopt;
  return CoarseOutputs(all, settings.computed);
}

CoarseOutputs::CoarseOutputs(const Linear& all, int computed) : all_(all), computed_(computed) {
  const WeightMatrix& w = all.weight();
  const std::size_t panels = w.rows / kPanelRows;
  codes_.resize(panels * CoarsePanelBytes(w.cols));
  scales_.resize(panels * kPanelRows);
  PackCoarse(w, codes_.data(), scales_.data());
  coarse_ = {static_cast<int>(panels), w.cols, codes_.data(), scales_.data()};
}

std::shared_ptr<const CoarseOutputs> CoarseTrial::Outputs() {
  const std::lock_guard lock(mutex_);
  if (!copied_) {
    copied_ = true;
    if (auto outputs = CoarseOutputs::Of(all_, settings_)) {
      outputs_ = std::make_shared<const CoarseOutputs>(std::move(*outputs));
    }
    decided_ = outputs_ == nullptr || !settings_.only_if_faster;
  }
  return outputs_;
}

std::optional<bool> CoarseTrial::NextTurn() {
  const std::lock_guard lock(mutex_);
  if (decided_) return std::nullopt;
  return guessed_.count < found_.count;
}

void CoarseTrial::Tell(bool guessed, double seconds) {
  const std::lock_guard lock(mutex_);
  Turns& turns = guessed ? guessed_ : found_;
  if (decided_ || turns.count == kTurns) return;
  turns.seconds[turns.count++] = seconds;
  if (found_.count < kTurns || guessed_.count < kTurns) return;
  decided_ = true;
  if (guessed_.Undisturbed() >= found_.Undisturbed()) outputs_.reset();
}

double CoarseTrial::Turns::Undisturbed() {
  const auto begin = seconds.begin() + kWarm, quartile = begin + (kTurns - kWarm) / 4;
  std::nth_element(begin, quartile, seconds.end());
  return *quartile;
}

CoarseOutputs::Buffers CoarseOutputs::Allocate() const {
  const std::size_t panels = coarse_.panels;
  return {std::vector<float>(panels), std::vector<int>(panels)};
}

int CoarseOutputs::Guess(LinearInput& x, const float* bias, Buffers& buffers) const {
  const Kernels& kernels = ActiveKernels();
  const WeightMatrix& w = all_.weight();
  kernels.coarse_bests(x.Quantized(), coarse_, bias, buffers.bests.data());
  std::iota(buffers.panels.begin(), buffers.panels.end(), 0);
  const auto end = buffers.panels.begin() + std::min(computed_, coarse_.panels);
  std::nth_element(buffers.panels.begin(), end, buffers.panels.end(),
                   [&](int a, int b) { return buffers.bests[a] > buffers.bests[b]; });
  ArgMax best = {-1, 0};
  const auto compute = [&](int row, int rows, const std::uint8_t* panel) {
    const WeightMatrix part = {.rows = rows,
                               .cols = w.cols,
                               .packed = panel,
                               .last_panel = panel,
                               .scales = w.scales + row};
    ArgMax found;
    kernels.arg_max_int8(x.Quantized(), part, bias + row, &found);
    if (found.index >= 0 && (best.index < 0 || found.value > best.value)) {
      best = {row + found.index, found.value};
    }
  };
  for (auto panel = buffers.panels.begin(); panel != end; ++panel) {
    compute(*panel * kPanelRows, kPanelRows, w.packed + *panel * PanelBytes(w.cols));
  }
  const int rest = w.rows % kPanelRows;
  if (rest > 0) compute(w.rows - rest, rest, w.last_panel);
  return best.index;
}

LayerNorm::LayerNorm(const Checkpoint& checkpoint, const std::string& prefix)
    : gain_(checkpoint.Vector(prefix + ".weight")), bias_(checkpoint.Vector(prefix + ".bias")) {}

void LayerNorm::Apply(MatrixView x) const {
  constexpr float kEpsilon = 1e-5f;
  ActiveKernels().layer_norm(x.data(), static_cast<int>(x.rows()), static_cast<int>(x.cols()),
                             gain_.data, bias_.data, kEpsilon);
}

void LayerNorm::RecordParameters(Recorder& recorder) const {
  recorder.Append("gain", gain_.data, 1, gain_.size);
  recorder.Append("bias", bias_.data, 1, bias_.size);
}

FeedForward::FeedForward(const Checkpoint& checkpoint, const std::string& prefix,
                         Activation activation)
    : expand_(checkpoint, prefix + ".fc1"),
      contract_(checkpoint, prefix + ".fc2"),
      activation_(activation) {}

void FeedForward::Forward(MatrixView x, Workspace& workspace, MatrixView out) const {
  // Some rows at a time: what lies between the two layers stays in the cache.
  constexpr Eigen::Index kRows = 64;
  for (Eigen::Index first = 0; first < x.rows(); first += kRows) {
    const Eigen::Index rows = std::min(kRows, x.rows() - first);
    const auto part = [&](MatrixView m) { return MatrixView(m.row(first).data(), rows, m.cols()); };
    MatrixView hidden = workspace.hidden.Resize(rows, expand_.outputs());
    LinearInput input(part(x), workspace.quantized);
    expand_.Forward(input, hidden, activation_ == Activation::kRelu);
    if (activation_ == Activation::kSwish) ActiveKernels().swish(hidden.data(), hidden.size());
    if (activation_ == Activation::kGelu) ActiveKernels().gelu(hidden.data(), hidden.size());
    if (Recorder* const recorder = workspace.DetailRecorder()) recorder->Append("hidden", hidden);
    LinearInput activated(hidden, workspace.quantized);
    contract_.Forward(activated, part(out));
  }
  if (Recorder* const recorder = workspace.DetailRecorder()) recorder->Append("output", out);
}

}  // namespace translucent
