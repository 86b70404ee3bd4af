#include "nn/embedding.h"

#include <cmath>
#include <vector>

#include "tensor/packing.h"

namespace translucent {

void PositionalEncoding(int position, std::span<float> out) {
  const int d_model = static_cast<int>(out.size());
  const int sines = (d_model + 1) / 2;
  for (int i = 0; i < sines; ++i) {
    // In double, as the reference computes its table: the angle of late positions needs the digits.
    const double angle = position / std::pow(10000.0, 2.0 * i / d_model);
    out[i] = static_cast<float>(std::sin(angle));
    if (sines + i < d_model) out[sines + i] = static_cast<float>(std::cos(angle));
  }
}

Embedding::Embedding(const Checkpoint& checkpoint, const std::string& name)
    : table_(checkpoint.Matrix(name)),
      scale_(checkpoint.config().scale_embedding
                 ? std::sqrt(static_cast<float>(checkpoint.config().d_model))
                 : 1.f) {}

Matrix Embedding::Forward(std::span<const int> ids, int count, int first_position) const {
  const int d_model = table_.cols;
  Matrix positions(count, d_model);
  for (int p = 0; p < count; ++p) {
    PositionalEncoding(first_position + p,
                       {positions.row(p).data(), static_cast<std::size_t>(d_model)});
  }
  Matrix x(static_cast<Eigen::Index>(ids.size()), d_model);
  for (std::size_t r = 0; r < ids.size(); ++r) {
    float* row = x.row(static_cast<Eigen::Index>(r)).data();
    const float* position = positions.row(static_cast<Eigen::Index>(r) % count).data();
    if (table_.packed != nullptr) {
      DequantizeRow(table_, ids[r], scale_, {row, static_cast<std::size_t>(d_model)});
      for (int i = 0; i < d_model; ++i) row[i] += position[i];
    } else {
      const float* values = table_.f32 + static_cast<std::size_t>(ids[r]) * d_model;
      for (int i = 0; i < d_model; ++i) row[i] = scale_ * values[i] + position[i];
    }
  }
  return x;
}

}  // namespace translucent
