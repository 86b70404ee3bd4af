// Reproducible random numbers for demonstrations: the same on every machine and in the fixtures'
// script.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace translucent {

/// splitmix64 (Steele, Lea and Flood 2014), and normal variates from it by Box and Muller.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// Standard normal, from the next two numbers.
  float Normal() {
    constexpr double kUnit = 0x1p-53;
    const double u = (static_cast<double>(Next() >> 11) + 1) * kUnit;  // in (0, 1]
    const double v = static_cast<double>(Next() >> 11) * kUnit;
    return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
  }

  /// `count` of them, times `scale`.
  std::vector<float> Normals(std::size_t count, float scale = 1.f) {
    std::vector<float> values(count);
    for (float& value : values) value = Normal() * scale;
    return values;
  }

 private:
  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace translucent
