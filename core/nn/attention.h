// Scaled dot-product attention and multi-head attention: the same code for encoder
// self-attention, decoder self-attention and cross-attention. Only memory and mask differ.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "nn/key_values.h"
#include "nn/layers.h"
#include "nn/workspace.h"
#include "tensor/matrix.h"

namespace translucent {

/// Which keys a query may see. Both masks hide a suffix of the keys, so that together they are one
/// number per query; what they hide gets a weight of exactly 0.
struct AttentionMask {
  /// Padding mask: row r sees only its first key_lengths[r] keys. Empty: all keys.
  std::span<const int> key_lengths;
  /// Causal mask: query i stands at position first_position + i and sees no later position.
  bool causal = false;
  int first_position = 0;

  /// Number of keys (of `keys`) that query `query` of row `row` sees.
  int VisibleKeys(int row, int query, int keys) const;
};

/// Which of the stored keys and values the queries of one call attend to.
struct AttentionScope {
  const KeyIndex& index;
  /// [rows]: the row of the index each row of queries attends to; empty: its own.
  std::span<const int> memory_rows;
  AttentionMask mask;
};

/// Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k) + mask) V, for each row and head (section 3.2.1).
///
///   queries  [rows, num_queries, heads * d_k]
///   memory   keys and values [positions, heads * d_k], of which each row sees those in `scope`
///   weights  [rows, heads, num_queries, index length]: receives the weights, if not null
///   out      [rows, num_queries, heads * d_k]: the heads' results side by side
void ScaledDotProductAttention(MatrixView queries, int num_queries, int heads,
                               const KeyValues& memory, const AttentionScope& scope, float* weights,
                               Workspace& workspace, MatrixView out);

/// Attention weights of a whole stack, recorded only when asked for.
struct AttentionRecord {
  int rows = 0;
  int heads = 0;
  int queries = 0;
  int keys = 0;
  std::vector<std::vector<float>> layers;  // [layers][rows, heads, queries, keys]

  /// Appends one layer's zeroed block and returns it.
  float* AddLayer();
};

/// MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W^O (section 3.2.2).
class MultiHeadAttention {
 public:
  /// Reads PREFIX.{q,k,v,out}_proj.
  MultiHeadAttention(const Checkpoint& checkpoint, const std::string& prefix, int heads);
  MultiHeadAttention(Linear query, Linear key, Linear value, Linear output, int heads)
      : query_(query), key_(key), value_(value), output_(output), heads_(heads) {}

  /// Appends keys and values of x [n, d_model] to `memory`.
  void Remember(LinearInput& x, KeyValues& memory) const;

  /// Queries from x [rows, num_queries, d_model] over `memory`; arguments and weights as in
  /// ScaledDotProductAttention. Uses the buffer of x for what follows: x is not to be read again.
  void Attend(LinearInput& x, int num_queries, const KeyValues& memory, const AttentionScope& scope,
              float* weights, Workspace& workspace, MatrixView out) const;

 private:
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  int heads_;
};

}  // namespace translucent
