// Scaled dot-product attention and multi-head attention: the same code for encoder
// self-attention, decoder self-attention and cross-attention. Only memory and mask differ.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "nn/layers.h"
#include "tensor/matrix.h"

namespace translucent {

/// The keys and values queries attend to, heads side by side: head h owns columns
/// [h * d_k, (h + 1) * d_k).
struct KeyValues {
  Matrix keys;       // [rows, capacity, d_model]
  Matrix values;     // [rows, capacity, d_model]
  int capacity = 0;  // positions there is room for in each row
  int length = 0;    // positions filled

  /// Appends `count` positions to each of `rows` rows. new_keys, new_values [rows, count, d_model].
  void Append(const Matrix& new_keys, const Matrix& new_values, int rows, int count);

  /// Keeps rows[0], rows[1], ... in that order; a row may be kept more than once (beam search).
  void Select(std::span<const int> rows);
};

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

/// Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k) + mask) V, for each row and head (section 3.2.1).
///
///   queries      [rows, num_queries, heads * d_k]
///   memory       keys and values [memory rows, length, heads * d_k]
///   memory_rows  [rows]: the memory row each row attends to; empty: its own
///   weights      [rows, heads, num_queries, length]: receives the attention weights, if not null
///
/// Returns [rows, num_queries, heads * d_k]: the heads' results side by side.
Matrix ScaledDotProductAttention(const Matrix& queries, int num_queries, int heads,
                                 const KeyValues& memory, std::span<const int> memory_rows,
                                 const AttentionMask& mask, float* weights);

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

  /// Projects x [rows, count, d_model] to keys and values and appends them to `memory`.
  void Remember(const Matrix& x, int rows, int count, KeyValues& memory) const;

  /// Queries from x [rows, num_queries, d_model] over `memory`; arguments and weights as in
  /// ScaledDotProductAttention.
  Matrix Attend(const Matrix& x, int num_queries, const KeyValues& memory,
                std::span<const int> memory_rows, const AttentionMask& mask, float* weights) const;

 private:
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  int heads_;
};

}  // namespace translucent
