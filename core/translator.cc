#include "translator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "decode/batches.h"
#include "decode/search.h"
#include "kernels/kernels.h"
#include "nn/transformer.h"
#include "text/sentence_splitter.h"
#include "text/sentencepiece.h"

namespace translucent {
namespace {

/// A sentence ready for the encoder.
struct Sentence {
  std::size_t text = 0;   // index of the text it stands in
  std::size_t begin = 0;  // bytes of that text
  std::size_t end = 0;
  std::vector<int> ids;  // with the end symbol
};

/// For every sentence the first one with the same ids, which it shares the translation of.
std::vector<std::size_t> FindRepeated(std::span<const Sentence> sentences) {
  std::map<std::vector<int>, std::size_t> seen;
  std::vector<std::size_t> first;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    first.push_back(seen.try_emplace(sentences[s].ids, s).first->second);
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

}  // namespace

struct Translator::Impl {
  Checkpoint checkpoint;
  SentencePiece source_pieces;
  SentencePiece target_pieces;
  Transformer model;

  Impl(std::vector<ModelFile> files, std::string_view directory)
      : checkpoint(std::move(files), directory),
        source_pieces(checkpoint.File("source.spm"), checkpoint.PathOf("source.spm")),
        target_pieces(checkpoint.File("target.spm"), checkpoint.PathOf("target.spm")),
        model(checkpoint) {}

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

  std::vector<int> SourceIds(std::string_view sentence) const {
    std::vector<int> ids;
    for (const Token& token : Tokenize(sentence, source_pieces, checkpoint.source_vocabulary())) {
      ids.push_back(token.id);
    }
    ids.push_back(checkpoint.config().eos_token_id);
    return ids;
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
      sentence.ids = SourceIds(text.substr(sentence.begin, size));
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

Translator::Translator(std::vector<ModelFile> files, std::string_view directory)
    : impl_(std::make_unique<Impl>(std::move(files), directory)) {}
Translator::~Translator() = default;
Translator::Translator(Translator&&) noexcept = default;

const Checkpoint& Translator::checkpoint() const { return impl_->checkpoint; }

std::vector<std::vector<Candidate>> Translator::Translate(const std::vector<std::string>& texts,
                                                          const TranslateOptions& options) const {
  const GenerationConfig settings = impl_->Settings(options);
  std::vector<Sentence> sentences;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    impl_->AddSentences(texts[i], i, 0, texts[i].size(), kMaxSentenceBytes, sentences);
  }

  const std::vector<std::size_t> first = FindRepeated(sentences);
  std::vector<std::size_t> distinct, lengths;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    if (first[s] != s) continue;
    distinct.push_back(s);
    lengths.push_back(sentences[s].ids.size());
  }
  const std::vector<std::vector<std::size_t>> batches = MakeBatches(lengths, options.threads);
  std::vector<std::vector<Hypothesis>> translated(sentences.size());
  ParallelFor(options.threads, batches.size(), [&](std::size_t b) {
    std::vector<std::vector<int>> ids;
    for (std::size_t i : batches[b]) ids.push_back(sentences[distinct[i]].ids);
    std::vector<std::vector<Hypothesis>> found = Search(
        impl_->model, impl_->checkpoint.config(), settings, options.nbest, options.scores, ids);
    for (std::size_t i = 0; i < found.size(); ++i) {
      translated[distinct[batches[b][i]]] = std::move(found[i]);
    }
  });

  // Candidates of a text: the best combinations of its sentences' hypotheses.
  std::vector<std::vector<Candidate>> results(texts.size(), {Candidate{}});
  std::vector<std::size_t> copied(texts.size(), 0);  // bytes of each text dealt with
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    const Sentence& sentence = sentences[s];
    const std::string_view text = texts[sentence.text];
    const std::size_t from = std::exchange(copied[sentence.text], sentence.end);
    const std::string_view separator = text.substr(from, sentence.begin - from);
    std::vector<Candidate> own;
    for (const Hypothesis& hypothesis : translated[first[s]]) {
      own.push_back({impl_->Detokenize(hypothesis.ids, nullptr), hypothesis.score});
    }
    std::vector<Candidate> combined;
    for (const Candidate& before : results[sentence.text]) {
      for (const Candidate& after : own) {
        Candidate candidate = {before.text, before.score + after.score};
        candidate.text += SentenceSeparator(before.text, separator, after.text);
        candidate.text += after.text;
        combined.push_back(std::move(candidate));
      }
    }
    std::stable_sort(combined.begin(), combined.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    if (combined.size() > static_cast<std::size_t>(options.nbest)) combined.resize(options.nbest);
    results[sentence.text] = std::move(combined);
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (Candidate& candidate : results[i]) candidate.text += texts[i].substr(copied[i]);
  }
  return results;
}

Explanation Translator::Explain(std::string_view text, const TranslateOptions& options,
                                const std::string* target) const {
  const Impl& impl = *impl_;
  const ModelConfig& config = impl.checkpoint.config();
  const GenerationConfig settings = impl.Settings(options);
  const std::size_t limit = config.max_position_embeddings;

  Explanation result;
  result.source_text = text;
  const Vocabulary& source_vocabulary = impl.checkpoint.source_vocabulary();
  result.source = Impl::Tokenize(text, impl.source_pieces, source_vocabulary);
  result.source.push_back(impl.EndToken(source_vocabulary, text.size()));
  if (result.source.size() > limit) {
    throw Error("text", std::to_string(result.source.size()) + " tokens are more than the " +
                            std::to_string(limit) + " positions of the model");
  }
  std::vector<std::vector<int>> source_ids(1);
  for (const Token& token : result.source) source_ids[0].push_back(token.id);

  const Vocabulary& target_vocabulary = impl.checkpoint.target_vocabulary();
  if (target != nullptr) {
    result.target_text = *target;
    result.target = Impl::Tokenize(*target, impl.target_pieces, target_vocabulary);
    result.target.push_back(impl.EndToken(target_vocabulary, target->size()));
    if (result.target.size() > limit) {
      throw Error("target", std::to_string(result.target.size()) + " tokens are more than the " +
                                std::to_string(limit) + " positions of the model");
    }
  } else {
    const std::vector<int> ids =
        Search(impl.model, config, settings, 1, false, source_ids)[0][0].ids;
    std::vector<std::size_t> ends;
    result.target_text = impl.Detokenize(ids, &ends);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      result.target.push_back(
          {target_vocabulary.tokens[ids[i]], ids[i], i == 0 ? 0 : ends[i - 1], ends[i]});
    }
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
  const MatrixView logits = impl.model.decoder.Logits(
      impl.model.decoder.Forward(inputs, count, source, state, &decoder), workspace);
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    const float log_sum =
        ActiveKernels().log_sum_exp(logits.row(t).data(), static_cast<int>(logits.cols()));
    result.probabilities.push_back(std::exp(logits(t, result.target[t].id) - log_sum));
  }
  result.encoder = ToMaps(encoder);
  result.decoder = ToMaps(decoder.self);
  result.cross = ToMaps(decoder.cross);
  result.alignment = Align(result.cross);
  return result;
}

}  // namespace translucent
