// Activations as the int8 kernels take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/packing.h"

namespace translucent {

/// A view of rows of 8-bit integers q, one scale per row: x(r, c) is about q(r, c) * scales[r].
struct QuantizedRows {
  int rows = 0;
  int cols = 0;
  std::int8_t* values = nullptr;        // [rows, PackedColumns(cols)]; 0 behind the columns
  float* scales = nullptr;              // [rows]
  std::int32_t* corrections = nullptr;  // [rows]: -64 * sum of q, which undoes the weights' offset
};

/// Memory for quantised rows, used again and again: it grows when it must and never shrinks.
class QuantizedBuffer {
 public:
  /// Room for [rows, cols], content undefined. The view is good until the next call.
  QuantizedRows Resize(int rows, int cols) {
    const std::size_t count = static_cast<std::size_t>(rows);
    const std::size_t size = count * PackedColumns(cols);
    if (values_.size() < size) values_.resize(size);
    if (scales_.size() < count) scales_.resize(count);
    if (corrections_.size() < count) corrections_.resize(count);
    return {rows, cols, values_.data(), scales_.data(), corrections_.data()};
  }

 private:
  std::vector<std::int8_t> values_;
  std::vector<float> scales_;
  std::vector<std::int32_t> corrections_;
};

}  // namespace translucent
