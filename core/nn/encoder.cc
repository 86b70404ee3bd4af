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

void EncoderLayer::Forward(MatrixView x, const PaddedBatch& batch, const KeyIndex& index,
                           float* weights, Workspace& workspace) const {
  AttentionScope scope = {index, {}, {}};
  if (workspace.variant.padding) scope.mask.key_lengths = batch.lengths;
  AddAndNorm(x, self_attention_norm_, pre_norm_, workspace, "self_attention",
             [&](MatrixView in, MatrixView out) {
               LinearInput input(in, workspace.quantized);
               workspace.own.keys.clear();
               workspace.own.values.clear();
               self_attention_.Remember(input, workspace.own);
               self_attention_.Attend(input, batch.length, workspace.own, scope, weights, workspace,
                                      out);
             });
  AddAndNorm(x, feed_forward_norm_, pre_norm_, workspace, "feed_forward",
             [&](MatrixView in, MatrixView out) { feed_forward_.Forward(in, workspace, out); });
}

Encoder::Encoder(const Checkpoint& checkpoint, std::shared_ptr<const PositionTable> positions)
    : embedding_(checkpoint, "model.encoder.embed_tokens.weight", std::move(positions)),
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

MatrixView Encoder::Forward(const PaddedBatch& batch, Workspace& workspace,
                            AttentionRecord* record) const {
  if (record != nullptr) *record = {batch.size(), heads_, batch.length, batch.length, {}};
  const KeyIndex index = KeyIndex::OfBatch(batch.size(), batch.length);
  const MatrixView x = workspace.x.Resize(batch.ids.size(), embedding_.d_model());
  Recorder* const recorder = workspace.recorder;
  if (recorder != nullptr) {
    recorder->BeginStack("encoder", batch.length);
    recorder->BeginPart("embedding");
  }
  embedding_.Forward(batch.ids, batch.length, 0, x, workspace.variant, recorder);
  if (embedding_norm_) embedding_norm_->Apply(x);
  if (recorder != nullptr) recorder->Append("output", x);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (recorder != nullptr) recorder->BeginLayer(static_cast<int>(i));
    layers_[i].Forward(x, batch, index, record != nullptr ? record->AddLayer() : nullptr,
                       workspace);
    if (recorder != nullptr) recorder->EndLayer(x);
  }
  if (final_norm_) final_norm_->Apply(x);
  if (recorder != nullptr) recorder->EndStack(x);
  return x;
}

}  // namespace translucent
