#include "nn/attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/kernels.h"

namespace translucent {
namespace {

/// [rows, capacity, d] -> [size(from), new_capacity, d], the first `length` positions of each row.
Matrix CopyRows(const Matrix& blocks, int capacity, int length, int new_capacity,
                std::span<const int> from) {
  Matrix copy(static_cast<Eigen::Index>(from.size()) * new_capacity, blocks.cols());
  for (std::size_t to = 0; to < from.size(); ++to) {
    copy.middleRows(static_cast<Eigen::Index>(to) * new_capacity, length) =
        blocks.middleRows(static_cast<Eigen::Index>(from[to]) * capacity, length);
  }
  return copy;
}

}  // namespace

void KeyValues::Append(const Matrix& new_keys, const Matrix& new_values, int rows, int count) {
  if (capacity == 0) {  // first use: exactly what is needed, which is all an encoder ever needs
    keys = new_keys;
    values = new_values;
    capacity = length = count;
    return;
  }
  if (length + count > capacity) {
    const int grown = std::max(length + count, 2 * capacity);
    std::vector<int> all(rows);
    for (int r = 0; r < rows; ++r) all[r] = r;
    keys = CopyRows(keys, capacity, length, grown, all);
    values = CopyRows(values, capacity, length, grown, all);
    capacity = grown;
  }
  for (int r = 0; r < rows; ++r) {
    const Eigen::Index at = static_cast<Eigen::Index>(r) * capacity + length;
    keys.middleRows(at, count) = new_keys.middleRows(static_cast<Eigen::Index>(r) * count, count);
    values.middleRows(at, count) =
        new_values.middleRows(static_cast<Eigen::Index>(r) * count, count);
  }
  length += count;
}

void KeyValues::Select(std::span<const int> rows) {
  keys = CopyRows(keys, capacity, length, capacity, rows);
  values = CopyRows(values, capacity, length, capacity, rows);
}

int AttentionMask::VisibleKeys(int row, int query, int keys) const {
  int visible = keys;
  if (!key_lengths.empty()) visible = std::min(visible, key_lengths[row]);
  if (causal) visible = std::min(visible, first_position + query + 1);
  return visible;
}

Matrix ScaledDotProductAttention(const Matrix& queries, int num_queries, int heads,
                                 const KeyValues& memory, std::span<const int> memory_rows,
                                 const AttentionMask& mask, float* weights) {
  const Kernels& kernels = ActiveKernels();
  const int rows = static_cast<int>(queries.rows()) / num_queries;
  const int d_model = static_cast<int>(queries.cols());
  const int d_k = d_model / heads;
  const float scale = 1.f / std::sqrt(static_cast<float>(d_k));
  Matrix result(queries.rows(), d_model);
  std::vector<float> scores(memory.length);

  for (int row = 0; row < rows; ++row) {
    const Eigen::Index first_key =
        static_cast<Eigen::Index>(memory_rows.empty() ? row : memory_rows[row]) * memory.capacity;
    for (int head = 0; head < heads; ++head) {
      const int column = head * d_k;
      const float* keys = &memory.keys(first_key, column);      // [length, d_k]
      const float* values = &memory.values(first_key, column);  // [length, d_k]
      for (int i = 0; i < num_queries; ++i) {
        const Eigen::Index at = static_cast<Eigen::Index>(row) * num_queries + i;
        const int visible = mask.VisibleKeys(row, i, memory.length);
        kernels.dot_rows(&queries(at, column), keys, d_model, visible, d_k, scale, scores.data());
        kernels.softmax(scores.data(), visible);
        kernels.weighted_sum(scores.data(), values, d_model, visible, d_k, &result(at, column));
        if (weights != nullptr) {
          const std::size_t query_row =
              (static_cast<std::size_t>(row) * heads + head) * num_queries + i;
          float* recorded = weights + query_row * memory.length;
          std::copy_n(scores.data(), visible, recorded);
          std::fill(recorded + visible, recorded + memory.length, 0.f);
        }
      }
    }
  }
  return result;
}

float* AttentionRecord::AddLayer() {
  const std::size_t size = static_cast<std::size_t>(rows) * heads * queries * keys;
  return layers.emplace_back(size).data();
}

MultiHeadAttention::MultiHeadAttention(const Checkpoint& checkpoint, const std::string& prefix,
                                       int heads)
    : query_(checkpoint, prefix + ".q_proj"),
      key_(checkpoint, prefix + ".k_proj"),
      value_(checkpoint, prefix + ".v_proj"),
      output_(checkpoint, prefix + ".out_proj"),
      heads_(heads) {}

void MultiHeadAttention::Remember(const Matrix& x, int rows, int count, KeyValues& memory) const {
  memory.Append(key_.Forward(x), value_.Forward(x), rows, count);
}

Matrix MultiHeadAttention::Attend(const Matrix& x, int num_queries, const KeyValues& memory,
                                  std::span<const int> memory_rows, const AttentionMask& mask,
                                  float* weights) const {
  return output_.Forward(ScaledDotProductAttention(query_.Forward(x), num_queries, heads_, memory,
                                                   memory_rows, mask, weights));
}

}  // namespace translucent
