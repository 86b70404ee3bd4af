#include "nn/embedding.h"

#include <cmath>
#include <utility>
#include <vector>

#include "tensor/packing.h"

namespace translucent {

namespace {

/// What a position is divided by for the sine and cosine numbered `i`. In double, as the reference
/// computes its table: the angle of late positions needs the digits.
double WaveLength(int i, int d_model) { return std::pow(10000.0, 2.0 * i / d_model); }

}  // namespace

void PositionalEncoding(int position, std::span<float> out) {
  const int d_model = static_cast<int>(out.size());
  const int sines = (d_model + 1) / 2;
  for (int i = 0; i < sines; ++i) {
    const double angle = position / WaveLength(i, d_model);
    out[i] = static_cast<float>(std::sin(angle));
    if (sines + i < d_model) out[sines + i] = static_cast<float>(std::cos(angle));
  }
}

PositionTable::PositionTable(int positions, int d_model) : encodings_(positions, d_model) {
  const int sines = (d_model + 1) / 2;
  for (int i = 0; i < sines; ++i) {
    const double wave_length = WaveLength(i, d_model);
    for (int position = 0; position < positions; ++position) {
      const double angle = position / wave_length;
      encodings_(position, i) = static_cast<float>(std::sin(angle));
      if (sines + i < d_model) {
        encodings_(position, sines + i) = static_cast<float>(std::cos(angle));
      }
    }
  }
}

void PositionTable::AddTo(std::span<float> x, int position) const {
  if (position < encodings_.rows()) {
    const float* const encoding = encodings_.row(position).data();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += encoding[i];
    return;
  }
  std::vector<float> encoding(x.size());
  PositionalEncoding(position, encoding);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += encoding[i];
}

Embedding::Embedding(const Checkpoint& checkpoint, const std::string& name,
                     std::shared_ptr<const PositionTable> positions)
    : table_(checkpoint.Matrix(name)),
      positions_(std::move(positions)),
      scale_(checkpoint.config().scale_embedding
                 ? std::sqrt(static_cast<float>(checkpoint.config().d_model))
                 : 1.f) {}

void Embedding::LookUp(int id, float factor, std::span<float> out) const {
  if (table_.packed != nullptr) {
    DequantizeRow(table_, id, factor, out);
  } else {
    const float* values = table_.f32 + static_cast<std::size_t>(id) * out.size();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = factor * values[i];
  }
}

void Embedding::Forward(std::span<const int> ids, int count, int first_position, MatrixView out,
                        const Variant& variant, Recorder* recorder) const {
  const int d_model = table_.cols;
  for (std::size_t r = 0; r < ids.size(); ++r) {
    const std::span<float> row(out.row(static_cast<Eigen::Index>(r)).data(), d_model);
    const int position = first_position + static_cast<int>(r) % count;
    LookUp(ids[r], scale_, row);
    if (recorder != nullptr) {
      recorder->Append("scaled", row.data(), 1, d_model);
      std::vector<float> other(d_model);
      LookUp(ids[r], 1.f, other);
      recorder->Append("words", other.data(), 1, d_model);
      PositionalEncoding(position, other);
      recorder->Append("positions", other.data(), 1, d_model);
    }
    if (variant.positions) positions_->AddTo(row, position);
    if (recorder != nullptr) recorder->Append("sum", row.data(), 1, d_model);
  }
}

}  // namespace translucent
