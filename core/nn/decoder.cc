#include <algorithm>
#include <utility>

#include "nn/transformer.h"

namespace translucent {

void DecoderState::Select(std::span<const int> rows) {
  // source_lengths is computed anew from the sentences: here it holds the former ones.
  source_lengths.swap(sentences);
  sentences.clear();
  for (int row : rows) sentences.push_back(source_lengths[row]);
  index.Select(rows);
}

void DecoderState::Forget(int count) {
  index.Forget(count);
  position -= count;
}

DecoderLayer::DecoderLayer(const Checkpoint& checkpoint, const std::string& prefix)
    : self_attention_(checkpoint, prefix + ".self_attn",
                      checkpoint.config().decoder_attention_heads),
      self_attention_norm_(checkpoint, prefix + ".self_attn_layer_norm"),
      cross_attention_(checkpoint, prefix + ".encoder_attn",
                       checkpoint.config().decoder_attention_heads),
      cross_attention_norm_(checkpoint, prefix + ".encoder_attn_layer_norm"),
      feed_forward_(checkpoint, prefix, checkpoint.config().activation),
      feed_forward_norm_(checkpoint, prefix + ".final_layer_norm"),
      pre_norm_(checkpoint.config().normalize_before) {}

void DecoderLayer::RememberSource(LinearInput& encoded, KeyValues& memory) const {
  cross_attention_.Remember(encoded, memory);
}

void DecoderLayer::Forward(MatrixView x, int count, KeyValues& past,
                           const AttentionScope& past_scope, const KeyValues& source,
                           const AttentionScope& source_scope, float* self_weights,
                           float* cross_weights, Workspace& workspace) const {
  AddAndNorm(x, self_attention_norm_, pre_norm_, workspace, "self_attention",
             [&](MatrixView in, MatrixView out) {
               LinearInput input(in, workspace.quantized);
               self_attention_.Remember(input, past);
               self_attention_.Attend(input, count, past, past_scope, self_weights, workspace, out);
             });
  AddAndNorm(x, cross_attention_norm_, pre_norm_, workspace, "cross_attention",
             [&](MatrixView in, MatrixView out) {
               LinearInput input(in, workspace.quantized);
               cross_attention_.Attend(input, count, source, source_scope, cross_weights, workspace,
                                       out);
             });
  AddAndNorm(x, feed_forward_norm_, pre_norm_, workspace, "feed_forward",
             [&](MatrixView in, MatrixView out) { feed_forward_.Forward(in, workspace, out); });
}

Decoder::Decoder(const Checkpoint& checkpoint, std::shared_ptr<const PositionTable> positions,
                 const CoarseOutputs::Settings& coarse)
    : embedding_(checkpoint, "model.decoder.embed_tokens.weight", std::move(positions)),
      output_(checkpoint.Matrix("lm_head.weight"), checkpoint.Has("final_logits_bias")
                                                       ? checkpoint.Vector("final_logits_bias")
                                                       : WeightVector{}),
      coarse_output_(new CoarseTrial(output_, coarse)),
      heads_(checkpoint.config().decoder_attention_heads) {
  const ModelConfig& config = checkpoint.config();
  if (config.normalize_embedding) {
    embedding_norm_.emplace(checkpoint, "model.decoder.layernorm_embedding");
  }
  for (int i = 0; i < config.decoder_layers; ++i) {
    layers_.emplace_back(checkpoint, "model.decoder.layers." + std::to_string(i));
  }
  if (config.add_final_layer_norm) final_norm_.emplace(checkpoint, "model.decoder.layer_norm");
}

SourceMemory Decoder::Remember(MatrixView encoded, const PaddedBatch& batch,
                               Workspace& workspace) const {
  SourceMemory memory = {std::vector<KeyValues>(layers_.size()),
                         KeyIndex::OfBatch(batch.size(), batch.length), batch.lengths};
  LinearInput input(encoded, workspace.quantized);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].RememberSource(input, memory.layers[i]);
  }
  return memory;
}

DecoderState Decoder::Start(std::vector<int> sentences, const SourceMemory& source,
                            int positions) const {
  DecoderState state;
  const int rows = static_cast<int>(sentences.size());
  state.sentences = std::move(sentences);
  state.source_lengths.reserve(rows);
  state.index.Reserve(rows, positions);
  state.layers.resize(layers_.size());
  for (KeyValues& layer : state.layers) {
    const std::size_t size = static_cast<std::size_t>(rows) * positions * embedding_.d_model();
    layer.keys.reserve(size);
    layer.values.reserve(size);
  }
  const int keys = std::max(positions, source.index.length());
  state.workspace.scores.Resize(heads_, keys);
  state.workspace.keys.reserve(keys);
  state.workspace.values.reserve(keys);
  return state;
}

MatrixView Decoder::Forward(std::span<const int> ids, int count, const SourceMemory& source,
                            DecoderState& state, DecoderRecord* record) const {
  const int rows = static_cast<int>(state.sentences.size());
  state.source_lengths.clear();
  for (int sentence : state.sentences) state.source_lengths.push_back(source.lengths[sentence]);
  const int stored =
      layers_.empty() ? 0 : static_cast<int>(state.layers[0].keys.size()) / embedding_.d_model();
  state.index.Append(rows, count, stored);
  const Variant& variant = state.workspace.variant;
  const AttentionScope past_scope = {
      state.index,
      {},
      {.key_lengths = {}, .causal = variant.causal, .first_position = state.position}};
  AttentionScope source_scope = {source.index, state.sentences, {}};
  if (variant.padding) source_scope.mask.key_lengths = state.source_lengths;
  if (record != nullptr) {
    record->self = {rows, heads_, count, state.position + count, {}};
    record->cross = {rows, heads_, count, source.index.length(), {}};
  }

  const MatrixView x = state.workspace.x.Resize(ids.size(), embedding_.d_model());
  Recorder* const recorder = state.workspace.recorder;
  if (recorder != nullptr) {
    recorder->BeginStack("decoder", count);
    recorder->BeginPart("embedding");
  }
  embedding_.Forward(ids, count, state.position, x, variant, recorder);
  if (embedding_norm_) embedding_norm_->Apply(x);
  if (recorder != nullptr) recorder->Append("output", x);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (recorder != nullptr) recorder->BeginLayer(static_cast<int>(i));
    float* self_weights = record != nullptr ? record->self.AddLayer() : nullptr;
    float* cross_weights = record != nullptr ? record->cross.AddLayer() : nullptr;
    layers_[i].Forward(x, count, state.layers[i], past_scope, source.layers[i], source_scope,
                       self_weights, cross_weights, state.workspace);
    if (recorder != nullptr) recorder->EndLayer(x);
  }
  if (final_norm_) final_norm_->Apply(x);
  if (recorder != nullptr) recorder->EndStack(x);
  state.position += count;
  return x;
}

MatrixView Decoder::Logits(MatrixView hidden, Workspace& workspace, const Linear* output) const {
  const Linear& projection = output != nullptr ? *output : output_;
  const MatrixView logits = workspace.logits.Resize(hidden.rows(), projection.outputs());
  LinearInput input(hidden, workspace.quantized);
  projection.Forward(input, logits);
  return logits;
}

}  // namespace translucent
