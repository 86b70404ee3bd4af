// Activations: dense row-major f32 matrices.
#pragma once

#include <Eigen/Core>

#include "base/aligned.h"

namespace translucent {

/// Row-major, so that row i is the contiguous vector of token i. A padded batch [batch, length,
/// d_model] is a matrix of batch * length rows; sentence b's position p is row b * length + p.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A matrix in memory it does not own. Copying copies the view, assigning copies the values.
using MatrixView = Eigen::Map<Matrix>;

/// Memory for a matrix that is computed again and again: it grows when it must and never shrinks.
class MatrixBuffer {
 public:
  /// Room for [rows, cols], content undefined. The view is good until the next call.
  MatrixView Resize(Eigen::Index rows, Eigen::Index cols) {
    const std::size_t size = static_cast<std::size_t>(rows * cols);
    if (values_.size() < size) values_.resize(size);
    return {values_.data(), rows, cols};
  }

 private:
  AlignedVector<float> values_;
};

}  // namespace translucent
