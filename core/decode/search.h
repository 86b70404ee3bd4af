// Greedy and beam search over a batch of sentences, with the semantics of transformers' generate().
#pragma once

#include <span>
#include <vector>

#include "format/config.h"
#include "nn/transformer.h"

namespace translucent {

/// One finished target: ids without the start symbol, with the end symbol unless the maximum length
/// cut it off.
struct Hypothesis {
  std::vector<int> ids;
  float score = 0;  // sum of log-probabilities / (number of ids)^length_penalty; 0: not computed
};

/// Translates `sentences` (source ids, each ending in the end symbol, none empty) together. A
/// sentence's result does not depend on the others. Returns for each at most `nbest` hypotheses,
/// best first; settings.num_beams 1 is greedy search, which computes scores only where `scores`
/// asks for them: without, an int8 model need not compute all logits. Forbidden ids (bad_words_ids)
/// are never emitted.
std::vector<std::vector<Hypothesis>> Search(const Transformer& model, const ModelConfig& config,
                                            const GenerationConfig& settings, int nbest,
                                            bool scores,
                                            std::span<const std::vector<int>> sentences);

}  // namespace translucent
