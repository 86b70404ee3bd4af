#include "nn/key_values.h"

#include <algorithm>

namespace translucent {

KeyIndex KeyIndex::OfBatch(int rows, int length) {
  KeyIndex index;
  index.Append(rows, length, 0);
  return index;
}

void KeyIndex::Reserve(int rows, int length) {
  const int capacity = std::max(length, capacity_);
  const std::size_t size = static_cast<std::size_t>(std::max(rows, rows_)) * capacity;
  selected_.resize(std::max(size, positions_.size()));
  for (int r = 0; r < rows_; ++r) {
    std::copy_n(Row(r), length_, selected_.begin() + static_cast<std::size_t>(r) * capacity);
  }
  positions_.swap(selected_);
  selected_.resize(positions_.size());
  capacity_ = capacity;
}

void KeyIndex::Append(int rows, int count, int first) {
  const bool fits = length_ + count <= capacity_ &&
                    static_cast<std::size_t>(rows) * capacity_ <= positions_.size();
  if (!fits) Reserve(rows, std::max(length_ + count, 2 * length_));
  rows_ = rows;
  for (int r = 0; r < rows; ++r) {
    int* row = &positions_[static_cast<std::size_t>(r) * capacity_];
    for (int i = 0; i < count; ++i) row[length_ + i] = first + r * count + i;
  }
  length_ += count;
}

void KeyIndex::Select(std::span<const int> rows) {
  const std::size_t size = rows.size() * static_cast<std::size_t>(capacity_);
  if (selected_.size() < size) selected_.resize(size);
  for (std::size_t to = 0; to < rows.size(); ++to) {
    std::copy_n(Row(rows[to]), length_, selected_.begin() + to * capacity_);
  }
  positions_.swap(selected_);
  rows_ = static_cast<int>(rows.size());
}

}  // namespace translucent
