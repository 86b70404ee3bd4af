// Scaled dot-product attention and positions against PyTorch, and what positions are for.
#include "nn/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "../fixtures.h"
#include "marian_case.h"
#include "nn/embedding.h"

namespace translucent::test {
namespace {

constexpr const char* kAttentionCases[] = {"plain",          "one-key", "padding", "causal",
                                           "causal-padding", "cross",   "cache"};

Matrix ToMatrix(const Values& values) {
  const auto cols = static_cast<Eigen::Index>(values.shape.back());
  return Eigen::Map<const Matrix>(values.data.data(),
                                  static_cast<Eigen::Index>(values.data.size()) / cols, cols);
}

/// One call of scaled dot-product attention and what PyTorch returns for it.
struct AttentionCase {
  explicit AttentionCase(const std::string& name) {
    const ValuesFile ops("marian/ops/ops.safetensors");
    const auto get = [&](const char* what) { return ops.Get("attention." + name + "." + what); };
    const Values q = get("queries"), k = get("keys");
    rows = static_cast<int>(q.shape[0]);
    num_queries = static_cast<int>(q.shape[1]);
    length = static_cast<int>(k.shape[1]);
    queries = ToMatrix(q);
    keys = ToMatrix(k);
    values = ToMatrix(get("values"));
    heads = static_cast<int>(get("shape").data[0]);
    causal = get("shape").data[1] == 1;
    for (float n : get("lengths").data) lengths.push_back(static_cast<int>(n));
    output = get("output").data;
    weights = get("weights").data;
  }

  AttentionMask Mask() const {
    return {.key_lengths = lengths, .causal = causal, .first_position = length - num_queries};
  }

  int rows, num_queries, length, heads;
  bool causal;
  Matrix queries, keys, values;
  std::vector<int> lengths;
  std::vector<float> output;   // [rows, num_queries, d_model]
  std::vector<float> weights;  // [rows, heads, num_queries, length]
};

std::span<const float> All(const Matrix& m) { return RowsOf(m, 0, m.rows()); }

AlignedVector<float> ToMemory(const Matrix& m) { return {m.data(), m.data() + m.size()}; }

Matrix Attend(Matrix queries, const AttentionCase& c, const KeyValues& memory,
              const AttentionScope& scope, float* weights) {
  Matrix out(queries.rows(), queries.cols());
  Workspace workspace;
  ScaledDotProductAttention(View(queries), c.num_queries, c.heads, memory, scope, weights,
                            workspace, View(out));
  return out;
}

/// E[id] for each id, without positions: [ids, d_model].
Matrix WordVectors(const Checkpoint& checkpoint, const std::vector<int>& ids) {
  const WeightMatrix table = checkpoint.Matrix("model.encoder.embed_tokens.weight");
  Matrix x(ids.size(), table.cols);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::copy_n(table.f32 + static_cast<std::size_t>(ids[i]) * table.cols, table.cols,
                x.row(static_cast<Eigen::Index>(i)).data());
  }
  return x;
}

}  // namespace

TEST_CASE("attention: scaled dot-product attention is PyTorch's under every mask") {
  for (const std::string name : kAttentionCases) {
    CAPTURE(name);
    const AttentionCase c(name);
    const KeyValues memory = {ToMemory(c.keys), ToMemory(c.values)};
    const KeyIndex index = KeyIndex::OfBatch(c.rows, c.length);
    std::vector<float> weights(c.weights.size(), 5.f);
    const Matrix output = Attend(c.queries, c, memory, {index, {}, c.Mask()}, weights.data());
    CHECK(MaxDifference(All(output), c.output) <= 5e-6f);
    CHECK(MaxDifference(weights, c.weights) <= 2e-6f);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (c.weights[i] == 0) REQUIRE(weights[i] == 0);
    }
    CHECK(output == Attend(c.queries, c, memory, {index, {}, c.Mask()}, nullptr));
  }
}

TEST_CASE("attention: keys and values may arrive in pieces, and rows be chosen and repeated") {
  for (const std::string name : kAttentionCases) {
    CAPTURE(name);
    const AttentionCase c(name);
    KeyValues memory;
    KeyIndex index;
    for (int position = 0; position < c.length; ++position) {
      index.Append(c.rows, 1, position * c.rows);
      for (int row = 0; row < c.rows; ++row) {
        const auto append = [&](const Matrix& from, AlignedVector<float>& to) {
          const auto values = RowsOf(from, row * c.length + position, 1);
          to.insert(to.end(), values.begin(), values.end());
        };
        append(c.keys, memory.keys);
        append(c.values, memory.values);
      }
    }
    REQUIRE(index.length() == c.length);

    // Rows in reverse order, the first one twice: by memory_rows, then by Select.
    std::vector<int> order;
    for (int row = c.rows - 1; row >= 0; --row) order.push_back(row);
    order.push_back(0);
    const int rows = static_cast<int>(order.size());
    Matrix queries(rows * c.num_queries, c.queries.cols());
    std::vector<int> lengths;
    std::vector<float> expected;
    const std::size_t size = c.output.size() / c.rows;
    for (int row = 0; row < rows; ++row) {
      queries.middleRows(row * c.num_queries, c.num_queries) =
          c.queries.middleRows(order[row] * c.num_queries, c.num_queries);
      lengths.push_back(c.lengths[order[row]]);
      expected.insert(expected.end(), c.output.begin() + order[row] * size,
                      c.output.begin() + (order[row] + 1) * size);
    }
    AttentionMask mask = c.Mask();
    mask.key_lengths = lengths;
    const Matrix chosen = Attend(queries, c, memory, {index, order, mask}, nullptr);
    CHECK(MaxDifference(All(chosen), expected) <= 5e-6f);
    index.Select(order);
    CHECK(chosen == Attend(queries, c, memory, {index, {}, mask}, nullptr));
  }
}

TEST_CASE("positions: the sinusoids are transformers' table") {
  const ValuesFile ops("marian/ops/ops.safetensors");
  const std::vector<float> rows = ops.Get("positions.rows").data;
  for (int d_model : {1, 2, 16, 21, 64}) {
    CAPTURE(d_model);
    std::vector<float> table;
    for (float position : rows) {
      std::vector<float> row(d_model);
      PositionalEncoding(static_cast<int>(position), row);
      // From a table that holds it, and from one that does not.
      for (int size : {static_cast<int>(position) + 1, static_cast<int>(position)}) {
        std::vector<float> added(d_model, 0.f);
        PositionTable(size, d_model).AddTo(added, static_cast<int>(position));
        CHECK(added == row);
      }
      table.insert(table.end(), row.begin(), row.end());
    }
    CHECK(MaxDifference(table, ops.Get("positions." + std::to_string(d_model)).data) <= 6e-8f);
  }
}

TEST_CASE("positions: the sinusoids are the paper's, sines first, then cosines") {
  const int d_model = 64;
  for (int position : {0, 1, 2, 9, 100, 511}) {
    CAPTURE(position);
    std::vector<float> out(d_model);
    PositionalEncoding(position, out);
    for (int i = 0; i < d_model / 2; ++i) {  // dimensions 2i and 2i + 1 of section 3.5
      const double angle = position / std::pow(10000.0, 2.0 * i / d_model);
      CHECK(std::abs(out[i] - std::sin(angle)) <= 6e-8);
      CHECK(std::abs(out[d_model / 2 + i] - std::cos(angle)) <= 6e-8);
    }
  }
}

// The example this project began with: attention by itself sees a set of words, not a sentence.
TEST_CASE("positions: without them attention cannot tell 狗追猫 from 猫追狗, with them it can") {
  for (const std::string name : {"shared-relu-h1", "shared-gelu-h8", "pre-norm"}) {
    CAPTURE(name);
    const MarianCase c(name);
    const int dog = 10, chases = 11, cat = 12;
    const std::vector<int> dog_first = {dog, chases, cat};
    const std::vector<int> cat_first = {cat, chases, dog};
    const PaddedBatch batch = PaddedBatch::Of({&dog_first, 1}, 0);
    const EncoderLayer layer(c.checkpoint, "model.encoder.layers.0");
    const int heads = c.checkpoint.config().encoder_attention_heads;

    // Attention alone: every word gets the very same vector and looks at the same words.
    Matrix a = WordVectors(c.checkpoint, dog_first);
    Matrix b = WordVectors(c.checkpoint, cat_first);
    CHECK(MaxDifference(RowsOf(a, 0, 1), RowsOf(a, 2, 1)) > 0.1f);  // two different words
    std::vector<float> a_weights(heads * 9), b_weights(heads * 9);
    const KeyIndex index = KeyIndex::OfBatch(1, 3);
    Workspace workspace;
    layer.Forward(View(a), batch, index, a_weights.data(), workspace);
    layer.Forward(View(b), batch, index, b_weights.data(), workspace);
    for (int word = 0; word < 3; ++word) {
      CHECK(MaxDifference(RowsOf(a, word, 1), RowsOf(b, 2 - word, 1)) <= 1e-5f);
      for (int head = 0; head < heads; ++head) {
        for (int seen = 0; seen < 3; ++seen) {
          CHECK(std::abs(a_weights[head * 9 + word * 3 + seen] -
                         b_weights[head * 9 + (2 - word) * 3 + (2 - seen)]) <= 1e-6f);
        }
      }
    }

    // With positions the dog that chases is not the dog that is chased.
    const auto positions = std::make_shared<const PositionTable>(3, c.checkpoint.config().d_model);
    const Embedding embedding(c.checkpoint, "model.encoder.embed_tokens.weight", positions);
    embedding.Forward(dog_first, 3, 0, View(a));
    embedding.Forward(cat_first, 3, 0, View(b));
    layer.Forward(View(a), batch, index, nullptr, workspace);
    layer.Forward(View(b), batch, index, nullptr, workspace);
    CHECK(MaxDifference(RowsOf(a, 0, 1), RowsOf(b, 2, 1)) > 0.1f);  // the dog
    CHECK(MaxDifference(RowsOf(a, 2, 1), RowsOf(b, 0, 1)) > 0.1f);  // the cat
  }
}

}  // namespace translucent::test
