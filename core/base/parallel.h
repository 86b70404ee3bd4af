// Runs independent pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace translucent {

/// Calls work(0), ..., work(count - 1), each once, on up to `threads` threads (the caller's among
/// them), and returns when all are done. The first exception is rethrown here and stops the rest.
///
/// Helping threads are started when first needed and kept for the life of the process; calls from
/// several threads at once share them. A call never waits for a helper that has not begun: where
/// none is free, or none can be started, the caller does all the work. WebAssembly without threads
/// runs the pieces one after another.
void ParallelFor(int threads, std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace translucent
