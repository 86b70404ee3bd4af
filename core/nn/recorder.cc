#include "nn/recorder.h"

#include <algorithm>

namespace translucent {

void Recorder::BeginStack(std::string_view stack, int length) {
  stack_ = stack;
  length_ = length;
  head_ = (stack == "encoder" ? encoder_ : decoder_).head;
  BeginLayer(-1);
}

void Recorder::BeginLayer(int layer) {
  const int wanted = (stack_ == "encoder" ? encoder_ : decoder_).layer;
  layer_ = layer < 0 ? "" : "layers." + std::to_string(layer);
  detailed_ = layer < 0 || layer == wanted;
  part_.clear();
}

void Recorder::EndLayer(MatrixView output) {
  part_.clear();
  Append("output", output);
}

void Recorder::EndStack(MatrixView output) {
  BeginLayer(-1);
  Append("output", output);
}

RecordedMatrix& Recorder::Matrix(std::string_view name, int cols) {
  std::string path;
  for (const std::string_view step :
       {std::string_view(stack_), std::string_view(layer_), std::string_view(part_), name}) {
    if (step.empty()) continue;
    if (!path.empty()) path += '.';
    path += step;
  }
  const auto found = std::ranges::find(matrices_, path, &RecordedMatrix::name);
  return found != matrices_.end() ? *found
                                  : matrices_.emplace_back(RecordedMatrix{path, 0, cols, {}});
}

void Recorder::Append(std::string_view name, const float* values, int rows, int cols) {
  const int kept = std::min(rows, length_ - Matrix(name, cols).rows);
  AppendAll(name, values, kept, cols);
}

void Recorder::AppendAll(std::string_view name, const float* values, int rows, int cols) {
  RecordedMatrix& matrix = Matrix(name, cols);
  matrix.rows += rows;
  matrix.values.insert(matrix.values.end(), values, values + static_cast<std::size_t>(rows) * cols);
}

const RecordedMatrix* Recorder::Find(std::string_view name) const {
  const auto found = std::ranges::find(matrices_, name, &RecordedMatrix::name);
  return found == matrices_.end() ? nullptr : &*found;
}

}  // namespace translucent
