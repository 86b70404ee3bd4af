#include "decode/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "kernels/kernels.h"

namespace translucent {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

/// Calls visit(i), in order, for the i at which above(x[i]) holds. above may only become stricter
/// while visiting. Most values are told to be below by a loop without branches over a whole block.
template <class Above, class Visit>
void ForEachAbove(std::span<const float> x, Above above, Visit visit) {
  constexpr std::size_t kBlock = 64;
  for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, x.size());
    int any = 0;
    for (std::size_t i = begin; i < end; ++i) any |= above(x[i]);
    if (any == 0) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (above(x[i])) visit(i);
    }
  }
}

/// The first of the largest values; index -1 where all are minus infinity.
ArgMax FindLargest(std::span<const float> x) {
  ArgMax best = {-1, kForbidden};
  ForEachAbove(
      x, [&](float value) { return value > best.value; },
      [&](std::size_t i) { best = {static_cast<int>(i), x[i]}; });
  return best;
}

/// The rules of one search, the same for every sentence.
struct Rules {
  const GenerationConfig& settings;
  int start;
  int eos;

  /// `ids` holds the start symbol too, as max_length counts it.
  bool AtMaxLength(std::size_t ids) const {
    return ids >= static_cast<std::size_t>(settings.max_length);
  }

  /// The only id that may follow `ids` ids, with probability 1; -1 where the model decides.
  int ForcedId(std::size_t ids) const {
    return AtMaxLength(ids + 1) ? settings.forced_eos_token_id : -1;
  }

  float LengthPenalty(std::size_t generated) const {
    return std::pow(static_cast<float>(generated), settings.length_penalty);
  }

  /// Makes the logits [vocabulary] of ids that may not follow `ids` minus infinity.
  void Forbid(const std::vector<int>& ids, std::span<float> logits) const {
    for (const std::vector<int>& word : settings.bad_words_ids) {
      const std::size_t prefix = word.size() - 1;
      if (IsEnd(word)) continue;
      if (ids.size() >= prefix && std::equal(word.begin(), word.end() - 1, ids.end() - prefix)) {
        logits[word.back()] = kForbidden;
      }
    }
  }

  /// The same, and returns what to subtract from a logit for its log-probability.
  float ForbidAndSum(const std::vector<int>& ids, std::span<float> logits) const {
    const int size = static_cast<int>(logits.size());
    const auto log_sum = [&] { return ActiveKernels().log_sum_exp(logits.data(), size); };
    const float before = settings.renormalize_logits ? 0.f : log_sum();
    Forbid(ids, logits);
    return settings.renormalize_logits ? log_sum() : before;
  }

  /// Whether the same ids are forbidden wherever a target stands.
  bool ForbidsAlike() const {
    return std::ranges::all_of(settings.bad_words_ids,
                               [](const auto& word) { return word.size() == 1; });
  }

 private:
  /// A ban of the end symbol, which transformers ignores.
  bool IsEnd(const std::vector<int>& word) const { return word.size() == 1 && word[0] == eos; }
};

/// A target under way; `ids` begins with the start symbol.
struct Running {
  std::vector<int> ids;
  float score = 0;  // sum of log-probabilities
};

Hypothesis Finish(Running target, const Rules& rules) {
  target.ids.erase(target.ids.begin());
  const float score = target.score / rules.LengthPenalty(target.ids.size());
  return {std::move(target.ids), score};
}

std::vector<int> Iota(int n) {
  std::vector<int> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

[[noreturn]] void ThrowNothingAllowed() {
  throw Error("bad_words_ids", "forbid every token that could follow");
}

std::span<float> Row(MatrixView m, std::size_t row) {
  return {m.row(static_cast<Eigen::Index>(row)).data(), static_cast<std::size_t>(m.cols())};
}

/// The autoregressive loop's state: the decoder, and the targets of its rows.
struct Targets {
  DecoderState state;
  std::vector<Running> rows;
  std::vector<int> last_ids;  // [rows]

  /// One target for each sentence, with room for the ids a target usually gets.
  Targets(const Decoder& decoder, const SourceMemory& source, const Rules& rules)
      : state(decoder.Start(Iota(static_cast<int>(source.lengths.size())), source,
                            UsualLength(source, rules))) {
    rows.resize(source.lengths.size());
    for (Running& row : rows) {
      row.ids.reserve(UsualLength(source, rules));
      row.ids.push_back(rules.start);
    }
    last_ids.reserve(rows.size());
  }

  /// All targets under way have the same length.
  std::size_t length() const { return rows[0].ids.size(); }

  /// Hidden states [rows, d_model] of the next position.
  MatrixView Step(const Decoder& decoder, const SourceMemory& source) {
    last_ids.clear();
    for (const Running& row : rows) last_ids.push_back(row.ids.back());
    return decoder.Forward(last_ids, 1, source, state);
  }

 private:
  static int UsualLength(const SourceMemory& source, const Rules& rules) {
    return std::min(rules.settings.max_length, 2 * source.index.length() + 16);
  }
};

std::vector<std::vector<Hypothesis>> GreedySearch(const Decoder& decoder,
                                                  const SourceMemory& source, const Rules& rules,
                                                  bool scores) {
  std::vector<std::vector<Hypothesis>> results(source.lengths.size());
  for (auto& result : results) result.reserve(1);
  Targets targets(decoder, source, rules);
  std::vector<Running>& rows = targets.rows;
  std::vector<ArgMax> best(rows.size());
  std::vector<int> kept;  // rows that go on: finished sentences leave the batch
  kept.reserve(rows.size());

  // Where nobody asks for probabilities and forbidden ids are always the same, the largest logit is
  // all there is to know.
  const bool only_best = !scores && decoder.finds_best() && rules.ForbidsAlike();
  std::vector<float> bias;
  if (only_best) {
    bias.assign(decoder.vocabulary_size(), 0.f);
    if (decoder.bias() != nullptr) std::copy_n(decoder.bias(), bias.size(), bias.begin());
    rules.Forbid({}, bias);
  }

  while (!rows.empty()) {
    const int forced = rules.ForcedId(targets.length());
    if (forced >= 0) {
      std::fill(best.begin(), best.end(), ArgMax{forced, 0.f});
    } else if (only_best) {
      decoder.FindBest(targets.Step(decoder, source), bias.data(), targets.state.workspace,
                       best.data());
    } else {
      const MatrixView logits =
          decoder.Logits(targets.Step(decoder, source), targets.state.workspace);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const float log_sum = rules.ForbidAndSum(rows[r].ids, Row(logits, r));
        best[r] = FindLargest(Row(logits, r));
        best[r].value -= log_sum;
      }
    }
    kept.clear();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (best[r].index < 0) ThrowNothingAllowed();
      rows[r].ids.push_back(best[r].index);
      if (scores) rows[r].score += best[r].value;
      if (best[r].index == rules.eos || rules.AtMaxLength(rows[r].ids.size())) {
        results[targets.state.sentences[r]].push_back(Finish(std::move(rows[r]), rules));
      } else {
        if (kept.size() < r) rows[kept.size()] = std::move(rows[r]);
        kept.push_back(static_cast<int>(r));
      }
    }
    if (kept.size() == rows.size()) continue;
    targets.state.Select(kept);
    rows.resize(kept.size());
  }
  return results;
}

/// One way to go on: `row` (of the whole batch) followed by `id`.
struct Continuation {
  float score = 0;
  int row = 0;
  int id = 0;
};

/// Best first; on equal scores the lower row, then the lower id.
bool Better(const Continuation& a, const Continuation& b) { return a.score > b.score; }

/// The `count` best continuations of rows [begin, end), best first, into `best`. logits
/// [rows, vocabulary]; where the next id is `forced`, they are not looked at.
void FindBestContinuations(MatrixView logits, int forced, std::span<const Running> rows, int begin,
                           int end, std::size_t count, const Rules& rules,
                           std::vector<Continuation>& best) {
  best.clear();
  const auto add = [&](const Continuation& next) {
    if (best.size() == count) best.pop_back();
    best.insert(std::upper_bound(best.begin(), best.end(), next, Better), next);
  };
  for (int row = begin; row < end; ++row) {
    const float score = rows[row].score;
    if (forced >= 0) {
      if (best.size() < count || score > best.back().score) add({score, row, forced});
      continue;
    }
    const std::span<float> next = Row(logits, row);
    const float log_sum = rules.ForbidAndSum(rows[row].ids, next);
    // Whatever is not forbidden is above minus infinity: until there are `count`, all are taken.
    float worst = best.size() == count ? best.back().score : kForbidden;
    ForEachAbove(
        next, [&](float logit) { return score + (logit - log_sum) > worst; },
        [&](std::size_t id) {
          add({score + (next[id] - log_sum), row, static_cast<int>(id)});
          if (best.size() == count) worst = best.back().score;
        });
  }
  if (best.empty()) ThrowNothingAllowed();
}

/// Beam search of one sentence; the decoder runs all sentences' rows together.
class Beam {
 public:
  Beam(const Rules& rules) : rules_(rules) {}

  /// Takes the 2 * num_beams best continuations of this sentence's rows, best first: those that end
  /// are finished if they are among the best num_beams; the best num_beams others run on and are
  /// appended to `running`, none when the sentence is done.
  void Advance(std::span<const Continuation> best, std::span<const Running> rows,
               std::vector<Continuation>& running) {
    const std::size_t beams = rules_.settings.num_beams;
    const std::size_t first = running.size();
    for (std::size_t i = 0; i < best.size(); ++i) {
      const Running& row = rows[best[i].row];
      if (best[i].id != rules_.eos && !rules_.AtMaxLength(row.ids.size() + 1)) {
        if (running.size() < first + beams) running.push_back(best[i]);
      } else if (i < beams) {
        Running target = row;
        target.ids.push_back(best[i].id);
        target.score = best[i].score;
        AddFinished(Finish(std::move(target), rules_));
      }
    }
    if (running.size() == first) return;
    const Continuation& strongest = running[first];
    if (!Improvable(strongest.score, rows[strongest.row].ids.size())) running.resize(first);
  }

  std::vector<Hypothesis> TakeBest(int nbest) {
    finished_.resize(std::min<std::size_t>(finished_.size(), nbest));
    return std::move(finished_);
  }

 private:
  void AddFinished(Hypothesis hypothesis) {
    const auto better = [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; };
    finished_.insert(std::upper_bound(finished_.begin(), finished_.end(), hypothesis, better),
                     std::move(hypothesis));
    const std::size_t beams = rules_.settings.num_beams;
    if (finished_.size() > beams) finished_.resize(beams);
  }

  /// Whether a target under way, the best with `score` over `generated` ids, may still beat the
  /// worst finished one (transformers' rule for early_stopping).
  bool Improvable(float score, std::size_t generated) const {
    const GenerationConfig& settings = rules_.settings;
    if (finished_.size() < static_cast<std::size_t>(settings.num_beams)) return true;
    if (settings.early_stopping) return false;
    if (settings.never_stop_early && settings.length_penalty > 0) {
      generated = settings.max_length - 1;  // a positive penalty favours long targets
    }
    return score / rules_.LengthPenalty(generated) > finished_.back().score;
  }

  const Rules& rules_;
  std::vector<Hypothesis> finished_;  // best first, at most num_beams
};

std::vector<std::vector<Hypothesis>> BeamSearch(const Decoder& decoder, const SourceMemory& source,
                                                const Rules& rules, int nbest) {
  std::vector<Beam> beams(source.lengths.size(), Beam(rules));
  // Rows of one sentence stay together. Each begins with a single row: equal ones would only yield
  // equal continuations.
  Targets targets(decoder, source, rules);
  std::vector<Running>& rows = targets.rows;
  std::vector<Continuation> best;     // of one sentence
  std::vector<Continuation> running;  // of all sentences
  std::vector<Running> next_rows;
  std::vector<int> kept;

  while (!rows.empty()) {
    const int forced = rules.ForcedId(targets.length());
    const MatrixView logits =
        forced >= 0 ? MatrixView(nullptr, 0, 0)
                    : decoder.Logits(targets.Step(decoder, source), targets.state.workspace);
    running.clear();
    for (int begin = 0, end = 0; begin < static_cast<int>(rows.size()); begin = end) {
      const int sentence = targets.state.sentences[begin];
      while (end < static_cast<int>(rows.size()) && targets.state.sentences[end] == sentence) ++end;
      FindBestContinuations(logits, forced, rows, begin, end, 2 * rules.settings.num_beams, rules,
                            best);
      beams[sentence].Advance(best, rows, running);
    }
    kept.clear();
    next_rows.resize(running.size());
    for (std::size_t r = 0; r < running.size(); ++r) {
      kept.push_back(running[r].row);
      next_rows[r].ids = rows[running[r].row].ids;
      next_rows[r].ids.push_back(running[r].id);
      next_rows[r].score = running[r].score;
    }
    targets.state.Select(kept);
    rows.swap(next_rows);
  }

  std::vector<std::vector<Hypothesis>> results;
  for (Beam& beam : beams) results.push_back(beam.TakeBest(nbest));
  return results;
}

}  // namespace

std::vector<std::vector<Hypothesis>> Search(const Transformer& model, const ModelConfig& config,
                                            const GenerationConfig& settings, int nbest,
                                            bool scores,
                                            std::span<const std::vector<int>> sentences) {
  if (sentences.empty()) return {};
  const SourceMemory source = [&] {
    const PaddedBatch batch = PaddedBatch::Of(sentences, config.pad_token_id);
    Workspace workspace;  // the encoder's, which is larger than what decoding needs
    return model.decoder.Remember(model.encoder.Forward(batch, workspace), batch, workspace);
  }();
  const Rules rules = {settings, config.decoder_start_token_id, config.eos_token_id};
  if (settings.num_beams == 1) return GreedySearch(model.decoder, source, rules, scores);
  return BeamSearch(model.decoder, source, rules, nbest);
}

}  // namespace translucent
