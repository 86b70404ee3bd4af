// Picks the kernel set at run time.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/sets.h"
#include "tensor/packing.h"
#include "tensor/quantized.h"

namespace translucent {
namespace {

#if defined(__x86_64__)
// Everything avx512.cc is compiled for.
bool RunsAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

std::vector<const Kernels*> FindRunnable() {
  std::vector<const Kernels*> runnable = {&kScalarKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    runnable.push_back(&kAvx2Kernels);
    if (RunsAvx512()) runnable.push_back(&kAvx512Kernels);
    // Client processors have either of the two; where both are, the wider wins.
    if (__builtin_cpu_supports("avxvnni")) runnable.push_back(&kAvxVnniKernels);
    if (RunsAvx512() && __builtin_cpu_supports("avx512vnni")) {
      runnable.push_back(&kAvx512VnniKernels);
    }
  }
#elif defined(__wasm_relaxed_simd__)
  runnable.push_back(&kWasmRelaxedKernels);
  runnable.push_back(&kWasmRelaxedDotKernels);
#elif defined(__wasm_simd128__)
  runnable.push_back(&kWasmSimd128Kernels);
#endif
  return runnable;
}

}  // namespace

std::span<const Kernels* const> RunnableKernels() {
  static const std::vector<const Kernels*> runnable = FindRunnable();
  return runnable;
}

#if defined(__wasm_relaxed_simd__)
namespace {

/// Products of `kernels` in a millisecond and a half or so.
double Rate(const Kernels& kernels) {
  constexpr int kRows = 64, kCols = 256;
  static const std::vector<std::uint8_t> weights(kRows / kPanelRows * PanelBytes(kCols), 64);
  static const std::vector<float> scales(kRows, 1.f), x(kCols, 1.f);
  const WeightMatrix w = {
      .rows = kRows, .cols = kCols, .packed = weights.data(), .scales = scales.data()};
  QuantizedBuffer buffer;
  const QuantizedRows q = buffer.Resize(1, kCols);
  kernels.quantize(x.data(), q);
  float out[kRows];
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::duration<double, std::milli> kLongEnough(1.5);
  const auto start = Clock::now();
  double calls = 0;
  for (;;) {
    for (int i = 0; i < 64; ++i) kernels.linear_int8(q, w, nullptr, false, out, kRows);
    calls += 64;
    const std::chrono::duration<double, std::milli> taken = Clock::now() - start;
    if (taken >= kLongEnough) return calls / taken.count();
  }
}

// A module cannot ask which instructions a relaxed one becomes, only how fast they are. The best of
// several takes counts, as the engine optimises the code while it runs.
const Kernels& FasterOf(const Kernels& a, const Kernels& b) {
  double best_a = 0, best_b = 0;
  for (int take = 0; take < 4; ++take) {
    best_a = std::max(best_a, Rate(a));
    best_b = std::max(best_b, Rate(b));
  }
  return best_b > 1.1 * best_a ? b : a;
}

}  // namespace

const Kernels& ActiveKernels() {
  static const Kernels& active = FasterOf(kWasmRelaxedKernels, kWasmRelaxedDotKernels);
  return active;
}
#else
const Kernels& ActiveKernels() {
  static const Kernels& active = *RunnableKernels().back();  // each set is faster than the last
  return active;
}
#endif

}  // namespace translucent
