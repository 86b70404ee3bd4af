// Every step of a trace against PyTorch, with everything the walk can switch off; and what must
// hold whatever the numbers are.
#include "trace/trace.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../fixtures.h"
#include "../nn/marian_case.h"
#include "base/error.h"

namespace translucent::test {
namespace {

constexpr float kTraceTolerance = 5e-5f;

/// A traced sentence of tests/fixtures/inside, made by scripts/fixtures/inside.py.
struct TracedCase {
  std::string name;
  std::vector<int> source, target;
  TraceOptions options;
};

nlohmann::json ReadTraces() {
  const auto bytes = ReadFixture("inside/traces.json");
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  return nlohmann::json::parse(begin, begin + bytes.size());
}

std::vector<TracedCase> TracedCases(const nlohmann::json& json) {
  std::vector<TracedCase> cases;
  for (const nlohmann::json& entry : json.at("traces")) {
    TracedCase traced = {entry.at("case"), entry.at("source"), entry.at("target"), {}};
    const auto choice = [&](const char* stack) {
      return Recorder::Choice{entry.at(stack)[0], entry.at(stack)[1]};
    };
    traced.options.encoder = choice("encoder");
    traced.options.decoder = choice("decoder");
    traced.options.padding = entry.at("padding");
    cases.push_back(std::move(traced));
  }
  return cases;
}

Variant ToVariant(const nlohmann::json& json) {
  return {json.value("positions", true), json.value("scaled", true), json.value("causal", true),
          json.value("padding", true)};
}

/// The largest difference of two matrices; where one is infinite the other has to be, too.
float Difference(std::span<const float> a, std::span<const float> b) {
  std::vector<float> x(a.begin(), a.end()), y(b.begin(), b.end());
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (std::isinf(x[i]) && x[i] == y[i]) x[i] = y[i] = 0;
  }
  return MaxDifference(x, y);
}

Trace Run(const MarianCase& c, const TracedCase& traced, const TraceOptions& options) {
  return TraceForward(c.model, c.checkpoint.config(), traced.source, traced.target, options);
}

const RecordedMatrix& Find(const Trace& trace, const std::string& name) {
  const auto found = std::ranges::find(trace.matrices, name, &RecordedMatrix::name);
  REQUIRE_MESSAGE(found != trace.matrices.end(), name);
  return *found;
}

}  // namespace

TEST_CASE("trace: every step is PyTorch's, with and without what can be switched off") {
  const nlohmann::json json = ReadTraces();
  for (const TracedCase& traced : TracedCases(json)) {
    CAPTURE(traced.name);
    const MarianCase c(traced.name);
    const ValuesFile expected("inside/" + traced.name + ".safetensors");
    for (const auto& [label, settings] : json.at("variants").items()) {
      CAPTURE(label);
      TraceOptions options = traced.options;
      options.variant = ToVariant(settings);
      const Trace trace = Run(c, traced, options);
      const Values logits = expected.Get(label + ".all_logits");
      const std::size_t vocabulary = logits.shape[1];
      // Rows of padding mean nothing but where the mask of padding is off.
      const std::size_t length = options.variant.padding ? traced.source.size() : trace.length;
      std::size_t compared = 0;
      for (const RecordedMatrix& matrix : trace.matrices) {
        if (matrix.name == "decoder.logits") continue;
        CAPTURE(matrix.name);
        const Values values = expected.Get(label + "." + matrix.name);
        REQUIRE(values.shape.back() == matrix.cols);
        REQUIRE(values.data.size() == matrix.values.size());
        const bool of_source = matrix.rows == trace.length;
        const std::size_t count = (of_source ? length : matrix.rows) * matrix.cols;
        const auto ours = std::span(matrix.values).first(count);
        const auto theirs = std::span(values.data).first(count);
        const Summary size = Summarize(theirs);  // scores of over 100 are among them
        const float largest = std::max({1.f, -size.min, size.max});
        CHECK(Difference(ours, theirs) <= kTraceTolerance * largest);
        ++compared;
      }
      // 5 of each embedding, 7 and 10 and 2 of a layer's parts, one of each layer and stack.
      const ModelConfig& config = c.checkpoint.config();
      CHECK(compared ==
            2 * 5 + 5 * 5 + 3 * 10 + 2 * 2 + config.encoder_layers + config.decoder_layers + 2);

      REQUIRE(trace.steps.size() == traced.target.size());
      for (std::size_t t = 0; t < trace.steps.size(); ++t) {
        const TraceStep& step = trace.steps[t];
        const std::span<const float> row(&logits.data[t * vocabulary], vocabulary);
        double sum = 0;
        for (const float logit : row) sum += std::exp(static_cast<double>(logit));
        CHECK(std::abs(step.log_sum_exp - std::log(sum)) <= kTraceTolerance);
        CHECK(step.chosen.id == traced.target[t]);
        CHECK(std::abs(step.chosen.probability - std::exp(row[traced.target[t]]) / sum) <= 1e-5);
        CHECK(std::abs(step.chosen.logit - row[traced.target[t]]) <= kTraceTolerance);
        REQUIRE(step.candidates.size() == 10);
        std::vector<float> sorted(row.begin(), row.end());
        std::ranges::sort(sorted, std::greater());
        for (std::size_t i = 0; i < step.candidates.size(); ++i) {
          CHECK(std::abs(step.candidates[i].logit - sorted[i]) <= kTraceTolerance);
          CHECK(std::abs(step.candidates[i].probability - std::exp(sorted[i]) / sum) <= 1e-5);
        }
        CHECK(step.input == (t == 0 ? config.decoder_start_token_id : traced.target[t - 1]));
      }
      CHECK(Difference(Find(trace, "decoder.logits").values,
                       std::span(logits.data).first(vocabulary)) <= kTraceTolerance);
    }
  }
}

TEST_CASE(
    "trace: looking on changes no output, and neither does the sentence beside it, to the bit") {
  const nlohmann::json json = ReadTraces();
  for (const TracedCase& traced : TracedCases(json)) {
    CAPTURE(traced.name);
    const MarianCase c(traced.name);
    const PaddedBatch batch = PaddedBatch::Of({&traced.source, 1}, 0);
    Workspace workspace;
    const Matrix encoded = c.model.encoder.Forward(batch, workspace);
    for (const int padding : {0, traced.options.padding}) {
      TraceOptions options = traced.options;
      options.padding = padding;
      const Trace trace = Run(c, traced, options);
      CHECK(trace.length == static_cast<int>(traced.source.size()) + padding);
      const RecordedMatrix& output = Find(trace, "encoder.output");
      CHECK(std::ranges::equal(std::span(output.values).first(encoded.size()),
                               RowsOf(encoded, 0, encoded.rows())));
    }
  }
}

TEST_CASE("trace: masked places weigh exactly 0, and nothing else does unless it has to") {
  const TracedCase traced = TracedCases(ReadTraces())[0];
  const MarianCase c(traced.name);
  const auto weights = [&](const Variant& variant, const std::string& name) {
    TraceOptions options = traced.options;
    options.variant = variant;
    return Find(Run(c, traced, options), name);
  };
  const std::string self = "decoder.layers.0.self_attention.weights";
  const std::string own = "encoder.layers.1.self_attention.weights";
  const int tokens = static_cast<int>(traced.source.size());
  for (const bool on : {true, false}) {
    const RecordedMatrix past = weights({.causal = on}, self);
    const RecordedMatrix seen = weights({.padding = on}, own);
    for (int i = 0; i < past.rows; ++i) {
      for (int j = i + 1; j < past.cols; ++j) {
        CHECK((past.values[i * past.cols + j] == 0) == on);
      }
    }
    for (int i = 0; i < seen.rows; ++i) {
      for (int j = tokens; j < seen.cols; ++j) {
        CHECK((seen.values[i * seen.cols + j] == 0) == on);
      }
    }
  }
}

// Without positions the model sees a set of words.
TEST_CASE("trace: without positions the encoder's outputs are the same vectors in another order") {
  const nlohmann::json json = ReadTraces();
  for (const TracedCase& traced : TracedCases(json)) {
    CAPTURE(traced.name);
    const MarianCase c(traced.name);
    TracedCase reversed = traced;
    std::ranges::reverse(reversed.source);
    const auto difference = [&](bool positions) {
      TraceOptions options = traced.options;
      options.padding = 0;
      options.variant.positions = positions;
      const RecordedMatrix a = Find(Run(c, traced, options), "encoder.output");
      const RecordedMatrix b = Find(Run(c, reversed, options), "encoder.output");
      float largest = 0;
      for (int i = 0; i < a.rows; ++i) {
        const auto row = [&](const RecordedMatrix& m, int r) {
          return std::span(m.values).subspan(static_cast<std::size_t>(r) * m.cols, m.cols);
        };
        largest = std::max(largest, MaxDifference(row(a, i), row(b, a.rows - 1 - i)));
      }
      return largest;
    };
    CHECK(difference(false) <= 1e-5f);
    CHECK(difference(true) > 0.1f);
  }
}

TEST_CASE("trace: layers, heads and steps that are not there are named") {
  const TracedCase traced = TracedCases(ReadTraces())[0];
  const MarianCase c(traced.name);
  const auto message = [&](auto&& change) -> std::string {
    TraceOptions options = traced.options;
    change(options);
    try {
      Run(c, traced, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message([](TraceOptions& o) { o.encoder.layer = 2; }) ==
        "encoder layer: 2 is not one of 2, counted from 0");
  CHECK(message([](TraceOptions& o) { o.encoder.head = -1; }) ==
        "encoder head: -1 is not one of 4, counted from 0");
  CHECK(message([](TraceOptions& o) { o.decoder.layer = 1; }) ==
        "decoder layer: 1 is not one of 1, counted from 0");
  CHECK(message([](TraceOptions& o) { o.decoder.head = 4; }) ==
        "decoder head: 4 is not one of 4, counted from 0");
  CHECK(
      message([](TraceOptions& o) { o.logits_step = 99; }).starts_with("decoding step: 99 is not"));
  CHECK(message([](TraceOptions& o) { o.padding = -1; }) == "padding: must not be negative");
  CHECK(message([](TraceOptions&) {}) == "");
}

TEST_CASE("trace: greedy search finds what transformers' does") {
  for (const std::string name : {"shared-swish-h4-l2-1", "separate-untied-d36", "pre-norm"}) {
    CAPTURE(name);
    const MarianCase c(name);
    for (const ExpectedSearch& search : c.searches) {
      if (search.name != "greedy") continue;
      for (std::size_t i = 0; i < c.sources.size(); ++i) {
        CHECK(WriteGreedily(c.model, c.checkpoint.config(), search.settings, c.sources[i], {},
                            static_cast<int>(i % 3)) == search.results[i][0].ids);
      }
    }
  }
}

TEST_CASE("trace: summaries and histograms") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-1, 0, 0, 3, 8, -infinity};
  const Summary summary = Summarize(values);
  CHECK(summary.min == -1);
  CHECK(summary.max == 8);
  CHECK(summary.mean == 2);
  CHECK(summary.deviation == doctest::Approx(std::sqrt((9 + 4 + 4 + 1 + 36) / 5.0)));
  CHECK(Summarize({}).max == 0);
  CHECK(Histogram(values, -1, 3, 4) == std::vector<int>{1, 2, 0, 1});
  CHECK(Histogram(values, 2, 2, 3) == std::vector<int>{0, 0, 0});
}

TEST_CASE("trace: products of positions are PyTorch's and depend on the distance alone") {
  const ValuesFile expected("inside/functions.safetensors");
  for (const int d : {16, 21}) {
    CAPTURE(d);
    const std::vector<float> products = PositionProducts(d, std::vector<int>{0, 3, 50}, 40);
    CHECK(MaxDifference(products, expected.Get("products." + std::to_string(d)).data) <= 1e-5f);
    if (d % 2 != 0) continue;  // a sine without its cosine
    for (int k = 0; k < 40; ++k) {
      CHECK(std::abs(products[k] - products[40 + k]) <= 1e-5f);
      CHECK(std::abs(products[k] - products[80 + k]) <= 1e-5f);
    }
    CHECK(products[0] == doctest::Approx(d / 2));
  }
}

}  // namespace translucent::test
