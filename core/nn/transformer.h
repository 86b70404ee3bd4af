// The encoder-decoder Transformer (section 3): ids in, logits out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/layers.h"
#include "tensor/matrix.h"

namespace translucent {

/// Sentences of unlike lengths, padded on the right to the longest.
struct PaddedBatch {
  int length = 0;            // positions of each sentence, padding included
  std::vector<int> lengths;  // [batch]: tokens of each sentence
  std::vector<int> ids;      // [batch, length]

  static PaddedBatch Of(std::span<const std::vector<int>> sentences, int pad_id);
  int size() const { return static_cast<int>(lengths.size()); }
};

class EncoderLayer {
 public:
  EncoderLayer(const Checkpoint& checkpoint, const std::string& prefix);

  /// x [batch, length, d_model] in place. weights: see ScaledDotProductAttention.
  void Forward(Matrix& x, const PaddedBatch& batch, float* weights) const;

 private:
  MultiHeadAttention self_attention_;
  LayerNorm self_attention_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
  bool pre_norm_;
};

class Encoder {
 public:
  explicit Encoder(const Checkpoint& checkpoint);

  /// -> [batch, length, d_model]. Rows of padding hold no meaning. `record` receives the
  /// self-attention weights [layers][batch, heads, length, length], if not null.
  Matrix Forward(const PaddedBatch& batch, AttentionRecord* record = nullptr) const;

 private:
  Embedding embedding_;
  std::optional<LayerNorm> embedding_norm_;
  std::vector<EncoderLayer> layers_;
  std::optional<LayerNorm> final_norm_;
  int heads_;
};

/// Everything decoding needs of the source: cross-attention keys and values of every layer,
/// computed once per batch.
struct SourceMemory {
  std::vector<KeyValues> layers;  // [decoder layers], one row per sentence
  std::vector<int> lengths;       // [sentences]
};

/// A decoder under way: for each row (a hypothesis) its sentence and its self-attention cache.
struct DecoderState {
  std::vector<int> sentences;     // [rows]: the source sentence each row translates
  std::vector<KeyValues> layers;  // [decoder layers]: keys and values of the positions so far
  int position = 0;               // positions so far, the same for all rows

  /// Keeps rows[0], rows[1], ... in that order; a row may be kept more than once.
  void Select(std::span<const int> rows);
};

/// What a decoder records on request.
struct DecoderRecord {
  AttentionRecord self;   // [layers][rows, heads, count, position]
  AttentionRecord cross;  // [layers][rows, heads, count, source length]
};

class DecoderLayer {
 public:
  DecoderLayer(const Checkpoint& checkpoint, const std::string& prefix);

  /// Appends the source's keys and values, from the encoder's output [batch, length, d_model].
  void RememberSource(const Matrix& encoded, int batch, int length, KeyValues& memory) const;

  /// x [rows, count, d_model] in place: the next `count` positions of each row. The masks say which
  /// source tokens and which earlier positions each may see; weights may be null.
  void Forward(Matrix& x, int count, KeyValues& past, const AttentionMask& causal_mask,
               const KeyValues& source, std::span<const int> sentences,
               const AttentionMask& padding_mask, float* self_weights, float* cross_weights) const;

 private:
  MultiHeadAttention self_attention_;
  LayerNorm self_attention_norm_;
  MultiHeadAttention cross_attention_;
  LayerNorm cross_attention_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
  bool pre_norm_;
};

class Decoder {
 public:
  explicit Decoder(const Checkpoint& checkpoint);

  SourceMemory Remember(const Matrix& encoded, const PaddedBatch& batch) const;

  /// A state with one row for each entry of `sentences`, at position 0.
  DecoderState Start(std::vector<int> sentences) const;

  /// Feeds the next `count` ids of each row, ids [rows, count], and returns hidden states
  /// [rows, count, d_model]. One call with a whole target equals as many calls with one id each.
  Matrix Forward(std::span<const int> ids, int count, const SourceMemory& source,
                 DecoderState& state, DecoderRecord* record = nullptr) const;

  /// hidden [rows, d_model] -> logits [rows, vocabulary].
  Matrix Logits(const Matrix& hidden) const;

  int vocabulary_size() const { return output_.outputs(); }

 private:
  Embedding embedding_;
  std::optional<LayerNorm> embedding_norm_;
  std::vector<DecoderLayer> layers_;
  std::optional<LayerNorm> final_norm_;
  Linear output_;  // [vocabulary, d_model], the embedding itself when tied; final_logits_bias
  int heads_;
};

/// The whole model. The checkpoint must outlive it. Immutable, so threads may share it.
struct Transformer {
  explicit Transformer(const Checkpoint& checkpoint) : encoder(checkpoint), decoder(checkpoint) {}
  Encoder encoder;
  Decoder decoder;
};

}  // namespace translucent
