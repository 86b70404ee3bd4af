// Runs independent pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace translucent {

/// Calls work(0), ..., work(count - 1), each once, on up to `threads` threads (the caller's among
/// them), and returns when all are done. The first exception is rethrown here and stops the rest.
/// WebAssembly without threads runs them one after another.
void ParallelFor(int threads, std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace translucent
