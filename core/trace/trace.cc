#include "trace/trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "decode/search.h"
#include "kernels/kernels.h"
#include "nn/embedding.h"

namespace translucent {
namespace {

/// The sentence, and where there is to be padding the same one `padding` tokens longer.
PaddedBatch BatchOf(std::span<const int> source, int padding, int pad_id) {
  std::vector<std::vector<int>> sentences = {{source.begin(), source.end()}};
  if (padding > 0) {
    sentences.push_back(sentences[0]);
    for (int i = 0; i < padding; ++i) sentences[1].push_back(source[i % source.size()]);
  }
  return PaddedBatch::Of(sentences, pad_id);
}

void CheckChoice(const char* stack, const Recorder::Choice& choice, int layers, int heads) {
  const auto check = [&](const char* what, int number, int count) {
    if (number >= 0 && number < count) return;
    throw Error(std::string(stack) + " " + what, std::to_string(number) + " is not one of " +
                                                     std::to_string(count) + ", counted from 0");
  };
  check("layer", choice.layer, layers);
  check("head", choice.head, heads);
}

/// The `count` largest logits, best first; equal ones by id.
std::vector<TraceStep::Candidate> LargestOf(std::span<const float> logits, int count,
                                            float log_sum_exp) {
  std::vector<int> ids(logits.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>(i);
  const auto kept = ids.begin() + std::min<std::ptrdiff_t>(count, std::ssize(ids));
  std::partial_sort(ids.begin(), kept, ids.end(), [&](int a, int b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  std::vector<TraceStep::Candidate> largest;
  for (auto id = ids.begin(); id != kept; ++id) {
    largest.push_back({*id, logits[*id], std::exp(logits[*id] - log_sum_exp)});
  }
  return largest;
}

std::vector<int> IdsOf(const std::vector<Token>& tokens) {
  std::vector<int> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  return ids;
}

}  // namespace

Summary Summarize(std::span<const float> values) {
  Summary summary;
  double sum = 0, squares = 0;
  std::size_t count = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    summary.min = count == 0 ? value : std::min(summary.min, value);
    summary.max = count == 0 ? value : std::max(summary.max, value);
    sum += value;
    ++count;
  }
  if (count == 0) return summary;
  const double mean = sum / static_cast<double>(count);
  for (const float value : values) {
    if (std::isfinite(value)) squares += (value - mean) * (value - mean);
  }
  summary.mean = static_cast<float>(mean);
  summary.deviation = static_cast<float>(std::sqrt(squares / static_cast<double>(count)));
  return summary;
}

std::vector<int> Histogram(std::span<const float> values, float low, float high, int bins) {
  std::vector<int> counts(bins, 0);
  const float width = (high - low) / static_cast<float>(bins);
  for (const float value : values) {
    if (!(value >= low && value <= high) || !(width > 0)) continue;
    ++counts[std::min(bins - 1, static_cast<int>((value - low) / width))];
  }
  return counts;
}

Trace TraceForward(const Transformer& model, const ModelConfig& config, std::span<const int> source,
                   std::span<const int> target, const TraceOptions& options) {
  CheckChoice("encoder", options.encoder, config.encoder_layers, config.encoder_attention_heads);
  CheckChoice("decoder", options.decoder, config.decoder_layers, config.decoder_attention_heads);
  const int steps = static_cast<int>(target.size());
  if (options.logits_step < 0 || options.logits_step >= steps) {
    throw Error("decoding step", std::to_string(options.logits_step) + " is not one of " +
                                     std::to_string(steps) + ", counted from 0");
  }
  if (options.padding < 0) throw Error("padding", "must not be negative");
  const PaddedBatch batch = BatchOf(source, options.padding, config.pad_token_id);

  Recorder recorder(options.encoder, options.decoder);
  Workspace workspace;
  workspace.variant = options.variant;
  workspace.recorder = &recorder;
  const SourceMemory memory =
      model.decoder.Remember(model.encoder.Forward(batch, workspace), batch, workspace);

  std::vector<int> inputs = {config.decoder_start_token_id};
  inputs.insert(inputs.end(), target.begin(), target.end() - 1);
  DecoderState state = model.decoder.Start({0}, memory, steps);
  state.workspace.variant = options.variant;
  state.workspace.recorder = &recorder;
  const MatrixView hidden = model.decoder.Forward(inputs, steps, memory, state);
  const MatrixView logits = model.decoder.Logits(hidden, workspace);
  const int vocabulary = static_cast<int>(logits.cols());
  recorder.Append("logits", logits.row(options.logits_step).data(), 1, vocabulary);

  Trace trace;
  trace.length = batch.length;
  for (int t = 0; t < steps; ++t) {
    const std::span<const float> row(logits.row(t).data(), vocabulary);
    TraceStep step;
    step.input = inputs[t];
    step.log_sum_exp = ActiveKernels().log_sum_exp(row.data(), vocabulary);
    const float logit = row[target[t]];
    step.chosen = {target[t], logit, std::exp(logit - step.log_sum_exp)};
    step.rank = static_cast<int>(std::ranges::count_if(row, [&](float x) { return x > logit; }));
    step.candidates = LargestOf(row, options.candidates, step.log_sum_exp);
    trace.steps.push_back(std::move(step));
  }
  trace.matrices = std::move(recorder).TakeMatrices();
  return trace;
}

std::vector<int> WriteGreedily(const Transformer& model, const ModelConfig& config,
                               const GenerationConfig& settings, std::span<const int> source,
                               const Variant& variant, int padding) {
  const PaddedBatch batch = BatchOf(source, padding, config.pad_token_id);
  Workspace workspace;
  workspace.variant = variant;
  const SourceMemory memory =
      model.decoder.Remember(model.encoder.Forward(batch, workspace), batch, workspace);
  DecoderState state = model.decoder.Start({0}, memory, settings.max_length);
  state.workspace.variant = variant;
  std::vector<int> ids = {config.decoder_start_token_id};  // it counts towards max_length
  while (static_cast<int>(ids.size()) < settings.max_length &&
         (ids.size() == 1 || ids.back() != config.eos_token_id)) {
    MatrixView logits =
        model.decoder.Logits(model.decoder.Forward({&ids.back(), 1}, 1, memory, state), workspace);
    ForbidIds(settings, config.eos_token_id, ids,
              {logits.data(), static_cast<std::size_t>(logits.cols())});
    int id = 0;
    logits.row(0).maxCoeff(&id);
    ids.push_back(id);
  }
  ids.erase(ids.begin());
  return ids;
}

SentenceTrace TraceSentence(const Translator& translator, std::string_view text,
                            const std::string* target, const TraceOptions& options) {
  const Checkpoint& checkpoint = translator.checkpoint();
  const ModelConfig& config = checkpoint.config();
  Explanation explanation = translator.Explain(text, {}, target);
  SentenceTrace result;
  result.source_text = std::move(explanation.source_text);
  result.target_text = std::move(explanation.target_text);
  result.source = std::move(explanation.source);
  result.target = std::move(explanation.target);
  const std::vector<int> source = IdsOf(result.source);
  if (source.size() + options.padding > static_cast<std::size_t>(config.max_position_embeddings)) {
    throw Error("text", std::to_string(source.size()) + " tokens and " +
                            std::to_string(options.padding) + " of padding are more than the " +
                            std::to_string(config.max_position_embeddings) +
                            " positions of the model");
  }
  result.trace = TraceForward(translator.model(), config, source, IdsOf(result.target), options);
  result.start = checkpoint.target_vocabulary().tokens[config.decoder_start_token_id];
  result.padding = checkpoint.source_vocabulary().tokens[config.pad_token_id];
  result.rewritten =
      translator.TargetText(WriteGreedily(translator.model(), config, checkpoint.generation(),
                                          source, options.variant, options.padding));
  result.pre_norm = config.normalize_before;
  result.activation = config.activation;
  const auto root = [](int n) { return std::sqrt(static_cast<float>(n)); };
  if (config.scale_embedding) result.embedding_scale = root(config.d_model);
  result.encoder_scale = root(config.d_model / config.encoder_attention_heads);
  result.decoder_scale = root(config.d_model / config.decoder_attention_heads);
  return result;
}

PairComparison ComparePair(const Translator& translator, std::string_view first,
                           std::string_view second) {
  const Checkpoint& checkpoint = translator.checkpoint();
  const ModelConfig& config = checkpoint.config();
  const Transformer& model = translator.model();
  PairComparison result;
  result.d_model = config.d_model;

  std::vector<int> ids[2];
  const auto describe = [&](std::string_view text, PairComparison::Side& side,
                            std::vector<int>& own) {
    side.text = text;
    side.tokens = translator.Explain(text).source;
    own = IdsOf(side.tokens);
    const auto write = [&](const Variant& variant) {
      return translator.TargetText(
          WriteGreedily(model, config, checkpoint.generation(), own, variant, 0));
    };
    side.translation = write({});
    side.without = write({.positions = false});
  };
  describe(first, result.first, ids[0]);
  describe(second, result.second, ids[1]);

  std::map<int, std::vector<int>> places;  // in the first sentence, last one first
  for (int i = static_cast<int>(ids[0].size()) - 1; i >= 0; --i) places[ids[0][i]].push_back(i);
  result.permuted = ids[0].size() == ids[1].size();
  for (const int id : ids[1]) {
    std::vector<int>& left = places[id];
    result.same.push_back(left.empty() ? -1 : left.back());
    if (left.empty()) {
      result.permuted = false;
    } else {
      left.pop_back();
    }
  }

  const auto compare = [&](const Variant& variant, PairComparison::Outputs& outputs) {
    const auto encode = [&](const std::vector<int>& own) {
      Workspace workspace;
      workspace.variant = variant;
      const MatrixView x = model.encoder.Forward(BatchOf(own, 0, config.pad_token_id), workspace);
      return std::vector<float>(x.data(), x.data() + x.size());
    };
    outputs.first = encode(ids[0]);
    outputs.second = encode(ids[1]);
    const int d = config.d_model;
    for (std::size_t j = 0; j < ids[1].size(); ++j) {
      for (std::size_t i = 0; i < ids[0].size(); ++i) {
        float largest = 0;
        for (int c = 0; c < d; ++c) {
          largest =
              std::max(largest, std::abs(outputs.second[j * d + c] - outputs.first[i * d + c]));
        }
        outputs.differences.push_back(largest);
        if (result.same[j] == static_cast<int>(i)) {
          outputs.largest = std::max(outputs.largest, largest);
        }
      }
    }
  };
  compare({}, result.with_positions);
  compare({.positions = false}, result.without_positions);
  return result;
}

std::vector<float> PositionProducts(int d_model, std::span<const int> positions, int distances) {
  std::vector<float> products;
  std::vector<float> here(d_model), there(d_model);
  for (const int position : positions) {
    PositionalEncoding(position, here);
    for (int distance = 0; distance < distances; ++distance) {
      PositionalEncoding(position + distance, there);
      double sum = 0;
      for (int i = 0; i < d_model; ++i) sum += static_cast<double>(here[i]) * there[i];
      products.push_back(static_cast<float>(sum));
    }
  }
  return products;
}

}  // namespace translucent
