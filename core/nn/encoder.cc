#include <algorithm>
#include <utility>

#include "nn/transformer.h"

namespace translucent {

PaddedBatch PaddedBatch::Of(std::span<const std::vector<int>> sentences, int pad_id) {
  PaddedBatch batch;
  for (const std::vector<int>& sentence : sentences) {
    batch.length = std::max(batch.length, static_cast<int>(sentence.size()));
  }
  batch.ids.assign(sentences.size() * batch.length, pad_id);
  for (std::size_t b = 0; b < sentences.size(); ++b) {
    batch.lengths.push_back(static_cast<int>(sentences[b].size()));
    std::copy(sentences[b].begin(), sentences[b].end(), batch.ids.begin() + b * batch.length);
  }
  return batch;
}

EncoderLayer::EncoderLayer(const Checkpoint& checkpoint, const std::string& prefix)
    : self_attention_(checkpoint, prefix + ".self_attn",
                      checkpoint.config().encoder_attention_heads),
      self_attention_norm_(checkpoint, prefix + ".self_attn_layer_norm"),
      feed_forward_(checkpoint, prefix, checkpoint.config().activation),
      feed_forward_norm_(checkpoint, prefix + ".final_layer_norm"),
      pre_norm_(checkpoint.config().normalize_before) {}

void EncoderLayer::Forward(Matrix& x, const PaddedBatch& batch, float* weights) const {
  const AttentionMask padding_mask = {.key_lengths = batch.lengths};
  AddAndNorm(x, self_attention_norm_, pre_norm_, [&](const Matrix& input) {
    KeyValues memory;
    self_attention_.Remember(input, batch.size(), batch.length, memory);
    return self_attention_.Attend(input, batch.length, memory, {}, padding_mask, weights);
  });
  AddAndNorm(x, feed_forward_norm_, pre_norm_,
             [&](const Matrix& input) { return feed_forward_.Forward(input); });
}

Encoder::Encoder(const Checkpoint& checkpoint)
    : embedding_(checkpoint, "model.encoder.embed_tokens.weight"),
      heads_(checkpoint.config().encoder_attention_heads) {
  const ModelConfig& config = checkpoint.config();
  if (config.normalize_embedding) {
    embedding_norm_.emplace(checkpoint, "model.encoder.layernorm_embedding");
  }
  for (int i = 0; i < config.encoder_layers; ++i) {
    layers_.emplace_back(checkpoint, "model.encoder.layers." + std::to_string(i));
  }
  if (config.add_final_layer_norm) final_norm_.emplace(checkpoint, "model.encoder.layer_norm");
}

Matrix Encoder::Forward(const PaddedBatch& batch, AttentionRecord* record) const {
  if (record != nullptr) *record = {batch.size(), heads_, batch.length, batch.length, {}};
  Matrix x = embedding_.Forward(batch.ids, batch.length, 0);
  if (embedding_norm_) embedding_norm_->Apply(x);
  for (const EncoderLayer& layer : layers_) {
    layer.Forward(x, batch, record != nullptr ? record->AddLayer() : nullptr);
  }
  if (final_norm_) final_norm_->Apply(x);
  return x;
}

}  // namespace translucent
