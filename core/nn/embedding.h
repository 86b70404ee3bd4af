// Token embedding plus sinusoidal positional encoding (sections 3.4 and 3.5).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "format/checkpoint.h"
#include "nn/recorder.h"
#include "tensor/matrix.h"

namespace translucent {

/// Writes the positional encoding of `position` to out [d_model]. The paper interleaves sine and
/// cosine; MarianMT puts the sines in the first half and the cosines in the second:
///   out[i] = sin(position / 10000^(2i / d_model)),  out[ceil(d_model / 2) + i] = cos(the same).
void PositionalEncoding(int position, std::span<float> out);

/// The encodings of all positions a model knows, computed once.
class PositionTable {
 public:
  PositionTable(int positions, int d_model);

  /// x [d_model] += encoding of `position`, which may lie beyond the table.
  void AddTo(std::span<float> x, int position) const;

 private:
  Matrix encodings_;  // [positions, d_model]
};

class Embedding {
 public:
  /// Reads the matrix NAME [vocabulary, d_model].
  Embedding(const Checkpoint& checkpoint, const std::string& name,
            std::shared_ptr<const PositionTable> positions);

  int d_model() const { return table_.cols; }

  /// ids [rows, count] -> out [rows * count, d_model]: sqrt(d_model) * E[id] (1 * E[id] without
  /// scale_embedding) plus the encoding of positions first_position, first_position + 1, ...
  void Forward(std::span<const int> ids, int count, int first_position, MatrixView out,
               const Variant& variant = {}, Recorder* recorder = nullptr) const;

 private:
  /// out [d_model] = factor * E[id].
  void LookUp(int id, float factor, std::span<float> out) const;

  WeightMatrix table_;
  std::shared_ptr<const PositionTable> positions_;
  float scale_;
};

}  // namespace translucent
