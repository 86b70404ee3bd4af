// Similarity functions, their cost, and the two encoders of the race against PyTorch.
#include "trace/similarity.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "../nn/marian_case.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "trace/race.h"
#include "trace/random.h"

namespace translucent::test {
namespace {

const ValuesFile& Functions() {
  static const ValuesFile file("inside/functions.safetensors");
  return file;
}

}  // namespace

TEST_CASE("similarity: random numbers are those of the fixtures' script") {
  CHECK(MaxDifference(Random(7).Normals(64), Functions().Get("normals").data) <= 1e-6f);
  CHECK(Random(8).Normals(64) != Random(7).Normals(64));
}

TEST_CASE("similarity: scores and weights are PyTorch's") {
  for (const int d : {1, 7, 16, 33}) {
    CAPTURE(d);
    const std::string prefix = "similarity." + std::to_string(d);
    const Values queries = Functions().Get(prefix + ".queries");
    const Values keys = Functions().Get(prefix + ".keys");
    const int n = static_cast<int>(queries.shape[0]), m = static_cast<int>(keys.shape[0]);
    for (const Similarity similarity : kSimilarities) {
      const std::string name(SimilarityName(similarity));
      CAPTURE(name);
      CHECK(ParseSimilarity(name) == similarity);
      std::vector<float> scores(n * m);
      SimilarityFunction(similarity, d).Scores(queries.data, keys.data, scores);
      const std::vector<float> expected = Functions().Get(prefix + "." + name + ".scores").data;
      if (similarity == Similarity::kScaledDot) {  // of this PyTorch tells the softmax alone
        for (int i = 0; i < n; ++i) {
          const float shift = scores[i * m] - expected[i * m];
          for (int j = 0; j < m; ++j) {
            CHECK(std::abs(scores[i * m + j] - shift - expected[i * m + j]) <= 2e-5f);
          }
        }
      } else {
        CHECK(MaxDifference(scores, expected) <= 2e-5f);
      }
      for (int i = 0; i < n; ++i) ActiveKernels().softmax(&scores[i * m], m);
      CHECK(MaxDifference(scores, Functions().Get(prefix + "." + name + ".weights").data) <= 1e-5f);
    }
  }
}

TEST_CASE("similarity: what each costs, counted by hand for 2 queries, 3 keys and width 4") {
  const auto cost = [](Similarity similarity) {
    return SimilarityFunction(similarity, 4).CostOf(2, 3);
  };
  CHECK(cost(Similarity::kDot).multiply_adds == 24);
  CHECK(cost(Similarity::kNaive).multiply_adds == 24);
  CHECK(cost(Similarity::kScaledDot).multiply_adds == 30);
  CHECK(cost(Similarity::kCosine).multiply_adds == 24 + 20 + 6);
  CHECK(cost(Similarity::kCosine).evaluations == 11);
  CHECK(cost(Similarity::kAdditive).multiply_adds == 5 * 16 + 24);
  CHECK(cost(Similarity::kAdditive).evaluations == 24);
  CHECK(cost(Similarity::kConcat).multiply_adds == 6 * (32 + 4));
  CHECK(cost(Similarity::kMlp).multiply_adds == 6 * (48 + 4 + 4));
}

TEST_CASE("similarity: measuring runs each at least once; errors name what is wrong") {
  for (const Similarity similarity : kSimilarities) {
    const Measurement measurement = MeasureSimilarity(similarity, 8, 5, 0.5);
    CHECK(measurement.repetitions >= 1);
    CHECK(measurement.milliseconds >= 0);
  }
  CHECK_THROWS_WITH_AS(ParseSimilarity("nearness"), "similarity: there is no nearness", Error);
  CHECK_THROWS_WITH_AS(MeasureSimilarity(Similarity::kDot, 0, 5, 1), "width: must be at least 1",
                       Error);
  CHECK_THROWS_WITH_AS(MeasureSimilarity(Similarity::kDot, 8, 0, 1), "tokens: must be at least 1",
                       Error);
}

TEST_CASE("similarity: the spread of q . k grows with the width, as PyTorch has it") {
  for (const int d : {8, 96}) {
    CAPTURE(d);
    const ScoreStatistics s = SampleScores(d, 12, 10, 5);
    const std::vector<float> expected = Functions().Get("statistics." + std::to_string(d)).data;
    CHECK(s.variance == doctest::Approx(expected[0]).epsilon(1e-4));
    CHECK(s.largest == doctest::Approx(expected[1]).epsilon(1e-4));
    CHECK(s.entropy == doctest::Approx(expected[2]).epsilon(1e-4));
    CHECK(s.scaled_variance == doctest::Approx(expected[3]).epsilon(1e-4));
    CHECK(s.scaled_largest == doctest::Approx(expected[4]).epsilon(1e-4));
    CHECK(s.scaled_entropy == doctest::Approx(expected[5]).epsilon(1e-4));
  }
  CHECK_THROWS_WITH_AS(SampleScores(0, 1, 1, 1), "sample: must not be empty", Error);
}

TEST_CASE("race: the recurrent layer is torch.nn.GRU, attention torch.nn.MultiheadAttention") {
  struct Size {
    int tokens, width, heads;
  };
  for (const Size size : {Size{1, 4, 1}, Size{5, 12, 3}, Size{45, 16, 4}}) {
    CAPTURE(size.tokens);
    for (const int threads : {1, 3}) {
      for (const Racer racer : {Racer::kRecurrent, Racer::kAttention}) {
        Race race(racer, size.tokens, size.width, size.heads, threads);
        while (!race.Run(0)) {
        }
        CHECK(race.readings() >= 1);
        const bool recurrent = racer == Racer::kRecurrent;
        const Values expected = Functions().Get((recurrent ? "recurrent." : "attention.") +
                                                std::to_string(size.tokens));
        CHECK(MaxDifference(RowsOf(race.output(), 0, size.tokens), expected.data) <= 1e-5f);
        CHECK(race.sequential_steps() == (recurrent ? size.tokens : 1));
      }
    }
  }
  CHECK_THROWS_WITH_AS(Race(Racer::kAttention, 5, 8, 3, 1), "heads: 3 do not divide 8", Error);
  CHECK_THROWS_WITH_AS(Race(Racer::kRecurrent, 0, 8, 1, 1), "tokens: must be at least 1", Error);
  CHECK_THROWS_WITH_AS(Race(Racer::kRecurrent, 5, 0, 1, 1), "width: must be at least 1", Error);
}

}  // namespace translucent::test
