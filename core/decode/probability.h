// What the decoder holds probable when the target is known: one pass over it under the causal mask,
// which sees what the search saw step by step.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "decode/search.h"
#include "format/config.h"
#include "nn/transformer.h"

namespace translucent {

struct Prediction {
  int id = 0;
  float probability = 0;
};

/// What may stand at one position of a target.
struct Distribution {
  std::vector<Prediction>
      candidates;     // the most probable ids, best first, the lower id where equal
  float entropy = 0;  // in bits, over all ids that are not forbidden
};

/// The distribution behind `ids`, which begin with the start symbol, with `count` candidates (fewer
/// where the vocabulary or what is allowed ends). Makes the logits [vocabulary] of forbidden ids
/// minus infinity. A probability is what a search takes the logarithm of for its scores: forbidden
/// ids have 0, and settings.renormalize_logits tells whether the others sum to 1 without them.
Distribution Distribute(const GenerationConfig& settings, int eos, std::span<const int> ids,
                        std::span<float> logits, int count);

/// Calls visit(r, logits [vocabulary]) for every row r of hidden [rows, d_model], which may lie in
/// `workspace`. Only a few rows' logits exist at a time.
void ForEachLogits(const Decoder& decoder, MatrixView hidden, Workspace& workspace,
                   const std::function<void(std::size_t, std::span<float>)>& visit);

/// For each target the probability of each of its ids given those before it, in [0, 1], as the
/// model has it: nothing is forbidden. `sentences` are source ids, each ending in the end symbol,
/// none empty; any number of targets may belong to one. A result does not depend on the others.
std::vector<std::vector<float>> Probabilities(const Transformer& model, const ModelConfig& config,
                                              std::span<const std::vector<int>> sentences,
                                              std::span<const SentenceTarget> targets);

}  // namespace translucent
