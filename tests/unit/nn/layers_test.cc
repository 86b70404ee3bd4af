// Linear layers on f32 and on packed weights: the same calls, the same meaning.
#include "nn/layers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "../kernels/kernel_test.h"
#include "tensor/packing.h"

namespace translucent::test {
namespace {

/// A layer of either kind with its memory.
struct LinearCase {
  explicit LinearCase(bool int8) : bias(random.Values(kOutputs)) {
    WeightMatrix w = {.rows = kOutputs, .cols = kInputs};
    f32 = random.Values(kOutputs * kInputs);
    if (int8) {
      std::vector<std::int8_t> integers;
      for (float v : f32) integers.push_back(static_cast<std::int8_t>(v * kMaxWeight));
      packed.resize((kOutputs + kPanelRows - 1) / kPanelRows * PanelBytes(kInputs));
      PackPanels(integers.data(), kOutputs, kInputs, packed.data());
      w.packed = packed.data();
      w.last_panel = packed.data() + kOutputs / kPanelRows * PanelBytes(kInputs);
      w.scales = scales.data();
    } else {
      w.f32 = f32.data();
    }
    layer.emplace(w, WeightVector{kOutputs, bias.data()});
    x = Eigen::Map<const Matrix>(random.Values(kRows * kInputs).data(), kRows, kInputs);
  }

  static constexpr int kRows = 5, kInputs = 18, kOutputs = 531;
  Random random{8};
  std::vector<float> f32, bias, scales = std::vector<float>(kOutputs, 0.02f);
  std::vector<std::uint8_t> packed;
  std::optional<Linear> layer;
  Matrix x;
};

Matrix Outputs(LinearCase& c) {
  Matrix y(c.kRows, c.kOutputs);
  QuantizedBuffer buffer;
  LinearInput input({c.x.data(), c.kRows, c.kInputs}, buffer);
  c.layer->Forward(input, {y.data(), c.kRows, c.kOutputs});
  return y;
}

/// A layer of random int8 weights, without padding.
struct LargeLayer {
  LargeLayer(int outputs, int inputs) : scales(outputs, 0.02f) {
    Random random(outputs);
    packed.resize(outputs / kPanelRows * PanelBytes(inputs));
    for (std::uint8_t& byte : packed) {
      // The sum of four is nearly normally distributed, as trained weights are.
      float sum = 0;
      for (int i = 0; i < 4; ++i) sum += random.Next();
      byte = static_cast<std::uint8_t>(kWeightOffset + std::lround(sum * kMaxWeight / 4));
    }
    const WeightMatrix w = {
        .rows = outputs, .cols = inputs, .packed = packed.data(), .scales = scales.data()};
    layer.emplace(w, WeightVector{});
  }
  std::vector<float> scales;
  std::vector<std::uint8_t> packed;
  std::optional<Linear> layer;
};

}  // namespace

TEST_CASE("layers: linear writes rows at a distance, with relu or without") {
  for (bool int8 : {false, true}) {
    CAPTURE(int8);
    LinearCase c(int8);
    const Matrix y = Outputs(c);
    REQUIRE(y.cols() == c.kOutputs);
    CHECK(y.minCoeff() < 0);
    for (bool relu : {false, true}) {
      const int stride = c.kOutputs + 3;
      std::vector<float> out(c.kRows * stride, kGuard);
      QuantizedBuffer buffer;
      LinearInput input({c.x.data(), c.kRows, c.kInputs}, buffer);
      c.layer->Forward(input, out.data(), stride, relu);
      c.layer->Forward(input, out.data(), stride, relu);  // what was quantised serves again
      for (int r = 0; r < c.kRows; ++r) {
        for (int o = 0; o < stride; ++o) {
          const float expected = o >= c.kOutputs ? kGuard : relu ? std::max(0.f, y(r, o)) : y(r, o);
          REQUIRE(out[r * stride + o] == expected);
        }
      }
    }
  }
}

TEST_CASE("layers: the largest output and its index are those of the outputs written") {
  LinearCase c(true);
  QuantizedBuffer buffer;
  LinearInput input({c.x.data(), c.kRows, c.kInputs}, buffer);
  std::vector<ArgMax> best(c.kRows);
  for (int banned = 0; banned < 20; ++banned) {
    const Matrix y = Outputs(c);
    c.layer->FindArgMax(input, c.layer->bias(), best.data());
    for (int r = 0; r < c.kRows; ++r) {
      Eigen::Index index;
      const float largest = y.row(r).maxCoeff(&index);
      CHECK(best[r].index == index);
      CHECK(best[r].value == largest);
    }
    c.bias[best[0].index] = -std::numeric_limits<float>::infinity();
  }
  std::fill(c.bias.begin(), c.bias.end(), -std::numeric_limits<float>::infinity());
  c.layer->FindArgMax(input, c.layer->bias(), best.data());
  CHECK(best[0].index == -1);
}

TEST_CASE("layers: the largest of many outputs is guessed from a coarse copy, nearly always") {
  constexpr int kOutputs = 4096, kInputs = 256, kRows = 50;
  const LargeLayer large(kOutputs, kInputs);
  const auto coarse = CoarseOutputs::Of(*large.layer, {.only_if_faster = false});
  REQUIRE(coarse);
  CoarseOutputs::Buffers buffers = coarse->Allocate();
  Random random(1);
  int right = 0;
  for (int r = 0; r < kRows; ++r) {
    const std::vector<float> x = random.Values(kInputs);
    std::vector<float> bias = random.Values(kOutputs, 0.1f);
    QuantizedBuffer buffer;
    LinearInput input(x.data(), 1, kInputs, buffer);
    for (int banned = 0; banned < 4; ++banned) {
      ArgMax best;
      large.layer->FindArgMax(input, bias.data(), &best);
      const int guess = coarse->Guess(input, bias.data(), buffers);
      CHECK(bias[guess] > -1.f);  // not what is forbidden
      right += guess == best.index;
      bias[best.index] = -std::numeric_limits<float>::infinity();
    }
  }
  CHECK(right >= 4 * kRows * 95 / 100);
  std::vector<float> nothing(kOutputs, -std::numeric_limits<float>::infinity());
  const std::vector<float> x = random.Values(kInputs);
  QuantizedBuffer buffer;
  LinearInput input(x.data(), 1, kInputs, buffer);
  CHECK(coarse->Guess(input, nothing.data(), buffers) == -1);
}

TEST_CASE("layers: a coarse copy is made of large layers only, and of int8 weights only") {
  constexpr bool kAny = false;
  LinearCase f32(false), int8(true);
  CHECK_FALSE(CoarseOutputs::Of(*f32.layer, {.only_if_faster = kAny}));
  CHECK(CoarseOutputs::Of(*int8.layer, {.only_if_faster = kAny}));
  CHECK_FALSE(CoarseOutputs::Of(*int8.layer, {}));  // small
  const LargeLayer wide(32, kMostCoarseColumns + kColumnGroup);
  CHECK_FALSE(CoarseOutputs::Of(*wide.layer, {.only_if_faster = kAny}));
}

TEST_CASE("layers: whether guesses are faster is known after some turns, and stays so") {
  const LargeLayer large(16384, 256);
  constexpr double kUsual = 1e-3;
  for (const double guessed : {0.9 * kUsual, 1.1 * kUsual}) {
    CAPTURE(guessed);
    CoarseTrial trial(*large.layer, {});
    REQUIRE(trial.Outputs() != nullptr);
    int turns = 0, guesses = 0;
    while (const std::optional<bool> guess = trial.NextTurn()) {
      REQUIRE(turns < 100);
      CHECK(trial.Outputs() != nullptr);
      // A browser that still compiles, then interruptions, which hit either kind.
      const double factor = turns < 4 ? 10 : turns == 7 || turns == 10 ? 3 : 1;
      trial.Tell(*guess, factor * (*guess ? guessed : kUsual));
      guesses += *guess;
      ++turns;
    }
    CHECK(turns == 2 * guesses);
    CHECK((trial.Outputs() != nullptr) == (guessed < kUsual));
    // Another thread's turn that ends late.
    for (int i = 0; i < 100; ++i) trial.Tell(guessed < kUsual, 1.);
    CHECK_FALSE(trial.NextTurn());
    CHECK((trial.Outputs() != nullptr) == (guessed < kUsual));
  }
}

TEST_CASE("layers: where guesses need not be faster, or cannot be, there are no turns") {
  const LargeLayer large(16384, 256);
  CoarseTrial forced(*large.layer, {.only_if_faster = false});
  CHECK(forced.Outputs() != nullptr);
  CHECK_FALSE(forced.NextTurn());
  CHECK(forced.Outputs() == forced.Outputs());
  LinearCase small(true);
  CoarseTrial none(*small.layer, {});
  CHECK(none.Outputs() == nullptr);
  CHECK_FALSE(none.NextTurn());
}

}  // namespace translucent::test
