// Views of model weights: who multiplies with them need not know how they are stored.
#pragma once

#include <cstdint>

namespace translucent {

/// A weight matrix [rows, cols]; a Linear layer's is [out, in]. Either `f32` is set, row-major, or
/// `packed` (tensor/packing.h), 7-bit integers with one scale per row: value(r, c) = w(r, c) *
/// scales[r]. Does not own its memory; the Checkpoint it came from must outlive it.
struct WeightMatrix {
  int rows = 0;
  int cols = 0;
  const float* f32 = nullptr;
  const std::uint8_t* packed = nullptr;      // the full panels
  const std::uint8_t* last_panel = nullptr;  // the one with rows % 16 rows, if there is one
  const float* scales = nullptr;             // [rows], with packed only
};

/// A weight vector [size] in f32. Does not own its memory.
struct WeightVector {
  int size = 0;
  const float* data = nullptr;
};

}  // namespace translucent
