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

/// The rules of one search, the same for every sentence.
struct Rules {
  const GenerationConfig& settings;
  int start;
  int eos;

  /// `ids` holds the start symbol too, as max_length counts it.
  bool AtMaxLength(std::size_t ids) const {
    return ids >= static_cast<std::size_t>(settings.max_length);
  }

  float LengthPenalty(std::size_t generated) const {
    return std::pow(static_cast<float>(generated), settings.length_penalty);
  }

  /// Makes logits [vocabulary] log-probabilities of the id that follows `ids`, those that may not
  /// follow at minus infinity.
  void ToLogProbabilities(const std::vector<int>& ids, std::span<float> logits) const {
    if (settings.forced_eos_token_id >= 0 && AtMaxLength(ids.size() + 1)) {
      std::fill(logits.begin(), logits.end(), kForbidden);
      logits[settings.forced_eos_token_id] = 0.f;
      return;
    }
    Normalize(logits);
    for (const std::vector<int>& word : settings.bad_words_ids) {
      const std::size_t prefix = word.size() - 1;
      if (prefix == 0 && word[0] == eos) continue;  // transformers ignores a ban of the end, too
      if (ids.size() >= prefix && std::equal(word.begin(), word.end() - 1, ids.end() - prefix)) {
        logits[word.back()] = kForbidden;
      }
    }
    if (settings.renormalize_logits) Normalize(logits);
  }

 private:
  static void Normalize(std::span<float> logits) {
    const float log_sum =
        ActiveKernels().log_sum_exp(logits.data(), static_cast<int>(logits.size()));
    for (float& logit : logits) logit -= log_sum;
  }
};

/// A target under way; `ids` begins with the start symbol.
struct Running {
  std::vector<int> ids;
  float score = 0;  // sum of log-probabilities
};

Hypothesis Finish(const Running& target, const Rules& rules) {
  std::vector<int> ids(target.ids.begin() + 1, target.ids.end());
  const float score = target.score / rules.LengthPenalty(ids.size());
  return {std::move(ids), score};
}

std::vector<int> Iota(int n) {
  std::vector<int> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

[[noreturn]] void ThrowNothingAllowed() {
  throw Error("bad_words_ids", "forbid every token that could follow");
}

/// The decoder over all rows under way: one step of the autoregressive loop.
Matrix NextLogits(const Decoder& decoder, const SourceMemory& source, DecoderState& state,
                  std::span<const Running> rows) {
  std::vector<int> last;
  for (const Running& row : rows) last.push_back(row.ids.back());
  return decoder.Logits(decoder.Forward(last, 1, source, state));
}

std::span<float> Row(Matrix& m, std::size_t row) {
  return {m.row(static_cast<Eigen::Index>(row)).data(), static_cast<std::size_t>(m.cols())};
}

std::vector<std::vector<Hypothesis>> GreedySearch(const Decoder& decoder,
                                                  const SourceMemory& source, const Rules& rules) {
  const int sentences = static_cast<int>(source.lengths.size());
  std::vector<std::vector<Hypothesis>> results(sentences);
  DecoderState state = decoder.Start(Iota(sentences));
  std::vector<Running> rows(sentences, Running{{rules.start}, 0.f});

  while (!rows.empty()) {
    Matrix logits = NextLogits(decoder, source, state, rows);
    std::vector<int> kept;  // rows that go on: finished sentences leave the batch
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::span<float> scores = Row(logits, r);
      rules.ToLogProbabilities(rows[r].ids, scores);
      const auto best = std::max_element(scores.begin(), scores.end());
      if (*best == kForbidden) ThrowNothingAllowed();
      const int id = static_cast<int>(best - scores.begin());
      rows[r].ids.push_back(id);
      rows[r].score += *best;
      if (id == rules.eos || rules.AtMaxLength(rows[r].ids.size())) {
        results[state.sentences[r]].push_back(Finish(rows[r], rules));
      } else {
        kept.push_back(static_cast<int>(r));
      }
    }
    if (kept.size() == rows.size()) continue;
    state.Select(kept);
    std::vector<Running> going_on;
    for (int row : kept) going_on.push_back(std::move(rows[row]));
    rows = std::move(going_on);
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

/// The `count` best continuations of rows [begin, end).
std::vector<Continuation> BestContinuations(Matrix& logits, std::span<const Running> rows,
                                            int begin, int end, int count, const Rules& rules) {
  std::vector<Continuation> best;  // sorted, at most `count`
  for (int row = begin; row < end; ++row) {
    const std::span<float> scores = Row(logits, row);
    rules.ToLogProbabilities(rows[row].ids, scores);
    for (std::size_t id = 0; id < scores.size(); ++id) {
      const Continuation next = {rows[row].score + scores[id], row, static_cast<int>(id)};
      if (scores[id] == kForbidden) continue;
      if (static_cast<int>(best.size()) == count) {
        if (!Better(next, best.back())) continue;
        best.pop_back();
      }
      best.insert(std::upper_bound(best.begin(), best.end(), next, Better), next);
    }
  }
  if (best.empty()) ThrowNothingAllowed();
  return best;
}

/// Beam search of one sentence; the decoder runs all sentences' rows together.
class Beam {
 public:
  Beam(const Rules& rules) : rules_(rules) {}

  /// Takes the 2 * num_beams best continuations of this sentence's rows, best first: those that end
  /// are finished if they are among the best num_beams; the best num_beams others run on. Returns
  /// the rows that go on, none when the sentence is done.
  std::vector<Continuation> Advance(const std::vector<Continuation>& best,
                                    std::span<const Running> rows) {
    const std::size_t beams = rules_.settings.num_beams;
    std::vector<Continuation> running;
    for (std::size_t i = 0; i < best.size(); ++i) {
      const Running& row = rows[best[i].row];
      if (best[i].id != rules_.eos && !rules_.AtMaxLength(row.ids.size() + 1)) {
        if (running.size() < beams) running.push_back(best[i]);
      } else if (i < beams) {
        Running target = row;
        target.ids.push_back(best[i].id);
        target.score = best[i].score;
        AddFinished(Finish(target, rules_));
      }
    }
    if (running.empty() || !Improvable(running[0].score, rows[running[0].row].ids.size()))
      return {};
    return running;
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
  const int sentences = static_cast<int>(source.lengths.size());
  std::vector<Beam> beams(sentences, Beam(rules));
  // Rows of one sentence stay together. Each begins with a single row: equal ones would only yield
  // equal continuations.
  DecoderState state = decoder.Start(Iota(sentences));
  std::vector<Running> rows(sentences, Running{{rules.start}, 0.f});

  while (!rows.empty()) {
    Matrix logits = NextLogits(decoder, source, state, rows);
    std::vector<int> kept;
    std::vector<Running> next_rows;
    for (int begin = 0, end = 0; begin < static_cast<int>(rows.size()); begin = end) {
      const int sentence = state.sentences[begin];
      while (end < static_cast<int>(rows.size()) && state.sentences[end] == sentence) ++end;
      const std::vector<Continuation> best =
          BestContinuations(logits, rows, begin, end, 2 * rules.settings.num_beams, rules);
      for (const Continuation& next : beams[sentence].Advance(best, rows)) {
        kept.push_back(next.row);
        Running& target = next_rows.emplace_back(rows[next.row]);
        target.ids.push_back(next.id);
        target.score = next.score;
      }
    }
    state.Select(kept);
    rows = std::move(next_rows);
  }

  std::vector<std::vector<Hypothesis>> results;
  for (Beam& beam : beams) results.push_back(beam.TakeBest(nbest));
  return results;
}

}  // namespace

std::vector<std::vector<Hypothesis>> Search(const Transformer& model, const ModelConfig& config,
                                            const GenerationConfig& settings, int nbest,
                                            std::span<const std::vector<int>> sentences) {
  if (sentences.empty()) return {};
  const PaddedBatch batch = PaddedBatch::Of(sentences, config.pad_token_id);
  const SourceMemory source = model.decoder.Remember(model.encoder.Forward(batch), batch);
  const Rules rules = {settings, config.decoder_start_token_id, config.eos_token_id};
  if (settings.num_beams == 1) return GreedySearch(model.decoder, source, rules);
  return BeamSearch(model.decoder, source, rules, nbest);
}

}  // namespace translucent
