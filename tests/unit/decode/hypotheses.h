// What the tests of searches share.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "decode/search.h"

namespace translucent::test {

inline std::string Text(const std::vector<int>& ids) {
  std::string text;
  for (const int id : ids) text += std::to_string(id) + " ";
  return text;
}

inline void CheckSame(std::span<const Hypothesis> found, std::span<const Hypothesis> expected,
                      float tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t rank = 0; rank < found.size(); ++rank) {
    CAPTURE(rank);
    CHECK(Text(found[rank].ids) == Text(expected[rank].ids));
    CHECK(std::abs(found[rank].score - expected[rank].score) <= tolerance);
  }
}

}  // namespace translucent::test
