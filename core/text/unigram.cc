#include "text/unigram.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "text/utf8.h"

namespace translucent {
namespace {

// Both from sentencepiece's unigram_model.cc.
constexpr float kUnknownPenalty = 10.0f;
constexpr float kRebaseThreshold = 100000.0f;

// A user-defined symbol wins over ordinary pieces, whose scores are negative, and a longer one over
// a shorter. Version 0.2.3 of the library; up to 0.2.0 it was -0.1 for all of them.
float UserDefinedScore(std::size_t length) {
  return static_cast<float>(0.1 * (static_cast<double>(length) - 1));
}

}  // namespace

UnigramModel::UnigramModel(const PieceVocabulary& vocabulary) : vocabulary_(vocabulary) {
  float min_score = std::numeric_limits<float>::max();
  candidates_.reserve(vocabulary.size());
  for (int id = 0; id < vocabulary.size(); ++id) {
    const VocabularyPiece& piece = vocabulary[id];
    if (piece.type == PieceType::kNormal) min_score = std::min(min_score, piece.score);
    const bool user_defined = piece.type == PieceType::kUserDefined;
    candidates_.push_back({user_defined ? UserDefinedScore(piece.text.size()) : piece.score,
                           piece.type != PieceType::kUnused});
  }
  unknown_score_ = min_score - kUnknownPenalty;
}

// Viterbi over byte positions. Scores are float sums, and a path replaces another only if its sum
// is strictly greater: repeated characters make exact ties ("aa" + "a" against "a" + "aa") common,
// so the precision and the order of trial are part of the result. The library up to 0.2.0 compared
// the sum in double with the rounded one; from 0.2.3 on, and here, both are floats.
std::vector<Segment> UnigramModel::Encode(std::string_view text) const {
  struct Best {  // the best path that ends here: its score and its last piece
    float score = 0;
    int id = -1;
    std::uint32_t length = 0;  // of that piece, in bytes; 0: no path ends here
  };
  std::vector<Best> best(text.size() + 1);
  std::size_t frontier = 0;  // the furthest position reached

  const auto offer = [&best](std::size_t begin, std::size_t end, int id, float score) {
    Best& target = best[end];
    if (target.length == 0 || score > target.score) {
      target = {score, id, static_cast<std::uint32_t>(end - begin)};
    }
  };

  const DoubleArray& trie = vocabulary_.searchable();
  for (std::size_t begin = 0; begin < text.size();) {
    // On a very long text the sums would outgrow a float's precision: start again from 0.
    if (const float score = best[begin].score;
        score < -kRebaseThreshold || score > kRebaseThreshold) {
      for (std::size_t i = begin; i <= frontier; ++i) {
        if (i == begin || best[i].length > 0) best[i].score -= score;
      }
    }
    const float score = best[begin].score;
    const std::size_t next = std::min(begin + Utf8Length(text[begin]), text.size());
    bool single = false;  // a piece covers exactly this character
    DoubleArray::Node node = trie.Root();
    for (std::size_t end = begin; end < text.size() && trie.Step(&node, text[end]);) {
      ++end;
      const int id = trie.Value(node);
      if (id < 0 || !candidates_[id].usable) continue;
      offer(begin, end, id, score + candidates_[id].score);
      frontier = std::max(frontier, end);
      single = single || end == next;
    }
    if (!single) {
      offer(begin, next, vocabulary_.unknown_id(), score + unknown_score_);
      frontier = std::max(frontier, next);
    }
    begin = next;
  }

  std::vector<Segment> segments;
  for (std::size_t end = text.size(); end > 0; end -= best[end].length) {
    const Best& last = best[end];
    segments.push_back({text.substr(end - last.length, last.length), last.id});
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

}  // namespace translucent
