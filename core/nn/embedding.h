// Token embedding plus sinusoidal positional encoding (sections 3.4 and 3.5).
#pragma once

#include <span>
#include <string>

#include "format/checkpoint.h"
#include "tensor/matrix.h"

namespace translucent {

/// Writes the positional encoding of `position` to out [d_model]. The paper interleaves sine and
/// cosine; MarianMT puts the sines in the first half and the cosines in the second:
///   out[i] = sin(position / 10000^(2i / d_model)),  out[ceil(d_model / 2) + i] = cos(the same).
void PositionalEncoding(int position, std::span<float> out);

class Embedding {
 public:
  /// Reads the matrix NAME [vocabulary, d_model].
  Embedding(const Checkpoint& checkpoint, const std::string& name);

  /// ids [rows, count] -> [rows * count, d_model]: sqrt(d_model) * E[id] (1 * E[id] without
  /// scale_embedding) plus the encoding of positions first_position, first_position + 1, ...
  Matrix Forward(std::span<const int> ids, int count, int first_position) const;

 private:
  WeightMatrix table_;
  float scale_;
};

}  // namespace translucent
