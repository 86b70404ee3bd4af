#include "decode/probability.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "kernels/kernels.h"

namespace translucent {
namespace {

// Enough to use the output matrix well, few enough to take little memory.
constexpr Eigen::Index kRowsAtOnce = 16;

float LogSum(std::span<const float> logits) {
  return ActiveKernels().log_sum_exp(logits.data(), static_cast<int>(logits.size()));
}

}  // namespace

Distribution Distribute(const GenerationConfig& settings, int eos, std::span<const int> ids,
                        std::span<float> logits, int count) {
  const float unmasked = LogSum(logits);
  ForbidIds(settings, eos, ids, logits);
  const float allowed = LogSum(logits);

  // H = -sum p log p = log Z - sum p * logit.
  double mean = 0;
  for (const float logit : logits) {
    const float probability = std::exp(logit - allowed);
    if (probability > 0) mean += static_cast<double>(probability) * logit;
  }
  Distribution result;
  result.entropy = static_cast<float>(std::max(0.0, allowed - mean) / std::numbers::ln2);

  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + std::min<std::ptrdiff_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), end, order.end(), [&](int a, int b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  const float log_sum = settings.renormalize_logits ? allowed : unmasked;
  for (auto id = order.begin(); id != end && !std::isinf(logits[*id]); ++id) {
    result.candidates.push_back({*id, std::exp(logits[*id] - log_sum)});
  }
  return result;
}

void ForEachLogits(const Decoder& decoder, MatrixView hidden, Workspace& workspace,
                   const std::function<void(std::size_t, std::span<float>)>& visit) {
  for (Eigen::Index first = 0; first < hidden.rows(); first += kRowsAtOnce) {
    const Eigen::Index rows = std::min(kRowsAtOnce, hidden.rows() - first);
    MatrixView logits =
        decoder.Logits({hidden.data() + first * hidden.cols(), rows, hidden.cols()}, workspace);
    for (Eigen::Index r = 0; r < rows; ++r) {
      const std::span<float> row(logits.row(r).data(), static_cast<std::size_t>(logits.cols()));
      visit(static_cast<std::size_t>(first + r), row);
    }
  }
}

std::vector<std::vector<float>> Probabilities(const Transformer& model, const ModelConfig& config,
                                              std::span<const std::vector<int>> sentences,
                                              std::span<const SentenceTarget> targets) {
  std::vector<std::vector<float>> probabilities(targets.size());
  std::vector<std::vector<int>> inputs;  // a target without its last id, which nothing follows
  std::vector<int> rows;                 // [targets]: their sentences
  for (const SentenceTarget& target : targets) {
    std::vector<int>& input = inputs.emplace_back(1, config.decoder_start_token_id);
    if (!target.ids.empty()) {
      input.insert(input.end(), target.ids.begin(), target.ids.end() - 1);
    }
    rows.push_back(target.sentence);
  }
  if (targets.empty()) return probabilities;

  Workspace workspace;
  const PaddedBatch batch = PaddedBatch::Of(sentences, config.pad_token_id);
  const SourceMemory source =
      model.decoder.Remember(model.encoder.Forward(batch, workspace), batch, workspace);
  const PaddedBatch input = PaddedBatch::Of(inputs, config.pad_token_id);
  const std::size_t length = static_cast<std::size_t>(input.length);
  DecoderState state = model.decoder.Start(std::move(rows), source, input.length);
  const MatrixView hidden = model.decoder.Forward(input.ids, input.length, source, state);
  ForEachLogits(model.decoder, hidden, workspace, [&](std::size_t row, std::span<float> logits) {
    const std::vector<int>& ids = targets[row / length].ids;
    const std::size_t position = row % length;
    if (position >= ids.size()) return;  // padding
    probabilities[row / length].push_back(std::exp(logits[ids[position]] - LogSum(logits)));
  });
  return probabilities;
}

}  // namespace translucent
