// The facade: text in, translation or explanation out. Everything above it (command line,
// WebAssembly) is conversion; everything below it is the model.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/probability.h"
#include "format/checkpoint.h"
#include "nn/transformer.h"

namespace translucent {

struct TranslateOptions {
  int beam_size = 0;   // 0: the model's own num_beams; 1: greedy
  int nbest = 1;       // at most beam_size
  int max_length = 0;  // target tokens per sentence, end symbol included; 0: the model's own
  float length_penalty = -1.f;  // negative: the model's own
  bool scores = false;          // greedy: compute Candidate::score, which costs a little
  int threads = 1;              // share the sentences of one call; ignored where there are none
  /// Translate and Start alone: nothing but what the model's shortlist.bin allows to the sentences
  /// of a batch, and scores are over that. Faster, but the translation may be another one, also
  /// with what else stands in the call, which batches are made of.
  bool shortlist = false;
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
  /// One for every target token, where candidates were asked for: what else might have stood there.
  std::vector<Distribution> steps;
};

/// What an explanation is to be of, and to hold.
struct ExplainOptions {
  std::vector<int> prefix = {};  // target ids that the model's own translation is to begin with
  int candidates = 0;            // of every step, at most; 0: no steps
};

/// A translation that begins with target ids it was given: these, then what the model put behind.
struct Continuation {
  std::string text;
  std::vector<Token> tokens;         // of `text`, with </s> unless the maximum length cut it off
  std::vector<float> probabilities;  // of every token, given those before it
  float score = 0;                   // as of a Candidate, over all tokens
};

/// A translation under way: Translator::Translate in slices of time, with the same result.
/// Destroying it cancels it. Not for two threads at once; keeps the model alive.
class TranslationJob {
 public:
  TranslationJob(TranslationJob&&) noexcept;
  TranslationJob& operator=(TranslationJob&&) noexcept;
  ~TranslationJob();

  /// Works for about that long, on as many threads as the options say: whoever works stops behind
  /// the first step (of one batch: its encoder pass, or one id more for all its targets) that ends
  /// after that time, and one step at least is made. Returns done(). Batches not yet begun take no
  /// memory but their ids. After an exception there is nothing to go on with: a later call throws
  /// Error.
  bool Run(std::chrono::duration<double, std::milli> time);
  /// To the end.
  void Run();
  bool done() const;

  /// texts[text] as far as it is known, with what stands between its sentences: those finished, and
  /// of those under way the best hypothesis so far. It ends where nothing is known of a sentence.
  /// Once all sentences of the text are finished, it is the first of its candidates.
  std::string Partial(std::size_t text);

  /// When done, what Translate returns; throws Error before.
  std::vector<std::vector<Candidate>> Result() const;

 private:
  friend class Translator;
  struct State;
  explicit TranslationJob(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
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
  /// are decoded once. A sentence with nothing to translate (a number, an emoji, an address; text
  /// without a letter of the source language's script) is its own translation, the only candidate
  /// and of score 0; one in capitals is translated without them and put back (text/letters.h).
  std::vector<std::vector<Candidate>> Translate(const std::vector<std::string>& texts,
                                                const TranslateOptions& options = {}) const;

  /// The same as a job that has done nothing yet.
  TranslationJob Start(std::vector<std::string> texts, const TranslateOptions& options = {}) const;

  /// Explains one text as a single sentence. `target`: explain this translation instead of the
  /// model's own. Throws Error when the text is longer than the model's positions, for a prefix as
  /// Continuations does, and where both target and prefix are given.
  Explanation Explain(std::string_view text, const TranslateOptions& options = {},
                      const std::string* target = nullptr, const ExplainOptions& more = {}) const;

  /// For each of `prefixes` (ids of the target vocabulary) the best translation of `text`, a single
  /// sentence, that begins with it: with a beam the one of the best score among those that a search
  /// restricted to the prefix finds. Throws Error for a text longer than the model's positions, and
  /// for a prefix with an id out of range or the end symbol in it, or so long that no id more fits
  /// the maximum length or the positions. options.nbest has no part in it.
  std::vector<Continuation> Continuations(std::string_view text,
                                          const std::vector<std::vector<int>>& prefixes,
                                          const TranslateOptions& options = {}) const;

  /// For each text, as a single sentence, the probability of every id of `target` (end symbol
  /// included, if its probability is asked for) as its translation, given those before it. Throws
  /// Error for a text or target longer than the model's positions and for an id out of range.
  std::vector<std::vector<float>> Score(const std::vector<std::string>& texts,
                                        std::span<const int> target, int threads = 1) const;

  const Checkpoint& checkpoint() const;
  const Transformer& model() const;
  /// The text that target ids stand for.
  std::string TargetText(std::span<const int> ids) const;

 private:
  friend class TranslationJob;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace translucent
