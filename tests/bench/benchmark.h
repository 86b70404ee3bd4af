// Google Benchmark where there is one; under Emscripten, for which Debian has none, as much of its
// interface as our benchmarks use.
#pragma once

#if !defined(__EMSCRIPTEN__)
#include <benchmark/benchmark.h>
#else

#include <emscripten.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Milliseconds of processor time where there is a process, of time in a page.
inline double BenchmarkNow() {
  // clang-format off
  return EM_ASM_DOUBLE({
    if (typeof process === 'undefined' || !process.cpuUsage) return performance.now();
    const used = process.cpuUsage();
    return (used.user + used.system) / 1000;
  });
  // clang-format on
}

namespace benchmark {

/// A value shown beside the time; as a rate it is divided by the seconds all iterations took.
struct Counter {
  enum Flags { kDefaults, kIsRate };
  Counter(double value = 0, Flags flags = kDefaults) : value(value), flags(flags) {}
  double value;
  Flags flags;
};

/// Runs its loop `iterations` times and takes the time of it: for (auto _ : state) ...
class State {
 public:
  explicit State(std::int64_t iterations) : iterations_(iterations) {}
  struct [[maybe_unused]] Value {};
  struct Iterator {
    State* state;
    std::int64_t left;
    bool operator!=(const Iterator&) {
      if (left > 0) return true;
      state->seconds = (BenchmarkNow() - state->start_) / 1000;
      return false;
    }
    void operator++() { --left; }
    Value operator*() const { return {}; }
  };
  Iterator begin() {
    start_ = BenchmarkNow();
    return {this, iterations_};
  }
  Iterator end() { return {this, 0}; }
  std::int64_t iterations() const { return iterations_; }

  std::map<std::string, Counter> counters;
  double seconds = 0;

 private:
  std::int64_t iterations_;
  double start_ = 0;
};

using Function = std::function<void(State&)>;
inline std::vector<std::pair<std::string, Function>>& Registered() {
  static std::vector<std::pair<std::string, Function>> all;
  return all;
}
inline void RegisterBenchmark(const char* name, Function function) {
  Registered().emplace_back(name, std::move(function));
}

inline std::string& Filter() {
  static std::string filter;  // part of the names to run
  return filter;
}
inline void Initialize(int* count, char** arguments) {
  const std::string option = "--benchmark_filter=";
  for (int i = 1; i < *count; ++i) {
    const std::string argument = arguments[i];
    if (argument.starts_with(option)) Filter() = argument.substr(option.size());
  }
}
inline void RunSpecifiedBenchmarks() {
  constexpr double kLeastSeconds = 0.1;  // long against a browser's clock of 0.1 ms
  for (const auto& [name, function] : Registered()) {
    if (name.find(Filter()) == name.npos) continue;
    for (std::int64_t iterations = 1;;) {
      State state(iterations);
      function(state);
      if (state.seconds < kLeastSeconds) {
        const double wanted = 1.5 * kLeastSeconds / std::max(state.seconds, 1e-4);
        iterations = static_cast<std::int64_t>(iterations * std::clamp(wanted, 2.0, 100.0));
        continue;
      }
      for (int again = 0; again < 2; ++again) {  // the best of three
        State other(iterations);
        function(other);
        if (other.seconds < state.seconds) state = other;
      }
      std::printf("%-60s %12.0f ns", name.c_str(), state.seconds * 1e9 / iterations);
      for (const auto& [counter, value] : state.counters) {
        const bool rate = value.flags == Counter::kIsRate;
        std::printf(" %s=%.4g", counter.c_str(), rate ? value.value / state.seconds : value.value);
      }
      std::printf("\n");
      break;
    }
  }
}
inline void Shutdown() {}

template <class T>
void DoNotOptimize(T&& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

}  // namespace benchmark

#endif
