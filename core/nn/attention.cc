#include "nn/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"

namespace translucent {

int AttentionMask::VisibleKeys(int row, int query, int keys) const {
  int visible = keys;
  if (!key_lengths.empty()) visible = std::min(visible, key_lengths[row]);
  if (causal) visible = std::min(visible, first_position + query + 1);
  return visible;
}

namespace {

/// What one query goes through in the head that `recorder` wants, all keys included: the scores
/// before the mask are computed for it alone. `scores` holds the weights of the visible keys.
void RecordQuery(Recorder& recorder, const float* query, const std::vector<const float*>& keys,
                 int heads, int d_k, float scale, int visible, const float* weights,
                 const float* attended) {
  const int length = static_cast<int>(keys.size());
  const std::size_t first = static_cast<std::size_t>(recorder.head()) * length;
  std::vector<float> scores(static_cast<std::size_t>(heads) * length);
  const auto compute = [&](float factor) {
    ActiveKernels().attention_scores(query, keys.data(), length, heads, d_k, factor, scores.data(),
                                     length);
    return &scores[first];
  };
  recorder.Append("queries", query + recorder.head() * d_k, 1, d_k);
  recorder.Append("scores", compute(1.f), 1, length);
  float* const row = compute(scale);
  recorder.Append("scaled", row, 1, length);
  std::fill(row + visible, row + length, -std::numeric_limits<float>::infinity());
  recorder.Append("masked", row, 1, length);
  std::copy_n(weights + first, visible, row);
  std::fill(row + visible, row + length, 0.f);
  recorder.Append("weights", row, 1, length);
  recorder.Append("attended", attended + recorder.head() * d_k, 1, d_k);
}

}  // namespace

void ScaledDotProductAttention(MatrixView queries, int num_queries, int heads,
                               const KeyValues& memory, const AttentionScope& scope, float* weights,
                               Workspace& workspace, MatrixView out) {
  const Kernels& kernels = ActiveKernels();
  const int rows = static_cast<int>(queries.rows()) / num_queries;
  const int d_model = static_cast<int>(queries.cols());
  const int d_k = d_model / heads;
  const int length = scope.index.length();
  const float scale = workspace.variant.scaled ? 1.f / std::sqrt(static_cast<float>(d_k)) : 1.f;
  Recorder* const recorder = workspace.DetailRecorder();
  float* const scores = workspace.scores.Resize(heads, length).data();
  std::vector<const float*>& keys = workspace.keys;
  std::vector<const float*>& values = workspace.values;
  keys.resize(length);
  values.resize(length);

  for (int row = 0; row < rows; ++row) {
    const int* const positions =
        scope.index.Row(scope.memory_rows.empty() ? row : scope.memory_rows[row]);
    for (int j = 0; j < length; ++j) {
      const std::size_t at = static_cast<std::size_t>(positions[j]) * d_model;
      keys[j] = &memory.keys[at];
      values[j] = &memory.values[at];
    }
    const bool recorded = recorder != nullptr && row == 0;
    for (int j = 0; recorded && j < length; ++j) {
      recorder->AppendAll("keys", keys[j] + recorder->head() * d_k, 1, d_k);
      recorder->AppendAll("values", values[j] + recorder->head() * d_k, 1, d_k);
    }
    for (int i = 0; i < num_queries; ++i) {
      const Eigen::Index at = static_cast<Eigen::Index>(row) * num_queries + i;
      const int visible = scope.mask.VisibleKeys(row, i, length);
      kernels.attention_scores(queries.row(at).data(), keys.data(), visible, heads, d_k, scale,
                               scores, length);
      for (int head = 0; head < heads; ++head) kernels.softmax(scores + head * length, visible);
      kernels.attention_sums(scores, length, values.data(), visible, heads, d_k,
                             out.row(at).data());
      if (recorded) {
        RecordQuery(*recorder, queries.row(at).data(), keys, heads, d_k, scale, visible, scores,
                    out.row(at).data());
      }
      for (int head = 0; weights != nullptr && head < heads; ++head) {
        const std::size_t query_row =
            (static_cast<std::size_t>(row) * heads + head) * num_queries + i;
        float* recorded = weights + query_row * length;
        std::copy_n(scores + head * length, visible, recorded);
        std::fill(recorded + visible, recorded + length, 0.f);
      }
    }
  }
}

float* AttentionRecord::AddLayer() {
  const std::size_t size = static_cast<std::size_t>(rows) * heads * queries * keys;
  return layers.emplace_back(size).data();
}

MultiHeadAttention::MultiHeadAttention(const Checkpoint& checkpoint, const std::string& prefix,
                                       int heads)
    : query_(checkpoint, prefix + ".q_proj"),
      key_(checkpoint, prefix + ".k_proj"),
      value_(checkpoint, prefix + ".v_proj"),
      output_(checkpoint, prefix + ".out_proj"),
      heads_(heads) {}

void MultiHeadAttention::Remember(LinearInput& x, KeyValues& memory) const {
  const auto append = [&](const Linear& layer, AlignedVector<float>& to) {
    const std::size_t end = to.size(), width = layer.outputs();
    to.resize(end + x.rows() * width);
    layer.Forward(x, &to[end], width);
  };
  append(key_, memory.keys);
  append(value_, memory.values);
}

void MultiHeadAttention::Attend(LinearInput& x, int num_queries, const KeyValues& memory,
                                const AttentionScope& scope, float* weights, Workspace& workspace,
                                MatrixView out) const {
  const MatrixView queries = workspace.queries.Resize(x.rows(), query_.outputs());
  query_.Forward(x, queries);
  const MatrixView attended = workspace.attended.Resize(x.rows(), query_.outputs());
  ScaledDotProductAttention(queries, num_queries, heads_, memory, scope, weights, workspace,
                            attended);
  LinearInput heads(attended, workspace.quantized);
  output_.Forward(heads, out);
  if (Recorder* const recorder = workspace.DetailRecorder()) {
    recorder->Append("joined", attended);
    recorder->Append("output", out);
  }
}

}  // namespace translucent
