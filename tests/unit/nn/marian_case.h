// The models of tests/fixtures/marian and what transformers computes with them; made by
// scripts/fixtures/marian.py.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "decode/search.h"
#include "format/checkpoint.h"
#include "format/safetensors.h"
#include "nn/transformer.h"

namespace translucent::test {

/// f32 values of a fixture, with their shape.
struct Values {
  std::vector<std::int64_t> shape;
  std::vector<float> data;
};

/// A safetensors file under tests/fixtures.
class ValuesFile {
 public:
  explicit ValuesFile(const std::string& name);
  Values Get(const std::string& name) const;
  const TensorView& View(const std::string& name) const;

 private:
  FileBytes bytes_;
  SafeTensors tensors_;
};

/// A search and its results on every source sentence: [sentences][nbest].
struct ExpectedSearch {
  std::string name;
  GenerationConfig settings;
  int nbest = 1;
  std::vector<std::vector<Hypothesis>> results;
};

/// From expected.json's "searches".
ExpectedSearch ReadSearch(const nlohmann::json& json);

/// A JSON file under tests/fixtures.
nlohmann::json ReadJson(const std::string& name);

struct MarianCase {
  /// `more`: files that the model is to have besides its own.
  explicit MarianCase(const std::string& name, std::vector<ModelFile> more = {},
                      const CoarseOutputs::Settings& coarse = {});

  std::string name;
  Checkpoint checkpoint;
  Transformer model;
  std::vector<std::vector<int>> sources;
  std::vector<std::vector<int>> targets;  // of the first sources: those with attention and logits
  std::vector<ExpectedSearch> searches;
  float score_tolerance;  // of the searches
  ValuesFile expected;

  Values Expected(std::size_t sentence, const std::string& what) const {
    return expected.Get(std::to_string(sentence) + "." + what);
  }
};

std::span<const char* const> MarianCaseNames();

/// The largest absolute difference; infinite where sizes differ or a value is not a number.
inline float MaxDifference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<float>::infinity();
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    if (std::isnan(difference)) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

/// Rows [begin, begin + count) of a matrix, as one span.
inline std::span<const float> RowsOf(const Matrix& m, Eigen::Index begin, Eigen::Index count) {
  return {m.data() + begin * m.cols(), static_cast<std::size_t>(count * m.cols())};
}

inline MatrixView View(Matrix& m) { return {m.data(), m.rows(), m.cols()}; }

}  // namespace translucent::test
