// What queries attend to: keys and values of positions, and which of them belong to which row.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/aligned.h"

namespace translucent {

/// Keys and values in the order their positions were appended, heads side by side: head h owns
/// columns [h * d_k, (h + 1) * d_k). Never moved or thrown away before the end: a KeyIndex says
/// whose they are.
struct KeyValues {
  AlignedVector<float> keys;    // [positions, d_model]
  AlignedVector<float> values;  // [positions, d_model]
};

/// For each row its positions in a KeyValues, oldest first. Hypotheses of a beam share positions,
/// so that choosing among rows moves a few numbers and no keys.
class KeyIndex {
 public:
  /// Row r holds positions r * length, ..., (r + 1) * length - 1: a padded batch.
  static KeyIndex OfBatch(int rows, int length);

  /// Room for that many, to allocate once.
  void Reserve(int rows, int length);

  /// Appends `count` positions to each of `rows` rows: first, first + 1, ... to the first row, the
  /// next ones to the second.
  void Append(int rows, int count, int first);

  /// Keeps rows[0], rows[1], ... in that order; a row may be kept more than once.
  void Select(std::span<const int> rows);

  /// Takes the last `count` positions off each row.
  void Forget(int count) { length_ -= count; }

  /// Positions each row has.
  int length() const { return length_; }
  /// [length]
  const int* Row(int row) const { return &positions_[static_cast<std::size_t>(row) * capacity_]; }

 private:
  std::vector<int> positions_;  // [rows, capacity]
  std::vector<int> selected_;   // positions_ under construction
  int rows_ = 0;
  int capacity_ = 0;
  int length_ = 0;
};

}  // namespace translucent
