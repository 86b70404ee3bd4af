// The int8 kernels: every set, the scalar one included, against plain loops over row-major
// integers, to the bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../nn/marian_case.h"
#include "base/aligned.h"
#include "kernel_test.h"
#include "kernels/kernels.h"
#include "tensor/packing.h"
#include "tensor/quantized.h"

namespace translucent::test {
namespace {

constexpr std::int8_t kGuardByte = 99;

/// An int8 matrix, row-major and packed.
struct Int8Weights {
  Int8Weights(int rows, int cols, std::vector<std::int8_t> w, std::vector<float> row_scales,
              int misalign = 0)
      : rows(rows), cols(cols), values(std::move(w)), scales(std::move(row_scales)) {
    const std::size_t panels = (rows + kPanelRows - 1) / kPanelRows;
    memory.assign(panels * PanelBytes(cols) + misalign, 0);
    std::uint8_t* start = memory.data() + misalign;
    PackPanels(values.data(), rows, cols, start);
    // The last panel lies elsewhere in a checkpoint, too.
    if (rows % kPanelRows != 0) {
      last.assign(memory.end() - static_cast<std::ptrdiff_t>(PanelBytes(cols)), memory.end());
      std::fill(memory.end() - static_cast<std::ptrdiff_t>(PanelBytes(cols)), memory.end(), 0xEE);
    }
    view = {.rows = rows,
            .cols = cols,
            .packed = start,
            .last_panel = last.empty() ? nullptr : last.data(),
            .scales = scales.data()};
  }
  Int8Weights(const Int8Weights&) = delete;

  int rows, cols;
  std::vector<std::int8_t> values;  // [rows, cols]
  std::vector<float> scales;        // [rows]
  AlignedVector<std::uint8_t> memory, last;
  WeightMatrix view;
};

Int8Weights RandomWeights(int rows, int cols, Random& random, int misalign = 0) {
  std::vector<std::int8_t> values;
  for (int i = 0; i < rows * cols; ++i) {
    values.push_back(static_cast<std::int8_t>(std::lround(kMaxWeight * random.Next())));
  }
  std::vector<float> scales;
  for (int r = 0; r < rows; ++r) scales.push_back(0.01f + 0.005f * random.Next());
  return Int8Weights(rows, cols, std::move(values), std::move(scales), misalign);
}

/// What quantize should give for one row, by the book.
struct QuantizedRow {
  explicit QuantizedRow(std::span<const float> x) {
    float max = 0;
    for (float v : x) max = std::max(max, std::abs(v));
    for (float v : x) values.push_back(max > 0 ? std::lrint(v * (127.f / max)) : 0);
    scale = max / 127.f;
  }
  std::vector<long> values;
  float scale;
};

/// x W^T + bias by the book: [rows, w.rows].
std::vector<float> Expected(std::span<const float> x, int rows, const Int8Weights& w,
                            const float* bias, bool relu) {
  std::vector<float> out;
  for (int r = 0; r < rows; ++r) {
    const QuantizedRow row{x.subspan(static_cast<std::size_t>(r) * w.cols, w.cols)};
    for (int o = 0; o < w.rows; ++o) {
      std::int64_t sum = 0;
      for (int c = 0; c < w.cols; ++c) sum += row.values[c] * w.values[o * w.cols + c];
      const float scale = row.scale * w.scales[o];
      float y = static_cast<float>(sum) * scale;
      if (bias != nullptr) y += bias[o];
      out.push_back(relu && y < 0 ? 0.f : y);
    }
  }
  return out;
}

std::vector<float> RunLinear(const Kernels& kernels, const float* x, int rows,
                             const WeightMatrix& w, const float* bias, bool relu = false) {
  QuantizedBuffer buffer;
  const QuantizedRows quantized = buffer.Resize(rows, w.cols);
  kernels.quantize(x, quantized);
  const std::size_t size = static_cast<std::size_t>(rows) * w.rows;
  std::vector<float> out(size + 1, kGuard);
  kernels.linear_int8(quantized, w, bias, relu, out.data(), w.rows);
  CHECK(out.back() == kGuard);
  out.resize(size);
  return out;
}

std::vector<ArgMax> RunArgMax(const Kernels& kernels, const float* x, int rows,
                              const WeightMatrix& w, const float* bias) {
  QuantizedBuffer buffer;
  const QuantizedRows quantized = buffer.Resize(rows, w.cols);
  kernels.quantize(x, quantized);
  std::vector<ArgMax> best(rows + 1, ArgMax{12345, kGuard});
  kernels.arg_max_int8(quantized, w, bias, best.data());
  CHECK(best.back().index == 12345);
  best.pop_back();
  return best;
}

/// The first of the largest outputs of each row.
void CheckArgMax(std::span<const ArgMax> found, std::span<const float> outputs) {
  const std::size_t width = outputs.size() / found.size();
  for (std::size_t r = 0; r < found.size(); ++r) {
    const auto row = outputs.subspan(r * width, width);
    const auto largest = std::max_element(row.begin(), row.end());
    CHECK(found[r].index == largest - row.begin());
    CHECK(SameBits(&found[r].value, &*largest, 1));
  }
}

void CheckProducts(int rows, int cols, int outputs, int misalign = 0) {
  Random random(rows * 7919 + cols * 31 + outputs);
  const Int8Weights w = RandomWeights(outputs, cols, random, misalign);
  const std::vector<float> x = random.Values(static_cast<std::size_t>(rows) * cols, 3.f);
  const std::vector<float> bias = random.Values(outputs, 2.f);
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(outputs);
  CAPTURE(misalign);
  for (const float* b : {bias.data(), static_cast<const float*>(nullptr)}) {
    const std::vector<float> plain = Expected(x, rows, w, b, false);
    const std::vector<float> relu = Expected(x, rows, w, b, true);
    ForEachSet([&](const Kernels& kernels) {
      const auto out = RunLinear(kernels, x.data(), rows, w.view, b);
      CHECK(SameBits(out.data(), plain.data(), plain.size()));
      const auto cut = RunLinear(kernels, x.data(), rows, w.view, b, true);
      CHECK(SameBits(cut.data(), relu.data(), relu.size()));
      CheckArgMax(RunArgMax(kernels, x.data(), rows, w.view, b), plain);
    });
  }
}

}  // namespace

// --- packing
// --------------------------------------------------------------------------------------

TEST_CASE("packing: every weight is found again, in place and elsewhere, and padding is zero") {
  for (int cols : {1, 2, 3, 4, 5, 7, 8, 20, 21, 64, 257}) {
    for (int rows : {1, 15, 16, 17, 31, 32, 33, 70}) {
      CAPTURE(rows);
      CAPTURE(cols);
      Random random(rows * 100 + cols);
      const Int8Weights w = RandomWeights(rows, cols, random);
      int wrong = 0;
      for (int r = 0; r < rows; ++r) {
        const std::uint8_t* row = PackedRow(w.view, r);
        for (int c = 0; c < PackedColumns(cols); ++c) {
          const int value = row[c / 4 * 64 + c % 4] - 64;
          wrong += value != (c < cols ? w.values[r * cols + c] : 0);
        }
        std::vector<float> floats(cols + 1, kGuard), expected;
        const float scale = w.scales[r] * 1.5f;
        for (int c = 0; c < cols; ++c) expected.push_back(scale * w.values[r * cols + c]);
        DequantizeRow(w.view, r, 1.5f, {floats.data(), static_cast<std::size_t>(cols)});
        CHECK(SameBits(floats.data(), expected.data(), cols));
        CHECK(floats.back() == kGuard);
      }
      if (!w.last.empty()) {
        for (int r = rows % 16; r < 16; ++r) {
          for (int c = 0; c < PackedColumns(cols); ++c)
            wrong += w.last[c / 4 * 64 + r * 4 + c % 4] != 64;
        }
      }
      CHECK(wrong == 0);
      if (rows % 16 == 0 && cols % 4 == 0) {
        std::vector<std::int8_t> bytes = w.values;
        auto* same = reinterpret_cast<std::uint8_t*>(bytes.data());
        PackPanels(bytes.data(), rows, cols, same);
        CHECK(std::equal(w.memory.begin(), w.memory.end(), same));
      }
    }
  }
}

TEST_CASE("packing: rows with weights beyond 63 are requantised, others left alone") {
  std::vector<std::int8_t> w = {63,   -63,  5, 0,   // fits
                                127,  -127, 1, 64,  // 8 bits
                                -128, 2,    3, 100, 0, 0, 0, 0};
  std::vector<float> scales = {0.5f, 0.25f, 2.f, 1.f};
  LimitWeights(w.data(), 4, 4, scales.data());
  CHECK(w == std::vector<std::int8_t>{63, -63, 5, 0, 63, -63, 0, 32, -63, 1, 1, 49, 0, 0, 0, 0});
  CHECK(scales[0] == 0.5f);
  CHECK(scales[1] == doctest::Approx(0.25 * 127 / 63));
  CHECK(scales[2] == doctest::Approx(2.0 * 128 / 63));
  CHECK(scales[3] == 1.f);

  // No weight moves by more than half of a new step.
  for (int largest = 64; largest <= 128; ++largest) {
    std::vector<std::int8_t> row, before;
    for (int v = -largest; v < largest; ++v) row.push_back(static_cast<std::int8_t>(v));
    before = row;
    float scale = 1;
    LimitWeights(row.data(), 1, static_cast<int>(row.size()), &scale);
    for (std::size_t i = 0; i < row.size(); ++i) {
      REQUIRE(std::abs(row[i]) <= 63);
      REQUIRE(std::abs(row[i] * scale - before[i]) <= scale / 2 + 1e-4f);
    }
  }
}

// --- quantising
// -----------------------------------------------------------------------------------

TEST_CASE("int8: rows are quantised to the nearest of 255 steps, half to even") {
  const std::vector<float> x = {127, -127, 0.5f, 1.5f,  2.5f, -0.5f, -1.5f, 126.4f, 3,  //
                                0,   0,    0,    0,     0,    0,     0,     0,      -0.f,
                                -8,  4,    2,    0.03f, 8,    -1,    7.97f, 0,      1};
  ForEachSet([&](const Kernels& kernels) {
    QuantizedBuffer buffer;
    const QuantizedRows q = buffer.Resize(3, 9);
    std::fill(q.values, q.values + 3 * 12, kGuardByte);
    kernels.quantize(x.data(), q);
    CHECK(std::vector<int>(q.values, q.values + 36) ==
          std::vector<int>{127,  -127, 0,  2, 2,   0,   -2,  126, 3,  0, 0, 0,  //
                           0,    0,    0,  0, 0,   0,   0,   0,   0,  0, 0, 0,  //
                           -127, 64,   32, 0, 127, -16, 127, 0,   16, 0, 0, 0});
    CHECK(q.scales[0] == 1.f);
    CHECK(q.scales[1] == 0.f);
    CHECK(q.scales[2] == 8.f / 127.f);
    CHECK(q.corrections[0] == -64 * 131);
    CHECK(q.corrections[1] == 0);
    CHECK(q.corrections[2] == -64 * 223);
  });
}

TEST_CASE(
    "int8: quantising by every set equals the definition at every width and size of numbers") {
  std::vector<int> widths = {64, 65, 127, 128, 255, 256, 512, 1001, 2048};
  for (int cols = 1; cols <= 50; ++cols) widths.push_back(cols);
  for (int cols : widths) {
    for (float size : {1.f, 1e-20f, 1e20f, 3.4e38f, 0.f}) {
      CAPTURE(cols);
      CAPTURE(size);
      const int rows = 3, padded = PackedColumns(cols);
      const std::vector<float> x = Random(cols).Values(rows * cols, size);
      ForEachSet([&](const Kernels& kernels) {
        std::vector<std::int8_t> values(rows * padded + 1, kGuardByte);
        std::vector<float> scales(rows + 1, kGuard);
        std::vector<std::int32_t> corrections(rows + 1, 7);
        kernels.quantize(x.data(), {rows, cols, values.data(), scales.data(), corrections.data()});
        CHECK(values.back() == kGuardByte);
        CHECK(scales.back() == kGuard);
        CHECK(corrections.back() == 7);
        for (int r = 0; r < rows; ++r) {
          const QuantizedRow expected{std::span(x).subspan(r * cols, cols)};
          int wrong = 0, sum = 0;
          for (int c = 0; c < padded; ++c) {
            wrong += values[r * padded + c] != (c < cols ? expected.values[c] : 0);
            sum += values[r * padded + c];
          }
          CHECK(wrong == 0);
          CHECK(SameBits(&scales[r], &expected.scale, 1));
          CHECK(corrections[r] == -64 * sum);
        }
      });
    }
  }
}

TEST_CASE("int8: rows of next to nothing are zeros, rows of no numbers yield no numbers") {
  const int cols = 21;
  Random random(1);
  const Int8Weights w = RandomWeights(18, cols, random);
  const std::vector<float> bias = random.Values(18);
  for (int at : {0, 3, 8, 16, 20}) {
    std::vector<float> x(4 * cols, 1.f);
    std::fill(x.begin(), x.begin() + cols, 0x1p-101f);
    x[cols + at] = kInfinity;
    x[2 * cols + at] = std::numeric_limits<float>::quiet_NaN();
    ForEachSet([&](const Kernels& kernels) {
      for (bool relu : {false, true}) {
        const std::vector<float> out = RunLinear(kernels, x.data(), 4, w.view, bias.data(), relu);
        for (int o = 0; o < 18; ++o) {
          CHECK(out[o] == (relu ? std::max(0.f, bias[o]) : bias[o]));
          CHECK(std::isnan(out[18 + o]));
          CHECK(std::isnan(out[36 + o]));
          CHECK(std::isfinite(out[54 + o]));
        }
      }
      const std::vector<ArgMax> best = RunArgMax(kernels, x.data(), 4, w.view, bias.data());
      CHECK(best[0].index == std::ranges::max_element(bias) - bias.begin());
      CHECK(best[1].index == -1);
      CHECK(best[2].index == -1);
      CHECK(best[3].index >= 0);
    });
  }
}

// --- products ------------------------------------------------------------------------------------

TEST_CASE("int8: products and arg-max equal plain loops to the bit: every width") {
  for (int cols = 1; cols <= 70; ++cols) CheckProducts(2, cols, 37);
  for (int cols : {96, 127, 128, 255, 256, 257, 511, 512, 1024, 1536, 2048}) {
    CheckProducts(1, cols, 48);
    CheckProducts(5, cols, 33);
  }
}

TEST_CASE("int8: products and arg-max equal plain loops to the bit: every number of outputs") {
  for (int outputs = 1; outputs <= 150; ++outputs) CheckProducts(outputs % 3 + 1, 24, outputs);
  for (int outputs : {255, 256, 257, 999, 1000}) {  // vocabularies with and without a last panel
    CheckProducts(1, 16, outputs);
    CheckProducts(9, 16, outputs);
  }
}

TEST_CASE("int8: products and arg-max equal plain loops to the bit: every number of rows") {
  for (int rows = 0; rows <= 36; ++rows) {
    if (rows > 0) CheckProducts(rows, 20, 53);
    ForEachSet([&](const Kernels& kernels) {
      float guard = kGuard;
      Random random(1);
      const Int8Weights w = RandomWeights(17, 4, random);
      kernels.linear_int8({0, 4, nullptr, nullptr, nullptr}, w.view, nullptr, false, &guard, 17);
      CHECK(guard == kGuard);
    });
  }
  for (int rows : {63, 64, 65, 73, 130}) CheckProducts(rows, 12, 35);
}

TEST_CASE("int8: products and arg-max equal plain loops to the bit: many panels") {
  for (int cols : {4, 8, 12, 20, 28, 64, 100, 512, 2048}) {
    for (int rows : {1, 2, 3, 4, 5, 9, 17}) CheckProducts(rows, cols, 80);
  }
}

TEST_CASE("int8: products do not depend on where weights lie") {
  for (int misalign : {1, 2, 4, 16, 33, 63}) {
    CheckProducts(1, 36, 144, misalign);
    CheckProducts(6, 36, 50, misalign);
  }
}

TEST_CASE("int8: the largest sums there are") {
  constexpr int kRows = 9, kOutputs = 80;
  for (int cols : {4, 256, 2048}) {
    for (int sign : {1, -1}) {
      std::vector<std::int8_t> values;
      for (int o = 0; o < kOutputs; ++o) {  // outputs of one sign, of both, and of zeros
        for (int c = 0; c < cols; ++c) {
          const int w = o % 4 == 0 ? 63 : o % 4 == 1 ? -63 : o % 4 == 2 ? (c % 2 ? 63 : -63) : 0;
          values.push_back(static_cast<std::int8_t>(w));
        }
      }
      const Int8Weights w(kOutputs, cols, std::move(values), std::vector<float>(kOutputs, 1.f));
      for (int pattern = 0; pattern < 3; ++pattern) {
        std::vector<float> x(kRows * cols);
        for (std::size_t i = 0; i < x.size(); ++i) {
          x[i] = static_cast<float>(sign) * (pattern == 1 && i % 2 ? -127.f : 127.f);
          if (pattern == 2 && i % cols != 0) x[i] = 0;
        }
        const std::vector<float> expected = Expected(x, kRows, w, nullptr, false);
        CHECK(std::abs(expected[0]) == (pattern == 0   ? 63.f * 127.f * cols
                                        : pattern == 1 ? 0.f
                                                       : 63.f * 127.f));
        ForEachSet([&](const Kernels& kernels) {
          for (int rows : {1, kRows}) {
            const auto out = RunLinear(kernels, x.data(), rows, w.view, nullptr);
            CHECK(SameBits(out.data(), expected.data(), out.size()));
          }
        });
      }
    }
  }
}

TEST_CASE("int8: a row has the same bits whatever the number of rows beside it") {
  Random random(4);
  const int cols = 40, outputs = 70;
  const Int8Weights w = RandomWeights(outputs, cols, random);
  const std::vector<float> x = random.Values(70 * cols), bias = random.Values(outputs);
  ForEachSet([&](const Kernels& kernels) {
    std::vector<float> alone;
    for (int r = 0; r < 70; ++r) {
      const auto row = RunLinear(kernels, &x[r * cols], 1, w.view, bias.data());
      alone.insert(alone.end(), row.begin(), row.end());
    }
    for (int rows = 1; rows <= 70; ++rows) {
      const auto out = RunLinear(kernels, x.data(), rows, w.view, bias.data());
      CHECK(SameBits(out.data(), alone.data(), out.size()));
    }
  });
}

TEST_CASE("int8: what lies between output rows is left alone") {
  Random random(5);
  for (int outputs : {16, 21, 48}) {
    const int rows = 66, cols = 8, stride = 51;
    const Int8Weights w = RandomWeights(outputs, cols, random);
    const std::vector<float> x = random.Values(rows * cols);
    ForEachSet([&](const Kernels& kernels) {
      QuantizedBuffer buffer;
      const QuantizedRows q = buffer.Resize(rows, cols);
      kernels.quantize(x.data(), q);
      std::vector<float> out(rows * stride, kGuard);
      kernels.linear_int8(q, w.view, nullptr, false, out.data(), stride);
      const std::vector<float> dense = Expected(x, rows, w, nullptr, false);
      for (int r = 0; r < rows; ++r) {
        CHECK(SameBits(&out[r * stride], &dense[r * outputs], outputs));
        for (int gap = outputs; gap < stride; ++gap) REQUIRE(out[r * stride + gap] == kGuard);
      }
    });
  }
}

TEST_CASE("int8: of equal largest outputs the first is chosen, wherever the others lie") {
  const int cols = 8, outputs = 150;
  for (int rows : {1, 3, 17}) {
    const std::vector<float> x = Random(6).Values(rows * cols);
    for (int first : {0, 1, 15, 16, 70, 127, 128, 143, 144, 148}) {
      for (int second : {1, 3, 4, 15, 16, 17, 64, 127, 131, 144, 145, 149}) {
        if (second <= first) continue;
        std::vector<float> bias(outputs, -100.f);
        bias[first] = bias[second] = 5.f;
        const Int8Weights w(outputs, cols, std::vector<std::int8_t>(outputs * cols, 1),
                            std::vector<float>(outputs, 0.01f));
        ForEachSet([&](const Kernels& kernels) {
          for (const ArgMax& best : RunArgMax(kernels, x.data(), rows, w.view, bias.data())) {
            CHECK(best.index == first);
          }
        });
      }
    }
  }
}

TEST_CASE("int8: an output with a bias of minus infinity is never chosen") {
  Random random(7);
  const int cols = 12, outputs = 37;
  const Int8Weights w = RandomWeights(outputs, cols, random);
  const std::vector<float> x = random.Values(5 * cols);
  ForEachSet([&](const Kernels& kernels) {
    std::vector<float> bias(outputs, 0.f);
    for (int banned = 0; banned <= outputs; ++banned) {  // one more each time: the best of row 0
      const std::vector<ArgMax> best = RunArgMax(kernels, x.data(), 5, w.view, bias.data());
      if (banned == outputs) {
        for (const ArgMax& none : best) {
          CHECK(none.index == -1);
          CHECK(none.value == -kInfinity);
        }
      } else {
        CheckArgMax(best, Expected(x, 5, w, bias.data(), false));
        CHECK(bias[best[0].index] == 0.f);
        bias[best[0].index] = -kInfinity;
      }
    }
  });
}

TEST_CASE("int8: linear is PyTorch's with rows rounded as defined") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  for (const char* size : {"1x1", "7x5", "33x18", "64x70"}) {
    const std::string name = std::string("linear.") + size;
    CAPTURE(name);
    const Values x = ops.Get(name + ".input"), bias = ops.Get(name + ".bias");
    const TensorView& int8 = ops.View(name + ".int8");
    const auto* values = reinterpret_cast<const std::int8_t*>(int8.bytes.data());
    const Int8Weights w(static_cast<int>(int8.shape[0]), static_cast<int>(int8.shape[1]),
                        {values, values + int8.bytes.size()}, ops.Get(name + ".scale").data);
    const int rows = static_cast<int>(x.shape[0]);
    ForEachSet([&](const Kernels& kernels) {
      CHECK(Error(RunLinear(kernels, x.data.data(), rows, w.view, bias.data.data()),
                  ops.Get(name + ".int8_output").data, 1e-6f, 2e-7f) <= 1);
    });
  }
}

}  // namespace translucent::test
