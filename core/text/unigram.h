// Segmentation by a unigram language model: the pieces whose scores add up to the most.
#pragma once

#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace translucent {

/// Immutable after construction; keeps a reference to the vocabulary.
class UnigramModel {
 public:
  explicit UnigramModel(const PieceVocabulary& vocabulary);

  /// Segments that, joined, are `text`. Takes time in proportion to text bytes times the longest
  /// piece, and memory in proportion to text bytes.
  std::vector<Segment> Encode(std::string_view text) const;

 private:
  struct Candidate {
    float score;
    bool usable;
  };

  const PieceVocabulary& vocabulary_;
  std::vector<Candidate> candidates_;  // by id
  float unknown_score_;
};

}  // namespace translucent
