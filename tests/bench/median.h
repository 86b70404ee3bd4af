// What stands for measurements taken in turns: whatever else the machine does, few of them meet it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace translucent {

/// The middle one of at least one value; of an even number the upper of the two in the middle.
inline double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace translucent
