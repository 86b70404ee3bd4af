// How fast each kernel is, and for products which share of a bare loop's speed that is. Not a test:
// no time is asserted. tests/bench/README.md says how to run it natively, under Node and in
// Chromium.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bare_loops.h"
#include "base/aligned.h"
#include "benchmark.h"
#include "kernels/kernels.h"
#include "median.h"
#include "search_bench.h"
#include "tensor/coarse.h"
#include "tensor/packing.h"
#include "tensor/quantized.h"

namespace translucent {
namespace {

std::mt19937& Random() {
  static std::mt19937 random(1);
  return random;
}

std::vector<float> Floats(std::size_t n, float size = 1) {
  std::vector<float> values(n);
  for (float& v : values) v = size * (static_cast<float>(Random()() % 2001) / 1000.f - 1.f);
  return values;
}

/// Activations as layer norm leaves them. Where kernels look at them, it matters.
std::vector<float> Activations(std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(Random());
  return values;
}

void SetRate(benchmark::State& state, const char* name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration * static_cast<double>(state.iterations()),
                                            benchmark::Counter::kIsRate);
}

void SetProducts(benchmark::State& state, double macs) { SetRate(state, "GMAC/s", macs / 1e9); }

/// Matrices [outputs, cols], used in turn.
struct Matrices {
  Matrices(int outputs, int cols, int count, bool int8) : scales(outputs, 0.01f) {
    for (int i = 0; i < count; ++i) {
      WeightMatrix w = {.rows = outputs, .cols = cols};
      if (int8) {
        auto& panels = packed.emplace_back(outputs / kPanelRows * PanelBytes(cols));
        for (std::uint8_t& byte : panels) byte = static_cast<std::uint8_t>(1 + Random()() % 127);
        w.packed = panels.data();
        w.scales = scales.data();
      } else {
        w.f32 = floats.emplace_back(Floats(static_cast<std::size_t>(outputs) * cols)).data();
      }
      views.push_back(w);
    }
  }
  const WeightMatrix& Next() { return views[++turn % views.size()]; }

  std::vector<AlignedVector<std::uint8_t>> packed;
  std::vector<std::vector<float>> floats;
  std::vector<float> scales;
  std::vector<WeightMatrix> views;
  std::size_t turn = 0;
};

void Linear(benchmark::State& state, const Kernels& kernels, int cols, int outputs, int rows,
            int matrices) {
  Matrices w(outputs, cols, matrices, false);
  const auto x = Floats(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  std::vector<float> out(static_cast<std::size_t>(rows) * outputs);
  for (auto _ : state) {
    kernels.linear(x.data(), rows, w.Next(), bias.data(), out.data(), outputs);
    benchmark::DoNotOptimize(out.data());
  }
  SetProducts(state, 1.0 * rows * cols * outputs);
}

void LinearInt8(benchmark::State& state, const Kernels& kernels, int cols, int outputs, int rows,
                int matrices) {
  Matrices w(outputs, cols, matrices, true);
  const auto x = Activations(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  std::vector<float> out(static_cast<std::size_t>(rows) * outputs);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  kernels.quantize(x.data(), q);
  for (auto _ : state) {
    kernels.linear_int8(q, w.Next(), bias.data(), false, out.data(), outputs);
    benchmark::DoNotOptimize(out.data());
  }
  SetProducts(state, 1.0 * rows * cols * outputs);
}

/// The same products by the kernel and by a bare loop, taking turns: what share of the loop's speed
/// the kernel has.
void ShareOfBareLoop(benchmark::State& state, const Kernels& kernels, BareLoop bare, int cols,
                     int outputs, int rows) {
  using Clock = std::chrono::steady_clock;
  Matrices w(outputs, cols, 1, true);
  const auto x = Activations(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  const std::size_t size = static_cast<std::size_t>(rows) * outputs;
  std::vector<float> out(size);
  std::vector<std::int32_t> sums(size);
  std::vector<std::int16_t> wide(static_cast<std::size_t>(rows) *
                                 cols);  // or bytes: the same zeros
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  kernels.quantize(x.data(), q);
  // Some milliseconds at a time, long against a browser's clock.
  const int turns = std::max(1, static_cast<int>(1e8 / (1.0 * rows * cols * outputs)));
  const auto seconds = [&](auto work) {
    const auto began = Clock::now();
    for (int i = 0; i < turns; ++i) work();
    return std::chrono::duration<double>(Clock::now() - began).count();
  };
  const auto kernel = [&] {
    kernels.linear_int8(q, w.views[0], bias.data(), false, out.data(), outputs);
    benchmark::DoNotOptimize(out.data());
  };
  const auto loop = [&] {
    bare(wide.data(), rows, cols, w.views[0].packed, outputs, sums.data());
    benchmark::DoNotOptimize(sums.data());
  };
  std::vector<double> shares;
  for (auto _ : state) {
    const double by_kernel = seconds(kernel);
    shares.push_back(seconds(loop) / by_kernel);
  }
  // Whatever else the machine does meets both of a turn, mostly.
  state.counters["share%"] = 100 * Median(std::move(shares));
}

void ArgMaxInt8(benchmark::State& state, const Kernels& kernels, int cols, int outputs, int rows) {
  Matrices w(outputs, cols, 1, true);
  const auto x = Activations(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  std::vector<ArgMax> best(rows);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  kernels.quantize(x.data(), q);
  for (auto _ : state) {
    kernels.arg_max_int8(q, w.Next(), bias.data(), best.data());
    benchmark::DoNotOptimize(best.data());
  }
  SetProducts(state, 1.0 * rows * cols * outputs);
}

/// The rate of the products that the coarse copy stands for.
void CoarseBests(benchmark::State& state, const Kernels& kernels, int cols, int outputs) {
  const Matrices w(outputs, cols, 1, true);
  AlignedVector<std::uint8_t> codes(outputs / kPanelRows * CoarsePanelBytes(cols));
  std::vector<float> scales(outputs), bests(outputs / kPanelRows);
  PackCoarse(w.views[0], codes.data(), scales.data());
  const CoarseMatrix coarse = {outputs / kPanelRows, cols, codes.data(), scales.data()};
  const auto x = Activations(cols), bias = Floats(outputs);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(1, cols);
  kernels.quantize(x.data(), q);
  for (auto _ : state) {
    kernels.coarse_bests(q, coarse, bias.data(), bests.data());
    benchmark::DoNotOptimize(bests.data());
  }
  SetProducts(state, 1.0 * cols * outputs);
}

void Quantize(benchmark::State& state, const Kernels& kernels, int cols, int rows) {
  const auto x = Floats(static_cast<std::size_t>(rows) * cols);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  for (auto _ : state) {
    kernels.quantize(x.data(), q);
    benchmark::DoNotOptimize(q.values);
  }
  SetRate(state, "Gvalues/s", rows * cols / 1e9);
}

/// Attention of one query, all heads: scores, softmax, mixture.
void Attention(benchmark::State& state, const Kernels& kernels, int length, int d_model, int d_k) {
  const int heads = d_model / d_k;
  const auto q = Floats(d_model), k = Floats(length * d_model), v = Floats(length * d_model);
  std::vector<const float*> keys, values;
  for (int j = 0; j < length; ++j) {
    keys.push_back(&k[j * d_model]);
    values.push_back(&v[j * d_model]);
  }
  std::vector<float> scores(heads * length), out(d_model);
  for (auto _ : state) {
    kernels.attention_scores(q.data(), keys.data(), length, heads, d_k, 0.18f, scores.data(),
                             length);
    for (int h = 0; h < heads; ++h) kernels.softmax(&scores[h * length], length);
    kernels.attention_sums(scores.data(), length, values.data(), length, heads, d_k, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  SetProducts(state, 2.0 * length * d_model);
}

/// A kernel that works in place over n values.
template <class Work>
void InPlace(benchmark::State& state, int n, Work work) {
  const std::vector<float> x = Floats(n, 4.f);
  std::vector<float> y = x;
  for (auto _ : state) {
    y = x;  // at memory speed, far from what is measured
    work(y.data());
    benchmark::DoNotOptimize(y.data());
  }
  SetRate(state, "Gvalues/s", n / 1e9);
}

void Register(const Kernels& kernels) {
  const std::string set = std::string("/") + kernels.name;
  const auto add = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(name.c_str(), run);
  };
  const auto size = [](int cols, int outputs, int rows) {
    return "/K:" + std::to_string(cols) + "/N:" + std::to_string(outputs) +
           "/M:" + std::to_string(rows);
  };
  const bool scalar = std::string_view(kernels.name) == "scalar";
  for (int matrices : {1, 16}) {
    for (int rows : {1, 4, 16}) {
      const std::string name = size(512, 2048, rows) + "/matrices:" + std::to_string(matrices);
      add("int8" + set + name, [&kernels, rows, matrices](benchmark::State& state) {
        LinearInt8(state, kernels, 512, 2048, rows, matrices);
      });
      add("f32" + set + name, [&kernels, rows, matrices](benchmark::State& state) {
        Linear(state, kernels, 512, 2048, rows, matrices);
      });
    }
    if (scalar) return;  // the specification is not meant to be fast
  }
  for (int rows : {1, 16}) {
    const BareLoop bare = BareLoopOf(kernels.name, rows == 1);
    if (bare == nullptr) continue;
    add("int8_share" + set + size(512, 2048, rows),
        [&kernels, bare, rows](benchmark::State& state) {
          ShareOfBareLoop(state, kernels, bare, 512, 2048, rows);
        });
  }
  for (const auto& [cols, outputs] : {std::pair(256, 256), {256, 1536}, {1536, 256}, {256, 8000}}) {
    for (int rows : {1, 32, 512}) {
      add("int8" + set + size(cols, outputs, rows),
          [&kernels, cols = cols, outputs = outputs, rows](benchmark::State& state) {
            LinearInt8(state, kernels, cols, outputs, rows, 1);
          });
    }
  }
  for (const auto& [cols, outputs] : {std::pair(256, 8000), {256, 32000}, {512, 32000}}) {
    for (int rows : {1, 4, 16, 32}) {
      add("int8_arg_max" + set + size(cols, outputs, rows),
          [&kernels, cols = cols, outputs = outputs, rows](benchmark::State& state) {
            ArgMaxInt8(state, kernels, cols, outputs, rows);
          });
    }
  }
  for (int cols : {256, 512}) {
    add("coarse_bests" + set + size(cols, 32000, 1),
        [&kernels, cols](benchmark::State& state) { CoarseBests(state, kernels, cols, 32000); });
  }
  for (int cols : {256, 2048}) {
    add("int8_quantize" + set + "/K:" + std::to_string(cols),
        [&kernels, cols](benchmark::State& state) { Quantize(state, kernels, cols, 16); });
  }
  for (int length : {10, 25, 60, 200}) {
    add("attention_head" + set + "/length:" + std::to_string(length),
        [&kernels, length](benchmark::State& state) {
          Attention(state, kernels, length, 256, 32);
        });
  }
  for (int n : {25, 8000}) {
    add("softmax" + set + "/" + std::to_string(n), [&kernels, n](benchmark::State& state) {
      InPlace(state, n, [&](float* x) { kernels.softmax(x, n); });
    });
    add("log_sum_exp" + set + "/" + std::to_string(n), [&kernels, n](benchmark::State& state) {
      InPlace(state, n, [&](float* x) { benchmark::DoNotOptimize(kernels.log_sum_exp(x, n)); });
    });
  }
  for (int d : {256, 512}) {
    add("layer_norm" + set + "/" + std::to_string(d), [&kernels, d](benchmark::State& state) {
      const std::vector<float> gain = Floats(d), bias = Floats(d);
      InPlace(state, 16 * d,
              [&](float* x) { kernels.layer_norm(x, 16, d, gain.data(), bias.data(), 1e-5f); });
    });
  }
  const std::pair<const char*, void (*)(float*, std::size_t)> activations[] = {
      {"relu", kernels.relu}, {"swish", kernels.swish}, {"gelu", kernels.gelu}};
  for (const auto& [name, activate] : activations) {
    add(name + set + "/16384", [activate = activate](benchmark::State& state) {
      InPlace(state, 16384, [&](float* x) { activate(x, 16384); });
    });
  }
}

}  // namespace
}  // namespace translucent

int main(int count, char** arguments) {
  for (const translucent::Kernels* kernels : translucent::RunnableKernels()) {
    translucent::Register(*kernels);
  }
  translucent::RegisterSearch();
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
