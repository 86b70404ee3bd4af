// How fast each kernel is, and for products which share of the machine's ceiling that is. Not a
// test: no time is asserted. tests/bench/README.md says how to run it natively, under Node and in
// Chromium.
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "benchmark.h"
#include "kernels/kernels.h"
#include "tensor/packing.h"
#include "tensor/quantized.h"

namespace translucent {
namespace {

/// What bare loops reached of K = 512, N = 2048 in billions of multiplications and additions a
/// second on one thread of a Zen 4 server at 3.7 GHz: for one row, one row and weights that do not
/// fit the cache (16 matrices), and 16 rows. WebAssembly in Chromium.
struct Ceiling {
  std::string_view kernels;
  std::string_view kind;
  double one_row, one_row_uncached, rows16;
};
constexpr Ceiling kCeilings[] = {
    {"avx512-vnni", "int8", 99, 79, 229},    {"avx512", "f32", 24.3, 6.8, 58.1},
    {"avx512-vnni", "f32", 24.3, 6.8, 58.1}, {"wasm-simd128", "int8", 29.5, 29, 40},
    {"wasm-simd128", "f32", 19, 8.1, 24},    {"wasm-relaxed", "int8", 50, 50, 57},
    {"wasm-relaxed", "f32", 22, 8.7, 27},
};

/// 0: not known.
double CeilingOf(std::string_view kernels, std::string_view kind, int rows, int matrices) {
  for (const Ceiling& c : kCeilings) {
    if (c.kernels != kernels || c.kind != kind) continue;
    if (rows == 16 && matrices == 1) return c.rows16;
    if (rows == 1) return matrices == 1 ? c.one_row : c.one_row_uncached;
  }
  return 0;
}

std::mt19937& Random() {
  static std::mt19937 random(1);
  return random;
}

std::vector<float> Floats(std::size_t n, float size = 1) {
  std::vector<float> values(n);
  for (float& v : values) v = size * (static_cast<float>(Random()() % 2001) / 1000.f - 1.f);
  return values;
}

void SetRate(benchmark::State& state, const char* name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration * static_cast<double>(state.iterations()),
                                            benchmark::Counter::kIsRate);
}

void SetProducts(benchmark::State& state, double macs, double ceiling) {
  SetRate(state, "GMAC/s", macs / 1e9);
  if (ceiling > 0) SetRate(state, "ceiling%", macs / 1e7 / ceiling);
}

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
  const bool known = cols == 512 && outputs == 2048;
  SetProducts(state, 1.0 * rows * cols * outputs,
              known ? CeilingOf(kernels.name, "f32", rows, matrices) : 0);
}

void LinearInt8(benchmark::State& state, const Kernels& kernels, int cols, int outputs, int rows,
                int matrices) {
  Matrices w(outputs, cols, matrices, true);
  const auto x = Floats(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  std::vector<float> out(static_cast<std::size_t>(rows) * outputs);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  kernels.quantize(x.data(), q);
  for (auto _ : state) {
    kernels.linear_int8(q, w.Next(), bias.data(), false, out.data(), outputs);
    benchmark::DoNotOptimize(out.data());
  }
  const bool known = cols == 512 && outputs == 2048;
  SetProducts(state, 1.0 * rows * cols * outputs,
              known ? CeilingOf(kernels.name, "int8", rows, matrices) : 0);
}

void ArgMaxInt8(benchmark::State& state, const Kernels& kernels, int cols, int outputs, int rows) {
  Matrices w(outputs, cols, 1, true);
  const auto x = Floats(static_cast<std::size_t>(rows) * cols), bias = Floats(outputs);
  std::vector<ArgMax> best(rows);
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(rows, cols);
  kernels.quantize(x.data(), q);
  for (auto _ : state) {
    kernels.arg_max_int8(q, w.Next(), bias.data(), best.data());
    benchmark::DoNotOptimize(best.data());
  }
  SetProducts(state, 1.0 * rows * cols * outputs, 0);
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
  SetProducts(state, 2.0 * length * d_model, 0);
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
  for (const auto& [cols, outputs] : {std::pair(256, 256), {256, 1536}, {1536, 256}, {256, 8000}}) {
    for (int rows : {1, 32, 512}) {
      add("int8" + set + size(cols, outputs, rows),
          [&kernels, cols = cols, outputs = outputs, rows](benchmark::State& state) {
            LinearInt8(state, kernels, cols, outputs, rows, 1);
          });
    }
  }
  for (int outputs : {8000, 32000}) {
    for (int rows : {1, 4, 32}) {
      add("int8_arg_max" + set + size(256, outputs, rows),
          [&kernels, outputs, rows](benchmark::State& state) {
            ArgMaxInt8(state, kernels, 256, outputs, rows);
          });
    }
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
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
