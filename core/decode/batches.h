// Which sentences are decoded together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace translucent {

/// Groups sentences of like length, so that little is padded: indices into `lengths` (tokens of
/// each sentence), every one once, longest first. The work of a batch grows with its tokens; on
/// several threads the batches share it evenly, also where all sentences would fit into one.
std::vector<std::vector<std::size_t>> MakeBatches(std::span<const std::size_t> lengths,
                                                  int threads);

}  // namespace translucent
