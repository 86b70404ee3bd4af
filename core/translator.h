// The facade: text in, translation or explanation out. Everything above it (command line,
// WebAssembly) is conversion; everything below it is the model.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"

namespace translucent {

struct TranslateOptions {
  int beam_size = 0;   // 0: the model's own num_beams; 1: greedy
  int nbest = 1;       // at most beam_size
  int max_length = 0;  // target tokens per sentence, end symbol included; 0: the model's own
  float length_penalty = -1.f;  // negative: the model's own
  bool scores = false;          // greedy: compute Candidate::score, which costs a little
  int threads = 1;              // share the sentences of one call; ignored where there are none
};

struct Candidate {
  std::string text;
  /// log-probability / length^length_penalty, summed over the text's sentences; 0 in greedy search
  /// that was not asked for scores
  float score = 0;
};

/// One token of a sentence. [begin, end) are bytes of the text it belongs to.
struct Token {
  std::string piece;  // "▁dog", "</s>"
  int id = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Attention weights of one stack: [layers, heads, queries, keys], row-major. Rows sum to 1, masked
/// places are exactly 0.
struct AttentionMaps {
  int layers = 0;
  int heads = 0;
  int queries = 0;
  int keys = 0;
  std::vector<float> weights;
};

struct AlignmentLink {
  int source = 0;  // token index
  int target = 0;
  float weight = 0;
};

/// How one sentence was translated. Decoder queries are decoding steps: step t reads target[t-1]
/// (the start symbol for t = 0) and predicts target[t], so row t belongs to target token t.
struct Explanation {
  std::string source_text;
  std::string target_text;
  std::vector<Token> source;  // with </s>
  std::vector<Token> target;  // with </s>
  AttentionMaps encoder;      // [layers, heads, source, source]
  AttentionMaps decoder;      // [layers, heads, target, target]; key j is the input of step j
  AttentionMaps cross;        // [layers, heads, target, source]
  std::vector<AlignmentLink> alignment;  // the strongest source token of every target token
  std::vector<float> probabilities;      // of every target token, given those before it
};

/// A loaded model. Immutable: safe to share between threads.
class Translator {
 public:
  /// Takes the files of a model directory; throws Error naming what is wrong with them.
  explicit Translator(std::vector<ModelFile> files, std::string_view directory = "");
  ~Translator();
  Translator(Translator&&) noexcept;

  /// Translates texts of any length: each is split into sentences, all sentences are decoded in
  /// batches, and what stood between them is kept. result[i] holds `nbest` candidates for texts[i],
  /// best first. An empty text gives an empty translation; sentences that repeat within one call
  /// are decoded once.
  std::vector<std::vector<Candidate>> Translate(const std::vector<std::string>& texts,
                                                const TranslateOptions& options = {}) const;

  /// Explains one text as a single sentence. `target`: explain this translation instead of the
  /// model's own. Throws Error when the text is longer than the model's positions.
  Explanation Explain(std::string_view text, const TranslateOptions& options = {},
                      const std::string* target = nullptr) const;

  const Checkpoint& checkpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace translucent
