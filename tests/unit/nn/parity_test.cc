// Encoder output, attention maps and logits against transformers, and what must not change them.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "marian_case.h"

namespace translucent::test {
namespace {

constexpr float kTolerance = 5e-5f;

int Size(const std::vector<int>& ids) { return static_cast<int>(ids.size()); }

/// Everything one forward pass yields.
struct Forward {
  PaddedBatch batch;
  Matrix encoded;
  AttentionRecord encoder;
  int count = 0;  // target positions of each row
  Matrix hidden;  // [rows, count, d_model]
  Matrix logits;  // [rows, count, vocabulary]
  DecoderRecord decoder;
};

/// Teacher forcing: targets[i] is fed to a row of its own over sentence i, padded to the longest.
Forward Run(const MarianCase& c, std::span<const std::vector<int>> sources,
            std::span<const std::vector<int>> targets, bool record = true) {
  const int pad = c.checkpoint.config().pad_token_id;
  Forward run;
  run.batch = PaddedBatch::Of(sources, pad);
  Workspace workspace;
  run.encoded = c.model.encoder.Forward(run.batch, workspace, record ? &run.encoder : nullptr);
  const SourceMemory memory = c.model.decoder.Remember(View(run.encoded), run.batch, workspace);
  std::vector<int> sentences(sources.size());
  std::iota(sentences.begin(), sentences.end(), 0);
  DecoderState state = c.model.decoder.Start(sentences, memory, 1);  // grows when it must
  const PaddedBatch padded = PaddedBatch::Of(targets, pad);
  run.count = padded.length;
  run.hidden = c.model.decoder.Forward(padded.ids, padded.length, memory, state,
                                       record ? &run.decoder : nullptr);
  run.logits = c.model.decoder.Logits(View(run.hidden), workspace);
  return run;
}

/// The weights [layers, heads, queries, keys] of one row, cut to a sentence's own size.
std::vector<float> MapsOf(const AttentionRecord& record, int row, int queries, int keys) {
  std::vector<float> maps;
  for (const std::vector<float>& layer : record.layers) {
    for (int head = 0; head < record.heads; ++head) {
      for (int query = 0; query < queries; ++query) {
        const std::size_t start =
            ((static_cast<std::size_t>(row) * record.heads + head) * record.queries + query) *
            record.keys;
        maps.insert(maps.end(), layer.begin() + start, layer.begin() + start + keys);
      }
    }
  }
  return maps;
}

void CheckRow(const MarianCase& c, const Forward& run, int row, std::size_t sentence) {
  const int source = Size(c.sources[sentence]);
  const int target = Size(c.targets[sentence]);
  CAPTURE(sentence);
  const auto encoded = RowsOf(run.encoded, row * run.batch.length, source);
  CHECK(MaxDifference(encoded, c.Expected(sentence, "encoded").data) <= kTolerance);
  CHECK(MaxDifference(MapsOf(run.encoder, row, source, source),
                      c.Expected(sentence, "encoder_attention").data) <= kTolerance);
  CHECK(MaxDifference(MapsOf(run.decoder.self, row, target, target),
                      c.Expected(sentence, "decoder_attention").data) <= kTolerance);
  CHECK(MaxDifference(MapsOf(run.decoder.cross, row, target, source),
                      c.Expected(sentence, "cross_attention").data) <= kTolerance);
  CHECK(MaxDifference(RowsOf(run.logits, row * run.count, target),
                      c.Expected(sentence, "logits").data) <= kTolerance);
}

bool Same(std::span<const float> a, std::span<const float> b) { return std::ranges::equal(a, b); }
bool Same(const Matrix& a, const Matrix& b) { return a.rows() == b.rows() && a == b; }

/// Every row of `record` (padding aside) sums to 1, and only keys before visible(row, query) weigh.
template <class Visible>
void CheckWeights(const AttentionRecord& record, std::span<const int> queries, Visible visible) {
  float sum_error = 0;
  int masked = 0, leaks = 0, negative = 0;
  for (const std::vector<float>& layer : record.layers) {
    REQUIRE(layer.size() ==
            static_cast<std::size_t>(record.rows) * record.heads * record.queries * record.keys);
    for (int row = 0; row < record.rows; ++row) {
      for (int head = 0; head < record.heads; ++head) {
        for (int query = 0; query < queries[row]; ++query) {
          const float* weights =
              &layer[((static_cast<std::size_t>(row) * record.heads + head) * record.queries +
                      query) *
                     record.keys];
          float sum = 0;
          for (int key = 0; key < record.keys; ++key) {
            sum += weights[key];
            negative += weights[key] < 0;
            if (key < visible(row, query)) continue;
            ++masked;
            leaks += weights[key] != 0;
          }
          sum_error = std::max(sum_error, std::abs(sum - 1));
        }
      }
    }
  }
  CHECK(sum_error <= 1e-5f);
  CHECK(masked > 0);
  CHECK(leaks == 0);
  CHECK(negative == 0);
}

}  // namespace

TEST_CASE("nn: encoder output, attention maps and logits are transformers', each sentence alone") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    for (std::size_t i = 0; i < c.targets.size(); ++i) {
      CheckRow(c, Run(c, {&c.sources[i], 1}, {&c.targets[i], 1}), 0, i);
    }
  }
}

TEST_CASE("nn: encoder output, attention maps and logits are transformers' in a padded batch") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    const Forward run = Run(c, std::span(c.sources).first(c.targets.size()), c.targets);
    for (std::size_t i = 0; i < c.targets.size(); ++i) CheckRow(c, run, static_cast<int>(i), i);

    const PaddedBatch batch = PaddedBatch::Of(c.sources, c.checkpoint.config().pad_token_id);
    Workspace workspace;
    const Matrix encoded = c.model.encoder.Forward(batch, workspace);
    for (std::size_t i = 0; i < c.sources.size(); ++i) {
      CAPTURE(i);
      CHECK(MaxDifference(RowsOf(encoded, i * batch.length, batch.lengths[i]),
                          c.Expected(i, "encoded").data) <= kTolerance);
    }
  }
}

TEST_CASE("nn: a target fed step by step through the KV cache equals the whole target at once") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    Forward whole = Run(c, std::span(c.sources).first(c.targets.size()), c.targets);
    Workspace workspace;
    const SourceMemory memory =
        c.model.decoder.Remember(View(whole.encoded), whole.batch, workspace);
    const int rows = static_cast<int>(c.targets.size());
    const PaddedBatch target = PaddedBatch::Of(c.targets, c.checkpoint.config().pad_token_id);
    for (const int step : {1, 3}) {
      CAPTURE(step);
      DecoderState state = c.model.decoder.Start({0, 1, 2, 3, 4}, memory, 2);
      for (int begin = 0; begin < target.length; begin += step) {
        CAPTURE(begin);
        const int count = std::min(step, target.length - begin);
        std::vector<int> ids;
        for (int row = 0; row < rows; ++row) {
          const auto first = target.ids.begin() + row * target.length + begin;
          ids.insert(ids.end(), first, first + count);
        }
        DecoderRecord record;
        const Matrix hidden = c.model.decoder.Forward(ids, count, memory, state, &record);
        CHECK(state.position == begin + count);
        CHECK(record.self.keys == begin + count);
        for (int row = 0; row < rows; ++row) {
          CHECK(Same(RowsOf(hidden, row * count, count),
                     RowsOf(whole.hidden, row * target.length + begin, count)));
          // The last of these steps sees what its row of the whole causal map saw.
          const std::vector<float> cached = MapsOf(record.self, row, count, begin + count);
          const std::vector<float> full =
              MapsOf(whole.decoder.self, row, target.length, target.length);
          const std::size_t heads = cached.size() / (count * (begin + count));
          for (std::size_t head = 0; head < heads; ++head) {
            const std::span<const float> a(&cached[(head * count + count - 1) * (begin + count)],
                                           begin + count);
            const std::span<const float> b(
                &full[(head * target.length + begin + count - 1) * target.length], begin + count);
            CHECK(Same(a, b));
          }
        }
      }
    }
  }
}

TEST_CASE("nn: attention rows sum to 1 and masked places are exactly 0") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    const Forward run = Run(c, std::span(c.sources).first(c.targets.size()), c.targets);
    std::vector<int> target_lengths;
    for (const auto& target : c.targets) target_lengths.push_back(Size(target));
    const auto source_keys = [&](int row, int) { return run.batch.lengths[row]; };
    CheckWeights(run.encoder, run.batch.lengths, source_keys);
    CheckWeights(run.decoder.cross, target_lengths, source_keys);
    CheckWeights(run.decoder.self, target_lengths, [](int, int query) { return query + 1; });
  }
}

TEST_CASE("nn: recording attention changes no output, to the bit") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    const auto sources = std::span(c.sources).first(c.targets.size());
    const Forward recorded = Run(c, sources, c.targets, true);
    const Forward plain = Run(c, sources, c.targets, false);
    CHECK(Same(recorded.encoded, plain.encoded));
    CHECK(Same(recorded.hidden, plain.hidden));
    CHECK(Same(recorded.logits, plain.logits));
  }
}

TEST_CASE("nn: what else is in the batch changes no output, to the bit") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    const std::size_t count = c.targets.size();
    std::vector<std::vector<int>> sources(c.sources.begin(), c.sources.begin() + count);
    std::vector<std::vector<int>> targets = c.targets;
    const Forward together = Run(c, sources, targets);
    std::reverse(sources.begin(), sources.end());
    std::reverse(targets.begin(), targets.end());
    sources.push_back(c.sources.back());  // and another beside them
    targets.push_back(targets[1]);
    const Forward reversed = Run(c, sources, targets);
    for (std::size_t i = 0; i < count; ++i) {
      CAPTURE(i);
      const Forward alone = Run(c, {&c.sources[i], 1}, {&c.targets[i], 1});
      const int source = Size(c.sources[i]), target = Size(c.targets[i]);
      const auto check = [&](const Forward& batch, int row) {
        CHECK(Same(RowsOf(alone.encoded, 0, source),
                   RowsOf(batch.encoded, row * batch.batch.length, source)));
        CHECK(
            Same(RowsOf(alone.logits, 0, target), RowsOf(batch.logits, row * batch.count, target)));
        CHECK(Same(MapsOf(alone.encoder, 0, source, source),
                   MapsOf(batch.encoder, row, source, source)));
        CHECK(Same(MapsOf(alone.decoder.self, 0, target, target),
                   MapsOf(batch.decoder.self, row, target, target)));
        CHECK(Same(MapsOf(alone.decoder.cross, 0, target, source),
                   MapsOf(batch.decoder.cross, row, target, source)));
      };
      check(together, static_cast<int>(i));
      check(reversed, static_cast<int>(count - 1 - i));
    }
  }
}

TEST_CASE("nn: decoder rows may share a sentence, and be dropped, repeated and reordered") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    const PaddedBatch batch =
        PaddedBatch::Of(std::span(c.sources).first(4), c.checkpoint.config().pad_token_id);
    const Decoder& decoder = c.model.decoder;
    Workspace workspace;
    const SourceMemory memory =
        decoder.Remember(c.model.encoder.Forward(batch, workspace), batch, workspace);
    const auto feed = [&](DecoderState& state, std::vector<int> ids) {
      return decoder.Forward(ids, 1, memory, state);
    };
    DecoderState state = decoder.Start({0, 0, 2, 3}, memory, 3);
    feed(state, {2, 2, 2, 2});
    feed(state, {5, 6, 7, 8});
    const std::vector<int> kept = {3, 1, 1, 0};
    state.Select(kept);
    CHECK(state.sentences == std::vector<int>{3, 0, 0, 0});
    feed(state, {9, 10, 11, 12});
    const Matrix hidden = feed(state, {13, 14, 15, 16});

    // Each row as it would have gone by itself.
    const std::vector<int> histories[] = {
        {2, 8, 9, 13}, {2, 6, 10, 14}, {2, 6, 11, 15}, {2, 5, 12, 16}};
    for (int row = 0; row < 4; ++row) {
      CAPTURE(row);
      DecoderState alone = decoder.Start({state.sentences[row]}, memory, 4);
      const Matrix whole = decoder.Forward(histories[row], 4, memory, alone);
      CHECK(Same(RowsOf(hidden, row, 1), RowsOf(whole, 3, 1)));
    }
  }
}

}  // namespace translucent::test
