#include "translator.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "decode/batches.h"
#include "decode/search.h"
#include "decode/shortlist.h"
#include "kernels/kernels.h"
#include "nn/transformer.h"
#include "text/letters.h"
#include "text/sentence_splitter.h"
#include "text/sentencepiece.h"

namespace translucent {
namespace {

/// A sentence ready for the encoder.
struct Sentence {
  std::size_t text = 0;   // index of the text it stands in
  std::size_t begin = 0;  // bytes of that text
  std::size_t end = 0;
  std::vector<int> ids;   // with the end symbol
  bool verbatim = false;  // its own translation: nothing in it is to be translated
  bool capitals = false;  // translated without them, and put back into them
};

/// For every sentence the first one with the same ids, which it shares the translation of.
std::vector<std::size_t> FindRepeated(std::span<const Sentence> sentences) {
  std::map<std::vector<int>, std::size_t> seen;
  std::vector<std::size_t> first;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    const bool shares = !sentences[s].verbatim;
    first.push_back(shares ? seen.try_emplace(sentences[s].ids, s).first->second : s);
  }
  return first;
}

AttentionMaps ToMaps(const AttentionRecord& record) {
  AttentionMaps maps = {
      static_cast<int>(record.layers.size()), record.heads, record.queries, record.keys, {}};
  for (const std::vector<float>& layer : record.layers) {
    maps.weights.insert(maps.weights.end(), layer.begin(), layer.end());
  }
  return maps;
}

/// For every target token the source token it attends to most, on the mean over layers and heads.
std::vector<AlignmentLink> Align(const AttentionMaps& cross) {
  const int maps = cross.layers * cross.heads;
  std::vector<AlignmentLink> links;
  for (int t = 0; t < cross.queries; ++t) {
    AlignmentLink best = {0, t, -1.f};
    for (int s = 0; s < cross.keys; ++s) {
      float sum = 0;
      for (int m = 0; m < maps; ++m) {
        sum += cross.weights[(static_cast<std::size_t>(m) * cross.queries + t) * cross.keys + s];
      }
      const float mean = sum / static_cast<float>(maps);
      if (mean > best.weight) best = {s, t, mean};
    }
    links.push_back(best);
  }
  return links;
}

/// Appends a sentence's translation, and before it what stood between the sentences.
void Join(std::string_view between, std::string_view translation, std::string* text) {
  *text += SentenceSeparator(*text, between, translation);
  *text += translation;
}

// Prefixes continued together; more gain nothing.
constexpr std::size_t kPrefixesAtOnce = 32;

}  // namespace

struct Translator::Impl {
  Checkpoint checkpoint;
  SentencePiece source_pieces;
  SentencePiece target_pieces;
  std::optional<Shortlist> shortlist;  // where the model has one
  Transformer model;

  Impl(std::vector<ModelFile> files, std::string_view directory)
      : checkpoint(std::move(files), directory),
        source_pieces(checkpoint.File("source.spm"), checkpoint.PathOf("source.spm")),
        target_pieces(checkpoint.File("target.spm"), checkpoint.PathOf("target.spm")),
        model(checkpoint) {
    if (checkpoint.HasFile(kShortlistFile)) shortlist.emplace(checkpoint);
  }

  GenerationConfig Settings(const TranslateOptions& options) const {
    GenerationConfig settings = checkpoint.generation();
    if (options.beam_size < 0) throw Error("beam size", "must not be negative");
    if (options.max_length < 0) throw Error("maximum length", "must not be negative");
    if (options.beam_size > 0) settings.num_beams = options.beam_size;
    if (options.max_length > 0) settings.max_length = options.max_length + 1;  // the start symbol
    if (options.length_penalty >= 0) settings.length_penalty = options.length_penalty;
    if (options.nbest < 1) throw Error("n-best", "must be at least 1");
    if (options.nbest > settings.num_beams) {
      throw Error("n-best", "asks for " + std::to_string(options.nbest) + " of " +
                                std::to_string(settings.num_beams) + " beams");
    }
    return settings;
  }

  /// Tokens of a text with ids of `vocabulary`, without the end symbol.
  static std::vector<Token> Tokenize(std::string_view text, const SentencePiece& pieces,
                                     const Vocabulary& vocabulary) {
    std::vector<Token> tokens;
    for (Piece& piece : pieces.Encode(text)) {
      const int id = vocabulary.IdOf(piece.text);
      tokens.push_back({std::move(piece.text), id, piece.begin, piece.end});
    }
    return tokens;
  }

  Token EndToken(const Vocabulary& vocabulary, std::size_t at) const {
    const int id = checkpoint.config().eos_token_id;
    return {vocabulary.tokens[id], id, at, at};
  }

  /// The tokens of a source sentence, without the end symbol. Capitals are taken back: what stands
  /// where stays the same.
  std::vector<Token> TokenizeSource(std::string_view sentence) const {
    const Vocabulary& vocabulary = checkpoint.source_vocabulary();
    if (!IsInCapitals(sentence)) return Tokenize(sentence, source_pieces, vocabulary);
    return Tokenize(WithoutCapitals(sentence), source_pieces, vocabulary);
  }

  std::vector<int> SourceIds(std::string_view sentence) const {
    std::vector<int> ids;
    for (const Token& token : TokenizeSource(sentence)) {
      ids.push_back(token.id);
    }
    ids.push_back(checkpoint.config().eos_token_id);
    return ids;
  }

  /// The source tokens of a text that is to be a single sentence, with the end symbol.
  std::vector<Token> SourceTokens(std::string_view text, const std::string& name) const {
    std::vector<Token> tokens = TokenizeSource(text);
    tokens.push_back(EndToken(checkpoint.source_vocabulary(), text.size()));
    CheckFits(tokens.size(), name);
    return tokens;
  }

  void CheckFits(std::size_t tokens, const std::string& name) const {
    const std::size_t limit = checkpoint.config().max_position_embeddings;
    if (tokens > limit) {
      throw Error(name, std::to_string(tokens) + " tokens are more than the " +
                            std::to_string(limit) + " positions of the model");
    }
  }

  void CheckTargetIds(std::span<const int> ids, const std::string& name) const {
    const std::size_t size = checkpoint.target_vocabulary().tokens.size();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= 0 && static_cast<std::size_t>(ids[i]) < size) continue;
      throw Error(name, "id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                            " is not among the " + std::to_string(size) +
                            " of the target vocabulary");
    }
  }

  /// A prefix leaves room for at least one id more.
  void CheckPrefix(std::span<const int> ids, const GenerationConfig& settings,
                   const std::string& name) const {
    CheckTargetIds(ids, name);
    const auto end = std::ranges::find(ids, checkpoint.config().eos_token_id);
    if (end != ids.end()) {
      throw Error(name, "holds the end symbol at position " + std::to_string(end - ids.begin()));
    }
    const std::size_t longest =
        std::min(settings.max_length - 1, checkpoint.config().max_position_embeddings);
    if (!ids.empty() && ids.size() >= longest) {
      throw Error(name, std::to_string(ids.size()) + " ids leave no room for another within " +
                            std::to_string(longest));
    }
  }

  /// The tokens of target ids, and their text.
  std::vector<Token> TargetTokens(std::span<const int> ids, std::string* text) const {
    std::vector<std::size_t> ends;
    *text = Detokenize(ids, &ends);
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string& piece = checkpoint.target_vocabulary().tokens[ids[i]];
      tokens.push_back({piece, ids[i], i == 0 ? 0 : ends[i - 1], ends[i]});
    }
    return tokens;
  }

  /// Target ids to text; `ends` receives the byte at which each id's text ends, if not null.
  std::string Detokenize(std::span<const int> ids, std::vector<std::size_t>* ends) const {
    const Vocabulary& vocabulary = checkpoint.target_vocabulary();
    std::vector<std::string_view> pieces;
    for (int id : ids) {
      // The end symbol and padding are the model's, not the text's, whatever target.spm calls them.
      const bool symbol =
          id == checkpoint.config().eos_token_id || id == checkpoint.config().pad_token_id;
      pieces.push_back(symbol ? std::string_view() : std::string_view(vocabulary.tokens[id]));
    }
    return target_pieces.DecodePieces(pieces, ends);
  }

  /// Appends the sentences of text[begin, end), cut until each fits the model's positions.
  void AddSentences(std::string_view text, std::size_t index, std::size_t begin, std::size_t end,
                    std::size_t max_bytes, std::vector<Sentence>& sentences) const {
    const std::size_t limit = checkpoint.config().max_position_embeddings;
    for (const SentenceRange& range : SplitSentences(text.substr(begin, end - begin), max_bytes)) {
      Sentence sentence = {index, begin + range.begin, begin + range.end, {}};
      const std::size_t size = range.end - range.begin;
      const std::string_view own = text.substr(sentence.begin, size);
      sentence.verbatim = IsVerbatim(own, checkpoint.source_language());
      if (sentence.verbatim) {
        sentences.push_back(std::move(sentence));
        continue;
      }
      sentence.capitals = IsInCapitals(own);
      sentence.ids = SourceIds(own);
      if (sentence.ids.size() > limit && size > kLongestCharacter) {
        AddSentences(text, index, sentence.begin, sentence.end,
                     std::max(size / 2, kLongestCharacter), sentences);
      } else {
        sentences.push_back(std::move(sentence));
      }
    }
  }

  static constexpr std::size_t kLongestCharacter = 4;  // bytes of UTF-8
};

struct TranslationJob::State {
  using Clock = std::chrono::steady_clock;

  /// The translation of one text as far as its leading sentences are finished.
  struct Joined {
    std::size_t next = 0;  // sentence that is not in it yet
    std::size_t end = 0;   // sentence behind the text's last
    std::size_t read = 0;  // bytes of the text dealt with
    std::string text;
  };
  /// Where a sentence is decoded.
  struct Place {
    std::size_t batch = 0;
    std::size_t index = 0;  // in the batch
  };

  std::shared_ptr<const Translator::Impl> impl;
  std::vector<std::string> texts;
  TranslateOptions options;
  GenerationConfig settings;
  std::vector<Sentence> sentences;  // of all texts, in order
  std::vector<std::size_t> first;   // [sentences]: the first one with the same ids, the one decoded
  std::vector<Place> places;        // [sentences]: of those decoded
  std::vector<Joined> joined;       // [texts]
  std::vector<std::vector<std::size_t>> batches;     // sentences decoded together
  std::vector<std::vector<Hypothesis>> translated;   // [sentences]: of those decoded; empty before
  std::vector<std::optional<BatchSearch>> searches;  // [batches]: those begun and not finished

  std::mutex mutex;                   // guards the next three
  std::vector<std::size_t> waiting;   // batches begun that nobody works at
  std::size_t next_batch = 0;         // the first that is not begun
  std::size_t finished = 0;           // batches
  std::atomic<bool> stepped = false;  // in this slice
  std::atomic<bool> failed = false;

  State(std::shared_ptr<const Translator::Impl> impl_, std::vector<std::string> texts_,
        const TranslateOptions& options_)
      : impl(std::move(impl_)),
        texts(std::move(texts_)),
        options(options_),
        settings(impl->Settings(options)),
        joined(texts.size()) {
    if (options.shortlist) impl->checkpoint.File(kShortlistFile);  // an Error without it
    for (std::size_t i = 0; i < texts.size(); ++i) {
      joined[i].next = sentences.size();
      impl->AddSentences(texts[i], i, 0, texts[i].size(), kMaxSentenceBytes, sentences);
      joined[i].end = sentences.size();
    }
    first = FindRepeated(sentences);
    std::vector<std::size_t> distinct, lengths;
    for (std::size_t s = 0; s < sentences.size(); ++s) {
      if (first[s] != s || sentences[s].verbatim) continue;
      distinct.push_back(s);
      lengths.push_back(sentences[s].ids.size());
    }
    batches = MakeBatches(lengths, options.threads);
    // Readers begin at the beginning; several threads begin with what takes longest.
    if (options.threads <= 1) {
      std::ranges::sort(batches, {}, [](const auto& batch) { return std::ranges::min(batch); });
    }
    places.resize(sentences.size());
    for (std::size_t b = 0; b < batches.size(); ++b) {
      for (std::size_t i = 0; i < batches[b].size(); ++i) {
        batches[b][i] = distinct[batches[b][i]];
        places[batches[b][i]] = {b, i};
      }
    }
    translated.resize(sentences.size());
    for (std::size_t s = 0; s < sentences.size(); ++s) {
      if (sentences[s].verbatim) translated[s] = {Hypothesis{}};
    }
    searches.resize(batches.size());
  }

  bool done() const { return finished == batches.size(); }

  void Run(Clock::time_point deadline) {
    if (failed) throw Error("translation", "has failed before");
    stepped = false;
    const std::size_t left = batches.size() - finished;
    const std::size_t workers = std::min<std::size_t>(std::max(options.threads, 1), left);
    ParallelFor(options.threads, workers, [&](std::size_t) { Work(deadline); });
  }

  /// One thread's share of a slice: goes on with batches, those begun first.
  void Work(Clock::time_point deadline) {
    const auto expired = [&] {
      return deadline != Clock::time_point::max() && Clock::now() >= deadline;
    };
    for (;;) {
      std::size_t batch = 0;
      {
        const std::lock_guard lock(mutex);
        if (failed || (stepped && expired())) return;
        if (!waiting.empty()) {
          batch = waiting.front();
          waiting.erase(waiting.begin());
        } else if (next_batch < batches.size()) {
          batch = next_batch++;
        } else {
          return;
        }
      }
      bool batch_done = false;
      try {
        std::optional<BatchSearch>& search = searches[batch];
        if (!search) search.emplace(Begin(batches[batch]));
        do {
          batch_done = search->Step();
          stepped = true;
        } while (!batch_done && !failed && !expired());
        if (batch_done) {
          std::vector<std::vector<Hypothesis>> found = search->Take(options.nbest);
          for (std::size_t i = 0; i < found.size(); ++i) {
            translated[batches[batch][i]] = std::move(found[i]);
          }
          search.reset();
        }
      } catch (...) {
        failed = true;
        throw;
      }
      const std::lock_guard lock(mutex);
      if (!batch_done) {
        waiting.push_back(batch);
        return;
      }
      ++finished;
    }
  }

  BatchSearch Begin(std::span<const std::size_t> batch) const {
    std::vector<std::vector<int>> ids;
    for (const std::size_t s : batch) ids.push_back(sentences[s].ids);
    return {impl->model,
            impl->checkpoint.config(),
            settings,
            options.scores,
            std::move(ids),
            OnePerSentence(batch.size()),
            options.shortlist ? &*impl->shortlist : nullptr};
  }

  /// Bytes of the text between a sentence and what was read of the text before.
  std::string_view Between(const Sentence& sentence, std::size_t read) const {
    return std::string_view(texts[sentence.text]).substr(read, sentence.begin - read);
  }

  std::string Partial(std::size_t text) {
    Joined& known = joined[text];
    for (; known.next < known.end; ++known.next) {
      const std::vector<Hypothesis>& found = translated[first[known.next]];
      if (found.empty()) break;
      const Sentence& sentence = sentences[known.next];
      Join(Between(sentence, known.read), TextOf(sentence, found[0].ids), &known.text);
      known.read = sentence.end;
    }
    std::string partial = known.text;
    std::size_t read = known.read;
    for (std::size_t s = known.next; s < known.end; ++s) {
      const std::string translation = SoFar(s);
      if (translation.empty()) return partial;
      Join(Between(sentences[s], read), translation, &partial);
      read = sentences[s].end;
    }
    if (known.next == known.end) partial += std::string_view(texts[text]).substr(read);
    return partial;
  }

  /// What target ids are as the translation of a sentence.
  std::string TextOf(const Sentence& sentence, std::span<const int> ids) const {
    if (sentence.verbatim) {
      return texts[sentence.text].substr(sentence.begin, sentence.end - sentence.begin);
    }
    std::string text = impl->Detokenize(ids, nullptr);
    return sentence.capitals ? InCapitals(text) : text;
  }

  /// The text known of a sentence.
  std::string SoFar(std::size_t sentence) const {
    const std::vector<Hypothesis>& found = translated[first[sentence]];
    if (!found.empty()) return TextOf(sentences[sentence], found[0].ids);
    const auto& [batch, index] = places[first[sentence]];
    if (!searches[batch]) return {};
    std::string text = TextOf(sentences[sentence], searches[batch]->BestSoFar(index));
    // A character spelled in bytes, of which some are still to come.
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    while (text.ends_with(kReplacement)) text.resize(text.size() - kReplacement.size());
    return text;
  }

  /// Candidates of a text: the best combinations of its sentences' hypotheses.
  std::vector<std::vector<Candidate>> Result() const {
    std::vector<std::vector<Candidate>> results(texts.size(), {Candidate{}});
    std::vector<std::size_t> read(texts.size(), 0);  // bytes of each text dealt with
    for (std::size_t s = 0; s < sentences.size(); ++s) {
      const Sentence& sentence = sentences[s];
      const std::string_view between =
          Between(sentence, std::exchange(read[sentence.text], sentence.end));
      std::vector<Candidate> own;
      for (const Hypothesis& hypothesis : translated[first[s]]) {
        own.push_back({TextOf(sentence, hypothesis.ids), hypothesis.score});
      }
      std::vector<Candidate> combined;
      for (const Candidate& before : results[sentence.text]) {
        for (const Candidate& after : own) {
          Candidate candidate = {before.text, before.score + after.score};
          Join(between, after.text, &candidate.text);
          combined.push_back(std::move(candidate));
        }
      }
      std::stable_sort(combined.begin(), combined.end(),
                       [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
      if (combined.size() > static_cast<std::size_t>(options.nbest)) {
        combined.resize(options.nbest);
      }
      results[sentence.text] = std::move(combined);
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (Candidate& candidate : results[i]) candidate.text += texts[i].substr(read[i]);
    }
    return results;
  }
};

TranslationJob::TranslationJob(std::unique_ptr<State> state) : state_(std::move(state)) {}
TranslationJob::TranslationJob(TranslationJob&&) noexcept = default;
TranslationJob& TranslationJob::operator=(TranslationJob&&) noexcept = default;
TranslationJob::~TranslationJob() = default;

bool TranslationJob::done() const { return state_->done(); }

bool TranslationJob::Run(std::chrono::duration<double, std::milli> time) {
  // A week is for ever; what is not a number, not at all.
  constexpr double kLongest = 7 * 24 * 3600e3;
  const double milliseconds = time.count() > 0 ? std::min(time.count(), kLongest) : 0;
  state_->Run(State::Clock::now() + std::chrono::duration_cast<State::Clock::duration>(
                                        std::chrono::duration<double, std::milli>(milliseconds)));
  return done();
}

void TranslationJob::Run() { state_->Run(State::Clock::time_point::max()); }

std::string TranslationJob::Partial(std::size_t text) {
  if (text >= state_->texts.size()) {
    throw Error("text", std::to_string(text) + " is not one of the " +
                            std::to_string(state_->texts.size()) + " texts");
  }
  return state_->Partial(text);
}

std::vector<std::vector<Candidate>> TranslationJob::Result() const {
  if (!done()) throw Error("translation", "is not done yet");
  return state_->Result();
}

Translator::Translator(std::vector<ModelFile> files, std::string_view directory)
    : impl_(std::make_shared<const Impl>(std::move(files), directory)) {}
Translator::~Translator() = default;
Translator::Translator(Translator&&) noexcept = default;

const Checkpoint& Translator::checkpoint() const { return impl_->checkpoint; }
const Transformer& Translator::model() const { return impl_->model; }
std::string Translator::TargetText(std::span<const int> ids) const {
  return impl_->Detokenize(ids, nullptr);
}

std::vector<std::vector<Candidate>> Translator::Translate(const std::vector<std::string>& texts,
                                                          const TranslateOptions& options) const {
  TranslationJob job = Start(texts, options);
  job.Run();
  return job.Result();
}

TranslationJob Translator::Start(std::vector<std::string> texts,
                                 const TranslateOptions& options) const {
  return TranslationJob(std::make_unique<TranslationJob::State>(impl_, std::move(texts), options));
}

Explanation Translator::Explain(std::string_view text, const TranslateOptions& options,
                                const std::string* target, const ExplainOptions& more) const {
  const Impl& impl = *impl_;
  const ModelConfig& config = impl.checkpoint.config();
  const GenerationConfig settings = impl.Settings(options);
  const int vocabulary = config.decoder_vocab_size;
  if (more.candidates < 0 || more.candidates > vocabulary) {
    throw Error("candidates", std::to_string(more.candidates) + " is not between 0 and the " +
                                  std::to_string(vocabulary) + " of the target vocabulary");
  }

  Explanation result;
  const bool capitals = IsInCapitals(text);
  result.source_text = text;
  result.source = impl.SourceTokens(text, "text");
  std::vector<std::vector<int>> source_ids(1);
  for (const Token& token : result.source) source_ids[0].push_back(token.id);

  if (target != nullptr) {
    if (!more.prefix.empty()) throw Error("prefix", "has no part where the target is given");
    const Vocabulary& target_vocabulary = impl.checkpoint.target_vocabulary();
    result.target_text = *target;
    result.target = Impl::Tokenize(capitals ? WithoutCapitals(*target) : *target,
                                   impl.target_pieces, target_vocabulary);
    result.target.push_back(impl.EndToken(target_vocabulary, target->size()));
    impl.CheckFits(result.target.size(), "target");
  } else {
    impl.CheckPrefix(more.prefix, settings, "prefix");
    BatchSearch search(impl.model, config, settings, false, source_ids, {{0, more.prefix}});
    while (!search.Step()) {
    }
    result.target = impl.TargetTokens(search.Take(1)[0][0].ids, &result.target_text);
    if (capitals) result.target_text = InCapitals(result.target_text);
  }

  // One pass over the known target under the causal mask: what each decoding step saw.
  const PaddedBatch batch = PaddedBatch::Of(source_ids, config.pad_token_id);
  AttentionRecord encoder;
  Workspace workspace;
  const SourceMemory source = impl.model.decoder.Remember(
      impl.model.encoder.Forward(batch, workspace, &encoder), batch, workspace);
  std::vector<int> inputs = {config.decoder_start_token_id};
  for (std::size_t i = 0; i + 1 < result.target.size(); ++i) inputs.push_back(result.target[i].id);
  const int count = static_cast<int>(inputs.size());
  DecoderState state = impl.model.decoder.Start({0}, source, count);
  DecoderRecord decoder;
  const MatrixView hidden = impl.model.decoder.Forward(inputs, count, source, state, &decoder);
  ForEachLogits(impl.model.decoder, hidden, workspace, [&](std::size_t t, std::span<float> logits) {
    const float log_sum =
        ActiveKernels().log_sum_exp(logits.data(), static_cast<int>(logits.size()));
    result.probabilities.push_back(std::exp(logits[result.target[t].id] - log_sum));
    if (more.candidates == 0) return;
    result.steps.push_back(Distribute(settings, config.eos_token_id, std::span(inputs).first(t + 1),
                                      logits, more.candidates));
  });
  result.encoder = ToMaps(encoder);
  result.decoder = ToMaps(decoder.self);
  result.cross = ToMaps(decoder.cross);
  result.alignment = Align(result.cross);
  return result;
}

std::vector<Continuation> Translator::Continuations(std::string_view text,
                                                    const std::vector<std::vector<int>>& prefixes,
                                                    const TranslateOptions& options) const {
  const Impl& impl = *impl_;
  const ModelConfig& config = impl.checkpoint.config();
  const GenerationConfig settings = impl.Settings(options);
  std::vector<std::vector<int>> source_ids(1);
  for (const Token& token : impl.SourceTokens(text, "text")) source_ids[0].push_back(token.id);
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    impl.CheckPrefix(prefixes[i], settings, "prefix " + std::to_string(i));
  }

  const bool capitals = IsInCapitals(text);
  // A result does not depend on what is decoded beside it: as many at once as the threads share.
  const std::size_t threads = static_cast<std::size_t>(std::max(options.threads, 1));
  const std::size_t at_once =
      std::clamp<std::size_t>((prefixes.size() + threads - 1) / threads, 1, kPrefixesAtOnce);
  std::vector<Continuation> results(prefixes.size());
  ParallelFor(options.threads, (prefixes.size() + at_once - 1) / at_once, [&](std::size_t part) {
    const std::size_t begin = part * at_once;
    std::vector<SentenceTarget> targets;
    for (std::size_t i = begin; i < std::min(begin + at_once, prefixes.size()); ++i) {
      targets.push_back({0, prefixes[i]});
    }
    BatchSearch search(impl.model, config, settings, true, source_ids, targets);
    while (!search.Step()) {
    }
    const std::vector<std::vector<Hypothesis>> found = search.Take(1);
    for (std::size_t i = 0; i < found.size(); ++i) targets[i].ids = found[i][0].ids;
    std::vector<std::vector<float>> probabilities =
        Probabilities(impl.model, config, source_ids, targets);
    for (std::size_t i = 0; i < found.size(); ++i) {
      Continuation& result = results[begin + i];
      result.tokens = impl.TargetTokens(found[i][0].ids, &result.text);
      if (capitals) result.text = InCapitals(result.text);
      result.probabilities = std::move(probabilities[i]);
      result.score = found[i][0].score;
    }
  });
  return results;
}

std::vector<std::vector<float>> Translator::Score(const std::vector<std::string>& texts,
                                                  std::span<const int> target, int threads) const {
  const Impl& impl = *impl_;
  impl.CheckTargetIds(target, "target");
  impl.CheckFits(target.size(), "target");
  std::vector<std::vector<int>> sentences(texts.size());
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const Token& token : impl.SourceTokens(texts[i], "text " + std::to_string(i))) {
      sentences[i].push_back(token.id);
    }
    lengths.push_back(std::max(sentences[i].size(), target.size()));  // what a batch is limited by
  }
  const std::vector<std::vector<std::size_t>> batches = MakeBatches(lengths, threads);
  std::vector<std::vector<float>> results(texts.size());
  ParallelFor(threads, batches.size(), [&](std::size_t b) {
    std::vector<std::vector<int>> ids;
    std::vector<SentenceTarget> targets = OnePerSentence(batches[b].size());
    for (SentenceTarget& each : targets) each.ids.assign(target.begin(), target.end());
    for (const std::size_t i : batches[b]) ids.push_back(sentences[i]);
    std::vector<std::vector<float>> found =
        Probabilities(impl.model, impl.checkpoint.config(), ids, targets);
    for (std::size_t i = 0; i < found.size(); ++i) results[batches[b][i]] = std::move(found[i]);
  });
  return results;
}

}  // namespace translucent
