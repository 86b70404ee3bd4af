// Segmentation by byte-pair encoding: neighbours are merged, the best-scored pair first.
#pragma once

#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace translucent {

/// Segments that, joined, are `text`, by the merges of a BPE vocabulary. Takes n log n time in the
/// text's characters.
std::vector<Segment> EncodeBpe(const PieceVocabulary& vocabulary, std::string_view text);

}  // namespace translucent
