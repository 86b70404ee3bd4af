#include <utility>

#include "nn/transformer.h"

namespace translucent {

void DecoderState::Select(std::span<const int> rows) {
  std::vector<int> kept;
  for (int row : rows) kept.push_back(sentences[row]);
  sentences = std::move(kept);
  for (KeyValues& layer : layers) layer.Select(rows);
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

void DecoderLayer::RememberSource(const Matrix& encoded, int batch, int length,
                                  KeyValues& memory) const {
  cross_attention_.Remember(encoded, batch, length, memory);
}

void DecoderLayer::Forward(Matrix& x, int count, KeyValues& past, const AttentionMask& causal_mask,
                           const KeyValues& source, std::span<const int> sentences,
                           const AttentionMask& padding_mask, float* self_weights,
                           float* cross_weights) const {
  const int rows = static_cast<int>(sentences.size());
  AddAndNorm(x, self_attention_norm_, pre_norm_, [&](const Matrix& input) {
    self_attention_.Remember(input, rows, count, past);
    return self_attention_.Attend(input, count, past, {}, causal_mask, self_weights);
  });
  AddAndNorm(x, cross_attention_norm_, pre_norm_, [&](const Matrix& input) {
    return cross_attention_.Attend(input, count, source, sentences, padding_mask, cross_weights);
  });
  AddAndNorm(x, feed_forward_norm_, pre_norm_,
             [&](const Matrix& input) { return feed_forward_.Forward(input); });
}

Decoder::Decoder(const Checkpoint& checkpoint)
    : embedding_(checkpoint, "model.decoder.embed_tokens.weight"),
      output_(checkpoint.Matrix("lm_head.weight"), checkpoint.Has("final_logits_bias")
                                                       ? checkpoint.Vector("final_logits_bias")
                                                       : WeightVector{}),
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

SourceMemory Decoder::Remember(const Matrix& encoded, const PaddedBatch& batch) const {
  SourceMemory memory = {std::vector<KeyValues>(layers_.size()), batch.lengths};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].RememberSource(encoded, batch.size(), batch.length, memory.layers[i]);
  }
  return memory;
}

DecoderState Decoder::Start(std::vector<int> sentences) const {
  return {std::move(sentences), std::vector<KeyValues>(layers_.size()), 0};
}

Matrix Decoder::Forward(std::span<const int> ids, int count, const SourceMemory& source,
                        DecoderState& state, DecoderRecord* record) const {
  const int rows = static_cast<int>(state.sentences.size());
  std::vector<int> source_lengths;  // of each row
  for (int sentence : state.sentences) source_lengths.push_back(source.lengths[sentence]);
  const AttentionMask causal_mask = {
      .key_lengths = {}, .causal = true, .first_position = state.position};
  const AttentionMask padding_mask = {.key_lengths = source_lengths};
  if (record != nullptr) {
    record->self = {rows, heads_, count, state.position + count, {}};
    record->cross = {rows, heads_, count, source.layers.empty() ? 0 : source.layers[0].length, {}};
  }

  Matrix x = embedding_.Forward(ids, count, state.position);
  if (embedding_norm_) embedding_norm_->Apply(x);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    float* self_weights = record != nullptr ? record->self.AddLayer() : nullptr;
    float* cross_weights = record != nullptr ? record->cross.AddLayer() : nullptr;
    layers_[i].Forward(x, count, state.layers[i], causal_mask, source.layers[i], state.sentences,
                       padding_mask, self_weights, cross_weights);
  }
  if (final_norm_) final_norm_->Apply(x);
  state.position += count;
  return x;
}

Matrix Decoder::Logits(const Matrix& hidden) const { return output_.Forward(hidden); }

}  // namespace translucent
