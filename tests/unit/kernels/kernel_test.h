// What the tests of the kernels share.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace translucent::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kGuard = 12345.f;  // stands behind every output: nothing may write there

/// The same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed) {}
  /// Uniform in [-1, 1).
  float Next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<int>(state_ >> 8) - (1 << 23)) / (1 << 23);
  }
  std::vector<float> Values(std::size_t n, float scale = 1) {
    std::vector<float> values(n);
    for (float& value : values) value = scale * Next();
    return values;
  }

 private:
  std::uint32_t state_;
};

/// Largest |a - b| / (absolute + relative * |b|): at most 1 means equal enough.
inline float Error(std::span<const float> a, std::span<const float> b, float absolute,
                   float relative) {
  if (a.size() != b.size()) return kInfinity;
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    const float error = std::abs(a[i] - b[i]) / (absolute + relative * std::abs(b[i]));
    if (!(error <= largest)) largest = std::isnan(error) ? kInfinity : error;
  }
  return largest;
}

inline bool SameBits(const float* a, const float* b, std::size_t n) {
  return n == 0 || std::memcmp(a, b, n * sizeof(float)) == 0;
}

/// Calls f(kernels) for every runnable set, the scalar one included.
template <class F>
void ForEachSet(F f) {
  for (const Kernels* kernels : RunnableKernels()) {
    const std::string set = kernels->name;
    CAPTURE(set);
    f(*kernels);
  }
}

inline const Kernels& Scalar() { return *RunnableKernels()[0]; }

}  // namespace translucent::test
