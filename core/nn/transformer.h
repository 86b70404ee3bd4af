// The encoder-decoder Transformer (section 3): ids in, logits out.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/key_values.h"
#include "nn/layers.h"
#include "nn/workspace.h"
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

  /// x [batch, length, d_model] in place, every row seeing its own positions: `index` is
  /// KeyIndex::OfBatch(batch, length). weights: see ScaledDotProductAttention.
  void Forward(MatrixView x, const PaddedBatch& batch, const KeyIndex& index, float* weights,
               Workspace& workspace) const;

 private:
  MultiHeadAttention self_attention_;
  LayerNorm self_attention_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
  bool pre_norm_;
};

class Encoder {
 public:
  Encoder(const Checkpoint& checkpoint, std::shared_ptr<const PositionTable> positions);

  /// -> [batch, length, d_model], in workspace.x. Rows of padding hold no meaning. `record`
  /// receives the self-attention weights [layers][batch, heads, length, length], if not null.
  MatrixView Forward(const PaddedBatch& batch, Workspace& workspace,
                     AttentionRecord* record = nullptr) const;

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
  std::vector<KeyValues> layers;  // [decoder layers]
  KeyIndex index;                 // one row per sentence
  std::vector<int> lengths;       // [sentences]
};

/// A decoder under way: for each row (a hypothesis) its sentence and the positions behind it.
struct DecoderState {
  std::vector<int> sentences;     // [rows]: the source sentence each row translates
  std::vector<KeyValues> layers;  // [decoder layers]: self-attention keys and values so far
  KeyIndex index;                 // which of them are whose
  int position = 0;               // positions so far, the same for all rows

  std::vector<int> source_lengths;  // [rows]: tokens of their sentences
  Workspace workspace;

  /// Keeps rows[0], rows[1], ... in that order; a row may be kept more than once.
  void Select(std::span<const int> rows);

  /// Forgets the last `count` positions of each row, as if they had never been fed.
  void Forget(int count);
};

/// What a decoder records on request.
struct DecoderRecord {
  AttentionRecord self;   // [layers][rows, heads, count, position]
  AttentionRecord cross;  // [layers][rows, heads, count, source length]
};

class DecoderLayer {
 public:
  DecoderLayer(const Checkpoint& checkpoint, const std::string& prefix);

  /// Appends the source's keys and values, from the encoder's output.
  void RememberSource(LinearInput& encoded, KeyValues& memory) const;

  /// x [rows, count, d_model] in place: the next `count` positions of each row, whose keys and
  /// values are appended to `past` where past_scope finds them; weights may be null.
  void Forward(MatrixView x, int count, KeyValues& past, const AttentionScope& past_scope,
               const KeyValues& source, const AttentionScope& source_scope, float* self_weights,
               float* cross_weights, Workspace& workspace) const;

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
  Decoder(const Checkpoint& checkpoint, std::shared_ptr<const PositionTable> positions,
          const CoarseOutputs::Settings& coarse);

  /// From the encoder's output [batch, length, d_model].
  SourceMemory Remember(MatrixView encoded, const PaddedBatch& batch, Workspace& workspace) const;

  /// A state with one row for each entry of `sentences`, at position 0. Memory for `positions`
  /// positions of each row is allocated here, more when needed.
  DecoderState Start(std::vector<int> sentences, const SourceMemory& source, int positions) const;

  /// Feeds the next `count` ids of each row, ids [rows, count], and returns hidden states
  /// [rows, count, d_model], good until the next call. One call with a whole target equals as many
  /// calls with one id each.
  MatrixView Forward(std::span<const int> ids, int count, const SourceMemory& source,
                     DecoderState& state, DecoderRecord* record = nullptr) const;

  /// The projection to logits [vocabulary], with final_logits_bias where there is one.
  const Linear& output() const { return output_; }

  /// What guesses its largest output, where that is faster.
  CoarseTrial& coarse_output() const { return *coarse_output_; }

  /// hidden [rows, d_model] -> logits [rows, vocabulary], in workspace.logits. `output`: some of
  /// the projection's outputs, which are computed in its place if not null.
  MatrixView Logits(MatrixView hidden, Workspace& workspace, const Linear* output = nullptr) const;

 private:
  Embedding embedding_;
  std::optional<LayerNorm> embedding_norm_;
  std::vector<DecoderLayer> layers_;
  std::optional<LayerNorm> final_norm_;
  Linear output_;  // [vocabulary, d_model], the embedding itself when tied; final_logits_bias
  std::unique_ptr<CoarseTrial> coarse_output_;
  int heads_;
};

/// The whole model. The checkpoint must outlive it. Threads may share it.
struct Transformer {
  explicit Transformer(const Checkpoint& checkpoint, const CoarseOutputs::Settings& coarse = {})
      : Transformer(checkpoint,
                    std::make_shared<const PositionTable>(
                        checkpoint.config().max_position_embeddings, checkpoint.config().d_model),
                    coarse) {}
  Encoder encoder;
  Decoder decoder;

 private:
  Transformer(const Checkpoint& checkpoint, std::shared_ptr<const PositionTable> positions,
              const CoarseOutputs::Settings& coarse)
      : encoder(checkpoint, positions), decoder(checkpoint, positions, coarse) {}
};

}  // namespace translucent
