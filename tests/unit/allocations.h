// Counts what the tests' program allocates.
#pragma once

#include <cstddef>

namespace translucent::test {

/// Calls of operator new so far, on all threads; 0 where they are not counted.
std::size_t Allocations();

/// Not under AddressSanitizer, which has an operator new of its own.
bool CountsAllocations();

}  // namespace translucent::test
