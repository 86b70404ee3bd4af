// The coarse copy of int8 weights and the kernel that reads it.
#include "tensor/coarse.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/aligned.h"
#include "kernel_test.h"
#include "kernels/kernels.h"
#include "tensor/packing.h"
#include "tensor/quantized.h"

namespace translucent::test {
namespace {

/// Random weights [panels * 16, cols], row-major and as their coarse copy.
struct CoarseWeights {
  CoarseWeights(int panels, int cols, std::uint32_t seed) : rows(panels * kPanelRows), cols(cols) {
    Random random(seed);
    for (int r = 0; r < rows; ++r) {
      // From a row of zeros to one of ones and minus ones to one of all sizes.
      const float size = r == 0 ? 0.f : static_cast<float>(1 + r * 7 % kMaxWeight);
      for (int c = 0; c < cols; ++c) {
        values.push_back(static_cast<std::int8_t>(std::lround(size * random.Next())));
      }
      scales.push_back(0.01f + 0.005f * random.Next());
    }
    packed.resize(panels * PanelBytes(cols));
    PackPanels(values.data(), rows, cols, packed.data());
    const WeightMatrix w = {
        .rows = rows, .cols = cols, .packed = packed.data(), .scales = scales.data()};
    codes.resize(panels * CoarsePanelBytes(cols));
    coarse_scales.resize(rows);
    PackCoarse(w, codes.data(), coarse_scales.data());
    view = {panels, cols, codes.data(), coarse_scales.data()};
  }
  CoarseWeights(const CoarseWeights&) = delete;

  /// The level of a weight as its copy has it.
  int Level(int row, int col) const {
    const std::size_t panel = row / kPanelRows * CoarsePanelBytes(cols);
    const int code = codes[panel + col / kColumnGroup * kPanelRows + CoarseByte(row % kPanelRows)];
    const int l = code >> col % kColumnGroup & 1, h = code >> (4 + col % kColumnGroup) & 1;
    return 2 * (2 * h - 1) + (2 * l - 1);
  }

  int rows, cols;
  std::vector<std::int8_t> values;
  std::vector<float> scales, coarse_scales;
  AlignedVector<std::uint8_t> packed, codes;
  CoarseMatrix view;
};

std::vector<float> RunBests(const Kernels& kernels, const QuantizedRows& x, const CoarseMatrix& w,
                            const float* bias) {
  std::vector<float> bests(w.panels + 1, kGuard);
  kernels.coarse_bests(x, w, bias, bests.data());
  CHECK(bests.back() == kGuard);
  bests.pop_back();
  return bests;
}

QuantizedRows Quantized(const std::vector<float>& x, QuantizedBuffer& buffer) {
  const QuantizedRows row = buffer.Resize(1, static_cast<int>(x.size()));
  Scalar().quantize(x.data(), row);
  return row;
}

/// Every set yields the scalar one's bits.
void CheckBests(const std::vector<float>& x, const CoarseWeights& w, const float* bias) {
  QuantizedBuffer buffer;
  const QuantizedRows row = Quantized(x, buffer);
  const std::vector<float> expected = RunBests(Scalar(), row, w.view, bias);
  ForEachSet([&](const Kernels& kernels) {
    const std::vector<float> bests = RunBests(kernels, row, w.view, bias);
    CHECK(SameBits(bests.data(), expected.data(), bests.size()));
  });
}

}  // namespace

TEST_CASE("coarse: each weight has the level that its row's root mean square gives it") {
  for (const int cols : {1, 3, 4, 31, 32, 100}) {
    CAPTURE(cols);
    const CoarseWeights w(3, cols, cols);
    for (int r = 0; r < w.rows; ++r) {
      CAPTURE(r);
      double squares = 0;
      for (int c = 0; c < cols; ++c) squares += std::pow(w.values[r * cols + c], 2);
      const double root = std::sqrt(squares / cols);
      CHECK(w.coarse_scales[r] == doctest::Approx(w.scales[r] * root / 2));
      const int bound = std::max(1, static_cast<int>(std::lround(root)));
      for (int c = 0; c < cols; ++c) {
        const int value = w.values[r * cols + c];
        const int level = value >= bound ? 3 : value >= 0 ? 1 : value >= -bound ? -1 : -3;
        CHECK(w.Level(r, c) == level);
      }
    }
  }
}

TEST_CASE("coarse: outputs are sums of levels, as precise as the tables are") {
  for (const int cols : {1, 4, 30, 256, 512}) {
    CAPTURE(cols);
    const CoarseWeights w(2, cols, 5 * cols);
    Random random(cols);
    const std::vector<float> x = random.Values(cols, 3.f), bias = random.Values(w.rows, 0.1f);
    QuantizedBuffer buffer;
    const QuantizedRows row = Quantized(x, buffer);
    int largest = 1;  // sum of a group
    for (int c = 0; c < cols; c += kColumnGroup) {
      int sum = 0;
      for (int i = c; i < std::min(cols, c + kColumnGroup); ++i) sum += std::abs(row.values[i]);
      largest = std::max(largest, sum);
    }
    const std::vector<float> bests = RunBests(Scalar(), row, w.view, bias.data());
    for (int p = 0; p < w.view.panels; ++p) {
      float low = -kInfinity, high = -kInfinity;
      for (int o = p * kPanelRows; o < (p + 1) * kPanelRows; ++o) {
        float sum = 0;
        for (int c = 0; c < cols; ++c) sum += static_cast<float>(w.Level(o, c) * row.values[c]);
        // Both entries of a group are rounded, and what they are sums of a little, too.
        const float step = static_cast<float>(largest) / kLargestEntry;
        const float error = 1.05f * step * static_cast<float>((cols + 3) / kColumnGroup);
        const float scale = row.scales[0] * w.coarse_scales[o];
        low = std::max(low, (sum - error) * scale + bias[o]);
        high = std::max(high, (sum + error) * scale + bias[o]);
      }
      CHECK(bests[p] >= low);
      CHECK(bests[p] <= high);
    }
  }
}

TEST_CASE("coarse: every set finds the scalar one's outputs to the bit: every width") {
  for (int cols = 1; cols <= 80; ++cols) {
    CAPTURE(cols);
    const CoarseWeights w(5, cols, cols);
    Random random(31 * cols);
    const std::vector<float> x = random.Values(cols, 3.f), bias = random.Values(w.rows);
    CheckBests(x, w, bias.data());
  }
}

TEST_CASE("coarse: every set finds the scalar one's outputs to the bit: every number of panels") {
  for (int panels = 0; panels <= 13; ++panels) {
    CAPTURE(panels);
    const CoarseWeights w(panels, 100, panels);
    Random random(panels);
    std::vector<float> x = random.Values(100), bias = random.Values(w.rows);
    if (panels > 0) bias[w.rows - 1] = -kInfinity;  // forbidden
    if (panels > 1) std::fill_n(bias.begin(), kPanelRows, -kInfinity);
    CheckBests(x, w, bias.data());
    std::fill(x.begin(), x.end(), 0.f);
    CheckBests(x, w, bias.data());
    x[7] = 1e-3f;  // a single one counts
    CheckBests(x, w, bias.data());
  }
}

TEST_CASE("coarse: the largest sums there are") {
  const CoarseWeights w(5, kMostCoarseColumns, 1);
  const std::vector<float> bias(w.rows, 0.f);
  // Each activation with the sign of the first row's weight, or of none.
  for (const float sign : {1.f, -1.f, 0.f}) {
    std::vector<float> x;
    for (int c = 0; c < w.cols; ++c) {
      const float like = w.values[kPanelRows * w.cols + c] >= 0 ? 1.f : -1.f;
      x.push_back(sign == 0 ? 1.f : sign * like);
    }
    CheckBests(x, w, bias.data());
  }
}

TEST_CASE("coarse: of rows that are no numbers nothing is known") {
  const CoarseWeights w(2, 40, 1);
  const std::vector<float> bias(w.rows, 0.f);
  std::vector<float> x(40, 1.f);
  x[3] = kInfinity;
  QuantizedBuffer buffer;
  const QuantizedRows row = Quantized(x, buffer);
  ForEachSet([&](const Kernels& kernels) { RunBests(kernels, row, w.view, bias.data()); });
}

}  // namespace translucent::test
