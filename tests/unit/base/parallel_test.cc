#include "base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace translucent::test {

TEST_CASE("parallel: every piece of work is done once, call after call") {
  for (int threads : {-1, 1, 2, 5}) {
    CAPTURE(threads);
    for (std::size_t count : {0, 1, 2, 3, 100}) {
      std::vector<std::atomic<int>> done(count);
      ParallelFor(threads, count, [&](std::size_t i) { ++done[i]; });
      for (const std::atomic<int>& times : done) CHECK(times == 1);
    }
  }
}

TEST_CASE("parallel: an exception stops the rest, arrives, and harms no later call") {
  for (int threads : {1, 3}) {
    CAPTURE(threads);
    for (int call = 0; call < 20; ++call) {
      std::atomic<int> done = 0;
      CHECK_THROWS_WITH_AS(ParallelFor(threads, 10000,
                                       [&](std::size_t i) {
                                         if (i == 3) throw std::runtime_error("third");
                                         ++done;
                                       }),
                           "third", std::runtime_error);
      CHECK(done < 10000);
    }
    std::atomic<int> sum = 0;
    ParallelFor(threads, 10, [&](std::size_t i) { sum += static_cast<int>(i); });
    CHECK(sum == 45);
  }
}

TEST_CASE("parallel: calls within calls finish") {
  std::atomic<int> done = 0;
  ParallelFor(3, 4, [&](std::size_t) { ParallelFor(3, 5, [&](std::size_t) { ++done; }); });
  CHECK(done == 20);
}

}  // namespace translucent::test
