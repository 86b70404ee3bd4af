// One sentence's way through the model, every step with its numbers: what the page walks through.
// The layers themselves record it (nn/recorder.h); nothing is computed a second way.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "format/config.h"
#include "nn/recorder.h"
#include "nn/transformer.h"
#include "translator.h"

namespace translucent {

struct TraceOptions {
  Variant variant;
  Recorder::Choice encoder;  // the layer and head whose steps are kept
  Recorder::Choice decoder;  // of self- and cross-attention
  int padding = 2;      // positions by which a sentence beside this one is longer: real padding
  int candidates = 10;  // most probable words of each step
  int logits_step = 0;  // the decoding step whose logits are kept, all of them
};

/// One turn of the decoding loop: `input` is read, `chosen` follows.
struct TraceStep {
  struct Candidate {
    int id = 0;
    float logit = 0;
    float probability = 0;
  };
  int input = 0;
  Candidate chosen;
  int rank = 0;                       // of the chosen one: 0 is the most probable
  float log_sum_exp = 0;              // softmax: exp(logit - log_sum_exp)
  std::vector<Candidate> candidates;  // best first
};

/// min, max, mean and standard deviation of the finite values (0 of none).
struct Summary {
  float min = 0;
  float max = 0;
  float mean = 0;
  float deviation = 0;
};
Summary Summarize(std::span<const float> values);

/// How many values fall into each of `bins` equal parts of [low, high]; those outside are not
/// counted.
std::vector<int> Histogram(std::span<const float> values, float low, float high, int bins);

struct Trace {
  int length = 0;  // positions of the source, padding included
  /// As recorded (nn/recorder.h), each with the source's `length` rows or one row for each step:
  ///   STACK.embedding.{words, scaled, positions, sum, output}
  ///   STACK.layers.N.output   of every layer; STACK.output
  ///   STACK.layers.N.{self_attention, cross_attention, feed_forward}. of the layer asked for:
  ///     {residual, sum, normed, gain, bias}: the connection around it
  ///     {queries, keys, values, scores, scaled, masked, weights, attended, joined, output}
  ///     {hidden, output}
  ///   decoder.logits          [1, vocabulary] of one step
  std::vector<RecordedMatrix> matrices;
  std::vector<TraceStep> steps;
};

/// Follows source ids (with the end symbol) through the encoder and target ids (with the end
/// symbol) through the decoder, which reads the start symbol and all of them but the last. Throws
/// Error for a layer, head or step there is none of, and for more positions than the model has.
Trace TraceForward(const Transformer& model, const ModelConfig& config, std::span<const int> source,
                   std::span<const int> target, const TraceOptions& options);

/// The target that greedy search finds under `variant`, the sentence padded as above: ids with the
/// end symbol, unless `settings` cut it off before.
std::vector<int> WriteGreedily(const Transformer& model, const ModelConfig& config,
                               const GenerationConfig& settings, std::span<const int> source,
                               const Variant& variant, int padding);

/// A trace of a text with its words.
struct SentenceTrace {
  std::string source_text;
  std::string target_text;
  std::vector<Token> source;  // with </s>, without padding
  std::vector<Token> target;  // with </s>
  std::string padding;        // name of the padding symbol
  Trace trace;
  std::string start;      // name of the symbol the decoder starts with
  std::string rewritten;  // what greedy search writes under the variant
  bool pre_norm = false;
  Activation activation = Activation::kRelu;
  float embedding_scale = 1;  // sqrt(d_model), or 1 where the model has no scale_embedding
  float encoder_scale = 1;    // sqrt(d_k) of its heads
  float decoder_scale = 1;
};

/// `target`: this translation instead of the model's own, which is that without a variant.
SentenceTrace TraceSentence(const Translator& translator, std::string_view text,
                            const std::string* target, const TraceOptions& options);

/// Two sentences side by side, with positions and without.
struct PairComparison {
  struct Side {
    std::string text;
    std::vector<Token> tokens;  // with </s>
    std::string translation;    // greedy, with positions
    std::string without;        // greedy, without positions
  };
  Side first;
  Side second;
  /// For each token of the second sentence the one of the first that has the same id, the n-th for
  /// the n-th; -1: none.
  std::vector<int> same;
  /// Both sentences have the same ids, in whatever order.
  bool permuted = false;
  /// Encoder outputs compared: differences[j * first + i] is the largest absolute difference
  /// between the vector of the second's token j and that of the first's token i.
  struct Outputs {
    std::vector<float> first;        // [first tokens, d_model]
    std::vector<float> second;       // [second tokens, d_model]
    std::vector<float> differences;  // [second tokens, first tokens]
    float largest = 0;               // of the pairs of `same`; what rounding leaves, if permuted
  };
  int d_model = 0;
  Outputs with_positions;
  Outputs without_positions;
};
PairComparison ComparePair(const Translator& translator, std::string_view first,
                           std::string_view second);

/// PE(position) . PE(position + distance) of width d_model for each of `positions` and each
/// distance 0, ..., distances - 1: [positions, distances].
std::vector<float> PositionProducts(int d_model, std::span<const int> positions, int distances);

}  // namespace translucent
