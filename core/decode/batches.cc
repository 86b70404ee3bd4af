#include "decode/batches.h"

#include <algorithm>
#include <numeric>

namespace translucent {
namespace {

// A batch takes memory for its longest sentence times its size; these bound it, and more sentences
// at once gain nothing.
constexpr std::size_t kMaxSentences = 32;
constexpr std::size_t kMaxPositions = 2048;

// Padding costs the encoder as much as tokens do, small batches cost the decoder: it reads all
// weights for every step of each. Shares for several threads are small and even enough already.
constexpr std::size_t kMinSentences = 8;
constexpr double kMaxPositionsPerToken = 1.15;

// More batches than threads even out what lengths do not tell, but every one reads all weights
// again.
constexpr std::size_t kBatchesPerThread = 2;

}  // namespace

std::vector<std::vector<std::size_t>> MakeBatches(std::span<const std::size_t> lengths,
                                                  int threads) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });

  std::size_t tokens = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  const std::size_t shares =
      threads > 1 ? kBatchesPerThread * static_cast<std::size_t>(threads) : 1;
  std::vector<std::vector<std::size_t>> batches;
  std::size_t batched = 0;  // tokens in batches so far
  std::size_t in_last = 0;  // tokens in the last batch
  std::size_t share = 0;    // the share of the work the last sentence belongs to
  for (std::size_t index : order) {
    const std::size_t length = lengths[index];
    const std::size_t own_share = tokens == 0 ? 0 : (batched + length / 2) * shares / tokens;
    batched += length;
    const std::size_t size = batches.empty() ? 0 : batches.back().size();
    const std::size_t positions = size == 0 ? 0 : (size + 1) * lengths[batches.back()[0]];
    const bool padded = static_cast<double>(positions) >
                        kMaxPositionsPerToken * static_cast<double>(in_last + length);
    if (size == 0 || own_share != share || size == kMaxSentences || positions > kMaxPositions ||
        (shares == 1 && padded && size >= kMinSentences)) {
      batches.emplace_back();
      in_last = 0;
    }
    share = own_share;
    in_last += length;
    batches.back().push_back(index);
  }
  return batches;
}

}  // namespace translucent
