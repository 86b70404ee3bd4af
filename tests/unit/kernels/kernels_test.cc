// Every kernel set this machine runs, against the scalar one and against PyTorch.
#include "kernels/kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "../nn/marian_case.h"
#include "kernel_test.h"

namespace translucent::test {
namespace {

std::vector<int> OddSizes() {
  std::vector<int> sizes(70);
  std::iota(sizes.begin(), sizes.end(), 1);
  sizes.insert(sizes.end(), {255, 256, 257});
  return sizes;
}

std::vector<float> RunLinear(const Kernels& kernels, const float* x, int rows,
                             const WeightMatrix& w, const float* bias) {
  const std::size_t size = static_cast<std::size_t>(rows) * w.rows;
  std::vector<float> out(size + 1, kGuard);
  kernels.linear(x, rows, w, bias, out.data(), w.rows);
  CHECK(out.back() == kGuard);
  out.resize(size);
  return out;
}

void CheckLinear(int rows, int cols, int outputs, bool with_bias) {
  Random random(rows * 7919 + cols * 31 + outputs);
  const std::vector<float> weights = random.Values(static_cast<std::size_t>(outputs) * cols);
  const WeightMatrix w = {.rows = outputs, .cols = cols, .f32 = weights.data()};
  const std::vector<float> x = random.Values(static_cast<std::size_t>(rows) * cols);
  const std::vector<float> bias = random.Values(outputs);
  const float* b = with_bias ? bias.data() : nullptr;
  const std::vector<float> expected = RunLinear(Scalar(), x.data(), rows, w, b);
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(outputs);
  CAPTURE(with_bias);
  ForEachSet([&](const Kernels& kernels) {
    const std::vector<float> out = RunLinear(kernels, x.data(), rows, w, b);
    CHECK(Error(out, expected, 4e-6f * std::sqrt(static_cast<float>(cols)), 1e-5f) <= 1);
  });
}

}  // namespace

TEST_CASE("kernels: the scalar set comes first, the active one is among the runnable") {
  const auto runnable = RunnableKernels();
  REQUIRE_FALSE(runnable.empty());
  CHECK(std::string(runnable[0]->name) == "scalar");
  CHECK(std::ranges::count(runnable, &ActiveKernels()) == 1);
#if defined(__wasm_relaxed_simd__)
  CHECK(std::string(ActiveKernels().name) == "wasm-relaxed");
#elif defined(__wasm_simd128__)
  CHECK(std::string(ActiveKernels().name) == "wasm-simd128");
#endif
}

TEST_CASE("kernels: linear equals the scalar one on every width") {
  for (int size : OddSizes()) {
    CheckLinear(3, size, 6, true);   // columns
    CheckLinear(2, 19, size, true);  // outputs
    CheckLinear(2, size, size % 9 + 1, false);
  }
  for (int rows = 0; rows <= 18; ++rows) CheckLinear(rows, 37, 11, rows % 2 == 0);
}

TEST_CASE("kernels: a row of linear has the same bits whatever the number of rows beside it") {
  for (int cols : {1, 5, 16, 31, 64, 67}) {
    Random random(cols);
    const int outputs = 13;
    const std::vector<float> weights = random.Values(outputs * cols);
    const WeightMatrix w = {.rows = outputs, .cols = cols, .f32 = weights.data()};
    const std::vector<float> bias = random.Values(outputs);
    const std::vector<float> x = random.Values(17 * cols);
    ForEachSet([&](const Kernels& kernels) {
      std::vector<float> alone;
      for (int r = 0; r < 17; ++r) {
        const auto row = RunLinear(kernels, &x[r * cols], 1, w, bias.data());
        alone.insert(alone.end(), row.begin(), row.end());
      }
      for (int rows = 1; rows <= 17; ++rows) {
        const auto out = RunLinear(kernels, x.data(), rows, w, bias.data());
        CHECK(SameBits(out.data(), alone.data(), out.size()));
      }
    });
  }
}

TEST_CASE("kernels: linear leaves alone what lies between its output rows") {
  const int rows = 5, cols = 33, outputs = 22, stride = 31;
  Random random(3);
  const std::vector<float> weights = random.Values(outputs * cols), x = random.Values(rows * cols);
  const WeightMatrix w = {.rows = outputs, .cols = cols, .f32 = weights.data()};
  ForEachSet([&](const Kernels& kernels) {
    const std::vector<float> dense = RunLinear(kernels, x.data(), rows, w, nullptr);
    std::vector<float> out(rows * stride, kGuard);
    kernels.linear(x.data(), rows, w, nullptr, out.data(), stride);
    for (int r = 0; r < rows; ++r) {
      CHECK(SameBits(&out[r * stride], &dense[r * outputs], outputs));
      for (int gap = outputs; gap < stride; ++gap) REQUIRE(out[r * stride + gap] == kGuard);
    }
  });
}

/// n vectors of d floats, far apart and in no order, as a beam's keys are.
struct Scattered {
  Scattered(Random& random, int n, int d)
      : memory(random.Values(static_cast<std::size_t>(2 * n + 1) * d)) {
    for (int j = 0; j < n; ++j)
      vectors.push_back(&memory[static_cast<std::size_t>((7 * j) % (2 * n)) * d]);
  }
  std::vector<float> memory;
  std::vector<const float*> vectors;
};

TEST_CASE("kernels: attention_scores equals the scalar one, each score by itself") {
  for (int d_k : OddSizes()) {
    for (int n : {0, 1, 2, 5, 17, 33}) {
      for (int heads : {1, 3}) {
        Random random(d_k * 100 + n * 10 + heads);
        const int d = heads * d_k;
        const std::size_t stride = n + 2;
        const std::vector<float> q = random.Values(d);
        const Scattered keys(random, n, d);
        std::vector<float> expected(heads * stride, kGuard);
        Scalar().attention_scores(q.data(), keys.vectors.data(), n, heads, d_k, 0.37f,
                                  expected.data(), stride);
        ForEachSet([&](const Kernels& kernels) {
          std::vector<float> out(heads * stride, kGuard);
          kernels.attention_scores(q.data(), keys.vectors.data(), n, heads, d_k, 0.37f, out.data(),
                                   stride);
          CHECK(Error(out, expected, 2e-6f * std::sqrt(static_cast<float>(d_k)), 1e-5f) <= 1);
          for (int h = 0; h < heads; ++h) {
            for (std::size_t gap = n; gap < stride; ++gap) CHECK(out[h * stride + gap] == kGuard);
          }
          for (int j = 0; j < n; ++j) {
            std::vector<float> alone(heads);
            kernels.attention_scores(q.data(), &keys.vectors[j], 1, heads, d_k, 0.37f, alone.data(),
                                     1);
            for (int h = 0; h < heads; ++h) CHECK(SameBits(&alone[h], &out[h * stride + j], 1));
          }
        });
      }
    }
  }
}

TEST_CASE("kernels: attention_sums equals the scalar one") {
  for (int d_k : OddSizes()) {
    for (int n : {0, 1, 2, 5, 17, 33}) {
      for (int heads : {1, 3}) {
        Random random(d_k * 100 + n * 10 + heads);
        const int d = heads * d_k;
        const std::size_t stride = n + 2;
        const std::vector<float> weights = random.Values(heads * stride);
        const Scattered values(random, n, d);
        std::vector<float> expected(d + 1, kGuard);
        Scalar().attention_sums(weights.data(), stride, values.vectors.data(), n, heads, d_k,
                                expected.data());
        ForEachSet([&](const Kernels& kernels) {
          std::vector<float> out(d + 1, kGuard);
          kernels.attention_sums(weights.data(), stride, values.vectors.data(), n, heads, d_k,
                                 out.data());
          CHECK(out[d] == kGuard);
          CHECK(Error(out, expected, 6e-6f, 1e-5f) <= 1);
        });
      }
    }
  }
}

TEST_CASE("kernels: softmax equals the scalar one and sums to 1, also far from 0") {
  for (int n : OddSizes()) {
    for (float scale : {0.f, 1.f, 30.f, 200.f}) {
      for (float shift : {0.f, 3e4f, -3e4f, 1e30f, -1e30f}) {
        std::vector<float> x = Random(n).Values(n, scale);
        for (float& value : x) value += shift;
        std::vector<float> expected = x;
        Scalar().softmax(expected.data(), n);
        CAPTURE(n);
        CAPTURE(scale);
        CAPTURE(shift);
        ForEachSet([&](const Kernels& kernels) {
          std::vector<float> out = x;
          out.push_back(kGuard);
          kernels.softmax(out.data(), n);
          CHECK(out[n] == kGuard);
          out.pop_back();
          CHECK(Error(out, expected, 1e-30f, 1e-5f) <= 1);
          CHECK(std::abs(std::accumulate(out.begin(), out.end(), 0.0) - 1) <= 1e-5);
          if (n == 1) CHECK(out[0] == 1.f);
        });
      }
    }
  }
}

TEST_CASE("kernels: log_sum_exp equals the scalar one, also far from 0 and beside -infinity") {
  for (int n : OddSizes()) {
    for (float scale : {0.f, 1.f, 30.f, 200.f}) {
      for (float shift : {0.f, 3e4f, -3e4f}) {
        for (bool forbidden : {false, true}) {
          std::vector<float> x = Random(n).Values(n, scale);
          for (float& value : x) value += shift;
          if (forbidden) {
            for (int i = 1; i < n; i += 2) x[i] = -kInfinity;
          }
          const float expected = Scalar().log_sum_exp(x.data(), n);
          CAPTURE(n);
          CAPTURE(scale);
          CAPTURE(shift);
          CAPTURE(forbidden);
          ForEachSet([&](const Kernels& kernels) {
            const float result = kernels.log_sum_exp(x.data(), n);
            CHECK(Error({&result, 1}, {&expected, 1}, 2e-6f, 2e-7f) <= 1);
            if (n == 1) CHECK(result == x[0]);
          });
        }
      }
    }
  }
}

TEST_CASE("kernels: layer_norm equals the scalar one; rows do not depend on each other") {
  for (int d : OddSizes()) {
    Random random(d);
    const std::vector<float> gain = random.Values(d), bias = random.Values(d);
    for (float shift : {0.f, 10.f}) {
      std::vector<float> x = random.Values(5 * d, 3.f);
      for (float& value : x) value += shift;
      std::fill(x.begin() + d, x.begin() + 2 * d, 0.25f);  // no variance at all
      std::vector<float> expected = x;
      Scalar().layer_norm(expected.data(), 5, d, gain.data(), bias.data(), 1e-5f);
      CAPTURE(d);
      CAPTURE(shift);
      ForEachSet([&](const Kernels& kernels) {
        std::vector<float> out = x;
        out.push_back(kGuard);
        kernels.layer_norm(out.data(), 5, d, gain.data(), bias.data(), 1e-5f);
        CHECK(out[5 * d] == kGuard);
        // One value has no variance: rounding of its mean is multiplied by 1 / sqrt(eps).
        CHECK(Error({out.data(), expected.size()}, expected, 2e-5f, 1e-5f) <= 1);
        for (int r = 0; r < 5; ++r) {
          std::vector<float> alone(x.begin() + r * d, x.begin() + (r + 1) * d);
          kernels.layer_norm(alone.data(), 1, d, gain.data(), bias.data(), 1e-5f);
          CHECK(SameBits(alone.data(), &out[r * d], d));
        }
        float guard = kGuard;
        kernels.layer_norm(&guard, 0, d, gain.data(), bias.data(), 1e-5f);
        CHECK(guard == kGuard);
      });
    }
  }
}

TEST_CASE("kernels: activations equal the scalar ones on every length and at the extremes") {
  using Activate = void (*Kernels::*)(float*, std::size_t);
  std::vector<float> extremes = {0.f,   -0.f,   1e-30f, -1e-30f, 1e-6f, -1e-6f, 5.f,   -5.f,
                                 20.f,  -20.f,  87.f,   -87.f,   88.5f, -88.5f, 89.f,  -89.f,
                                 104.f, -104.f, 1e4f,   -1e4f,   1e30f, -1e30f, 3e38f, -3e38f};
  for (Activate activate : {&Kernels::relu, &Kernels::swish, &Kernels::gelu}) {
    for (int n : OddSizes()) {
      std::vector<float> x = Random(n).Values(n, 8.f);
      std::copy_n(extremes.begin(), std::min<std::size_t>(n, extremes.size()), x.begin());
      std::rotate(x.begin(), x.begin() + n / 3, x.end());
      std::vector<float> expected = x;
      (Scalar().*activate)(expected.data(), n);
      CAPTURE(n);
      ForEachSet([&](const Kernels& kernels) {
        std::vector<float> out = x;
        out.push_back(kGuard);
        (kernels.*activate)(out.data(), n);
        CHECK(out[n] == kGuard);
        out.pop_back();
        CHECK(Error(out, expected, 1e-6f, 2e-6f) <= 1);
        // Each element by itself has the same bits, also in the tail.
        for (int i = 0; i < n; ++i) {
          float alone = x[i];
          (kernels.*activate)(&alone, 1);
          CHECK(SameBits(&alone, &out[i], 1));
        }
        float guard = kGuard;
        (kernels.*activate)(&guard, 0);
        CHECK(guard == kGuard);
      });
    }
  }
}

TEST_CASE("kernels: softmax and log_sum_exp are PyTorch's") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  for (int n : {1, 2, 7, 16, 33, 70}) {
    for (const char* kind : {"plain", "wide", "large", "negative"}) {
      const std::string name = "softmax." + std::to_string(n) + "." + kind;
      CAPTURE(name);
      const std::vector<float> input = ops.Get(name + ".input").data;
      REQUIRE(input.size() == static_cast<std::size_t>(n));
      ForEachSet([&](const Kernels& kernels) {
        std::vector<float> out = input;
        kernels.softmax(out.data(), n);
        CHECK(MaxDifference(out, ops.Get(name + ".output").data) <= 1e-6f);
        const float sum = kernels.log_sum_exp(input.data(), n);
        CHECK(Error({&sum, 1}, ops.Get(name + ".log_sum_exp").data, 1e-6f, 2e-7f) <= 1);
      });
    }
  }
}

TEST_CASE("kernels: relu, swish and gelu are PyTorch's") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  const std::vector<float> input = ops.Get("activation.input").data;
  ForEachSet([&](const Kernels& kernels) {
    const std::pair<const char*, void (*)(float*, std::size_t)> activations[] = {
        {"relu", kernels.relu}, {"swish", kernels.swish}, {"gelu", kernels.gelu}};
    for (const auto& [name, activate] : activations) {
      CAPTURE(std::string(name));
      std::vector<float> out = input;
      activate(out.data(), out.size());
      CHECK(Error(out, ops.Get(std::string("activation.") + name).data, 1e-6f, 1e-6f) <= 1);
    }
  });
}

TEST_CASE("kernels: layer_norm is PyTorch's") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  for (int d : {1, 7, 16, 33, 70}) {
    const std::string name = "layer_norm." + std::to_string(d);
    CAPTURE(name);
    const Values input = ops.Get(name + ".input");
    const Values gain = ops.Get(name + ".gain"), bias = ops.Get(name + ".bias");
    ForEachSet([&](const Kernels& kernels) {
      std::vector<float> out = input.data;
      kernels.layer_norm(out.data(), static_cast<int>(input.shape[0]), d, gain.data.data(),
                         bias.data.data(), 1e-5f);
      CHECK(MaxDifference(out, ops.Get(name + ".output").data) <= 5e-6f);
    });
  }
}

TEST_CASE("kernels: linear is PyTorch's") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  for (const char* size : {"1x1", "7x5", "33x18", "64x70"}) {
    const std::string name = std::string("linear.") + size;
    CAPTURE(name);
    const Values x = ops.Get(name + ".input"), weights = ops.Get(name + ".weight");
    const Values bias = ops.Get(name + ".bias");
    const WeightMatrix w = {.rows = static_cast<int>(weights.shape[0]),
                            .cols = static_cast<int>(weights.shape[1]),
                            .f32 = weights.data.data()};
    const int rows = static_cast<int>(x.shape[0]);
    ForEachSet([&](const Kernels& kernels) {
      CHECK(MaxDifference(RunLinear(kernels, x.data.data(), rows, w, bias.data.data()),
                          ops.Get(name + ".output").data) <= 1e-5f);
    });
  }
}

}  // namespace translucent::test
