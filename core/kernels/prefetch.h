// How far kernels look ahead.
#pragma once

#include <cstddef>

namespace translucent {

/// How many bytes of weights ahead of those at work are asked for, of all runs of memory that are
/// read side by side together: a large model's come from memory at every step, and what a processor
/// foresees by itself ends with the page. 0: not at all; WebAssembly has no such instruction.
#if defined(__wasm__)
inline constexpr std::size_t kLead = 0;
#else
inline constexpr std::size_t kLead = 8192;
#endif

}  // namespace translucent
