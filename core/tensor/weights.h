// Views of model weights: who multiplies with them need not know how they are stored.
#pragma once

#include <cstdint>

namespace translucent {

/// A weight matrix [rows, cols], row-major, rows contiguous; a Linear layer's is [out, in].
/// Either `f32` is set, or `i8` with one scale per row: value(r, c) = i8[r * cols + c] * scales[r].
/// Does not own its memory; the Checkpoint it came from must outlive it.
struct WeightMatrix {
  int rows = 0;
  int cols = 0;
  const float* f32 = nullptr;
  const std::int8_t* i8 = nullptr;
  const float* scales = nullptr;  // [rows], with i8 only
};

/// A weight vector [size] in f32. Does not own its memory.
struct WeightVector {
  int size = 0;
  const float* data = nullptr;
};

}  // namespace translucent
