// Activations: dense row-major f32 matrices.
#pragma once

#include <Eigen/Core>

namespace translucent {

/// Row-major, so that row i is the contiguous vector of token i. A padded batch [batch, length,
/// d_model] is a matrix of batch * length rows; sentence b's position p is row b * length + p.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace translucent
