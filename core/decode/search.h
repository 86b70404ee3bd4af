// Greedy and beam search over a batch of sentences, with the semantics of transformers' generate().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "format/config.h"
#include "nn/transformer.h"

namespace translucent {

class Shortlist;

/// One finished target: ids without the start symbol, with the end symbol unless the maximum length
/// cut it off.
struct Hypothesis {
  std::vector<int> ids;
  float score = 0;  // sum of log-probabilities / (number of ids)^length_penalty; 0: not computed
};

/// Ids of a target, without the start symbol, and the sentence of the batch that it translates.
struct SentenceTarget {
  int sentence = 0;
  std::vector<int> ids;
};

/// Makes the logits [vocabulary] of ids that `settings` forbid (bad_words_ids,
/// no_repeat_ngram_size) behind `ids` minus infinity. `ids` begin with the start symbol; a ban of
/// the end symbol `eos` alone is ignored, as transformers does.
void ForbidIds(const GenerationConfig& settings, int eos, std::span<const int> ids,
               std::span<float> logits);

/// The search of a batch of sentences, which may stop between any two steps. A sentence's result
/// does not depend on the others, nor on where the search stopped; with a shortlist it does depend
/// on the others, whose ids are allowed to it too. settings.num_beams 1 is greedy
/// search, which computes scores only where `scores` asks for them: without, an int8 model need not
/// compute all logits. Forbidden ids (see ForbidIds) are never emitted.
///
/// Not for two threads at once. Model, config, settings and shortlist must outlive it.
class BatchSearch {
 public:
  /// Translates `sentences` (source ids, each ending in the end symbol, none empty): one target for
  /// each of `prefixes`, which it begins with, ids without end symbol and fewer than
  /// settings.max_length - 1. What is given so is not forbidden, and its log-probability counts in
  /// the score like that of any other id. `shortlist`: no other ids than it allows, the end symbol
  /// and those given, and probabilities are over these; null: the whole vocabulary.
  BatchSearch(const Transformer& model, const ModelConfig& config, const GenerationConfig& settings,
              bool scores, std::vector<std::vector<int>> sentences,
              std::vector<SentenceTarget> prefixes, const Shortlist* shortlist = nullptr);

  ~BatchSearch();
  BatchSearch(BatchSearch&&) noexcept;

  /// Goes one step on: the first is the encoder's pass over the batch, every other one adds an id
  /// to all targets under way. Returns done(). A decoder step of greedy search allocates nothing.
  bool Step();
  bool done() const;

  /// The ids of a target's best hypothesis up to here, good until the next step; without the start
  /// symbol.
  std::span<const int> BestSoFar(std::size_t target) const;

  /// When done: for each target at most `nbest` hypotheses, best first. To be called once.
  std::vector<std::vector<Hypothesis>> Take(int nbest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A target without prefix for each of that many sentences.
std::vector<SentenceTarget> OnePerSentence(std::size_t sentences);

/// A BatchSearch of one target per sentence, run to its end.
std::vector<std::vector<Hypothesis>> Search(const Transformer& model, const ModelConfig& config,
                                            const GenerationConfig& settings, int nbest,
                                            bool scores,
                                            std::span<const std::vector<int>> sentences,
                                            const Shortlist* shortlist = nullptr);

}  // namespace translucent
