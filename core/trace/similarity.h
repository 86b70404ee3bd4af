// Ways to compare a query with a key, side by side: what attention could use instead of the scaled
// dot product, what each costs, and why the dot product is scaled.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "translator.h"

namespace translucent {

/// score(q, k) of vectors of width d. Where there are parameters they are random, since the model
/// has learned none: normal variates of kSimilaritySeed, matrices scaled by 1 / sqrt(their
/// columns).
enum class Similarity {
  kDot,        // q . k
  kScaledDot,  // q . k / sqrt(d): the model's own
  kCosine,     // q . k / (|q| |k|)
  kAdditive,   // v . tanh(W q + U k), W and U [d, d] (Bahdanau et al. 2015)
  kConcat,     // v . tanh([W U] [q; k]), computed as written (Luong et al. 2015)
  kMlp,        // w . relu(A [q; k; q * k] + b) + c, A [d, 3 d]
  kNaive,      // x . x': no projections at all, query = key = value = x
};
inline constexpr Similarity kSimilarities[] = {
    Similarity::kDot,    Similarity::kScaledDot, Similarity::kCosine, Similarity::kAdditive,
    Similarity::kConcat, Similarity::kMlp,       Similarity::kNaive};
inline constexpr std::uint64_t kSimilaritySeed = 2017;

/// "dot", "scaled", "cosine", "additive", "concat", "mlp", "naive".
std::string_view SimilarityName(Similarity similarity);
/// Throws Error for any other name.
Similarity ParseSimilarity(std::string_view name);

/// The scores of every query with every key: queries [n, d], keys [m, d] -> [n, m].
class SimilarityFunction {
 public:
  SimilarityFunction(Similarity similarity, int d);

  void Scores(std::span<const float> queries, std::span<const float> keys,
              std::span<float> scores) const;

  /// Multiply-adds, and function evaluations (tanh, relu, root, division), of n queries with m
  /// keys.
  struct Cost {
    double multiply_adds = 0;
    double evaluations = 0;
  };
  Cost CostOf(int n, int m) const;

 private:
  Similarity similarity_;
  int d_;
  std::vector<float> query_weight_;  // W, or A's part for q [d, d]
  std::vector<float> key_weight_;    // U, or A's part for k [d, d]
  std::vector<float> joint_weight_;  // [W U] [d, 2 d]; A [d, 3 d]
  std::vector<float> bias_;          // b [d]
  std::vector<float> output_;        // v or w [d]
  float offset_ = 0;                 // c
};

/// All similarities on the queries and keys of one encoder head.
struct SimilarityComparison {
  std::vector<Token> tokens;  // with </s>
  int d_k = 0;
  int d_model = 0;
  struct Entry {
    Similarity similarity;
    std::vector<float> scores;   // [tokens, tokens]
    std::vector<float> weights;  // their softmax
    SimilarityFunction::Cost cost;
  };
  std::vector<Entry>
      entries;  // in the order of kSimilarities; the naive one on what the layer reads
};
SimilarityComparison CompareSimilarities(const Translator& translator, std::string_view text,
                                         int layer, int head);

/// Scores of random queries and keys [tokens, d] again and again for about `milliseconds`.
struct Measurement {
  double milliseconds = 0;  // of one
  int repetitions = 0;
};
Measurement MeasureSimilarity(Similarity similarity, int d, int tokens, double milliseconds);

/// What becomes of q . k as vectors get longer: `queries` random queries against `keys` random keys
/// of standard normal components.
struct ScoreStatistics {
  float variance = 0;         // of q . k: about d
  float scaled_variance = 0;  // of q . k / sqrt(d): about 1
  float largest = 0;          // mean over the queries of the largest softmax weight of q . k
  float scaled_largest = 0;   // of q . k / sqrt(d)
  float entropy = 0;          // mean entropy of the weights in bits
  float scaled_entropy = 0;
};
ScoreStatistics SampleScores(int d, int queries, int keys, std::uint64_t seed);

}  // namespace translucent
