#include "decode/batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

namespace translucent::test {
namespace {

using Batches = std::vector<std::vector<std::size_t>>;

std::size_t Tokens(const std::vector<std::size_t>& batch, const std::vector<std::size_t>& lengths) {
  std::size_t tokens = 0;
  for (std::size_t index : batch) tokens += lengths[index];
  return tokens;
}

/// Lengths as texts have them: many short sentences, few long ones.
std::vector<std::size_t> MixedLengths(std::size_t count) {
  std::vector<std::size_t> lengths;
  unsigned state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const unsigned r = state >> 16;
    lengths.push_back(3 + r % 20 + (r % 7 == 0 ? r % 60 : 0));
  }
  return lengths;
}

}  // namespace

TEST_CASE("batches: every sentence is in one batch, longest first, within the limits") {
  for (int threads : {1, 2, 3, 8}) {
    for (std::size_t count : {0, 1, 2, 31, 32, 33, 100, 1000}) {
      CAPTURE(threads);
      CAPTURE(count);
      const std::vector<std::size_t> lengths = MixedLengths(count);
      std::vector<std::size_t> seen;
      std::size_t last = static_cast<std::size_t>(-1);
      for (const auto& batch : MakeBatches(lengths, threads)) {
        REQUIRE_FALSE(batch.empty());
        CHECK(batch.size() <= 32);
        CHECK(batch.size() * lengths[batch[0]] <= 2048);
        for (std::size_t index : batch) {
          CHECK(lengths[index] <= last);
          last = lengths[index];
          seen.push_back(index);
        }
      }
      std::sort(seen.begin(), seen.end());
      std::vector<std::size_t> all(count);
      std::iota(all.begin(), all.end(), 0);
      CHECK(seen == all);
    }
  }
}

TEST_CASE("batches: one thread fills them") {
  CHECK(MakeBatches(std::vector<std::size_t>(32, 10), 1).size() == 1);
  CHECK(MakeBatches(std::vector<std::size_t>(33, 10), 1).size() == 2);
  CHECK(MakeBatches(std::vector<std::size_t>{5000, 1}, 1) == Batches{{0}, {1}});
}

TEST_CASE("batches: one thread keeps padding low, but not by batches of less than eight") {
  for (std::size_t count : {16, 32, 100, 500}) {
    CAPTURE(count);
    const std::vector<std::size_t> lengths = MixedLengths(count);
    for (const auto& batch : MakeBatches(lengths, 1)) {
      const std::size_t positions = batch.size() * lengths[batch[0]];
      CAPTURE(batch.size());
      CHECK((batch.size() <= 8 ||
             static_cast<double>(positions) <= 1.15 * static_cast<double>(Tokens(batch, lengths))));
    }
  }
  const Batches batches = MakeBatches(std::vector<std::size_t>{30, 29, 9, 8, 7, 6, 5, 4, 3, 2}, 1);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].size() == 8);
}

TEST_CASE("batches: several threads get equal shares of the tokens") {
  for (int threads : {2, 3, 4}) {
    CAPTURE(threads);
    const std::vector<std::size_t> lengths = MixedLengths(32);
    const Batches batches = MakeBatches(lengths, threads);
    CHECK(batches.size() % threads == 0);
    const double fair =
        static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::size_t{0})) /
        static_cast<double>(batches.size());
    const std::size_t longest = *std::max_element(lengths.begin(), lengths.end());
    for (const auto& batch : batches) {
      CHECK(std::abs(static_cast<double>(Tokens(batch, lengths)) - fair) <=
            static_cast<double>(longest));
    }
  }
  CHECK(MakeBatches(std::vector<std::size_t>{7, 7}, 2) == Batches{{0}, {1}});
}

}  // namespace translucent::test
