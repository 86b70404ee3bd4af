#include "format/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "doctest/doctest.h"
#include "fixtures.h"
#include "format/model_builder.h"
#include "tensor/packing.h"

namespace translucent {
namespace {

using test::ErrorOf;
using test::FloatTensor;
using test::ModelBuilder;
using test::ReadFixture;

constexpr const char* kEmbedding = "model.shared.weight";

// A weight's values whatever it is stored as.
std::vector<float> Values(const WeightMatrix& matrix) {
  std::vector<float> values;
  for (int r = 0; r < matrix.rows; ++r) {
    for (int c = 0; c < matrix.cols; ++c) {
      if (matrix.f32) values.push_back(matrix.f32[r * matrix.cols + c]);
    }
    if (matrix.f32) continue;
    values.resize(values.size() + matrix.cols);
    const std::size_t cols = matrix.cols;
    DequantizeRow(matrix, r, 1, {values.data() + values.size() - cols, cols});
  }
  return values;
}

void CheckAgainstTransformers(const Checkpoint& checkpoint, const std::string& layout) {
  const auto file = ReadFixture("format/layouts/" + layout + "/expected.safetensors");
  const SafeTensors expected = ParseSafeTensors(file, "expected");
  CHECK(expected.tensors.size() > 40);
  for (const auto& [name, view] : expected.tensors) {
    CAPTURE(name);
    if (name == kEmbedding) continue;  // found under the two embeddings' names
    REQUIRE(checkpoint.Has(name));
    const std::vector<float> values = ToFloats(view);
    if (view.shape.size() == 2 && name != "final_logits_bias") {
      const WeightMatrix matrix = checkpoint.Matrix(name);
      CHECK(matrix.rows == view.shape[0]);
      CHECK(matrix.cols == view.shape[1]);
      CHECK(Values(matrix) == values);
    } else {
      const WeightVector vector = checkpoint.Vector(name);
      CHECK(std::vector<float>(vector.data, vector.data + vector.size) == values);
    }
  }
}

TEST_CASE("checkpoint: every weight of every layout as transformers has it") {
  for (const char* layout : {"shared_tied", "shared_untied", "separate_tied", "separate_untied",
                             "f16", "bf16", "int8"}) {
    CAPTURE(layout);
    const ModelBuilder model(layout);
    CheckAgainstTransformers(model.Load(), layout);
    if (std::string(layout) == "int8") {
      CHECK(model.Load().Matrix("lm_head.weight").packed != nullptr);
    }
  }
}

TEST_CASE("checkpoint: unaligned f32 tensors are converted, aligned ones used in place") {
  for (int misalign : {0, 1, 2, 3}) {
    CAPTURE(misalign);
    ModelBuilder model("shared_tied");
    model.misalign = misalign;
    const Checkpoint checkpoint = model.Load();
    CheckAgainstTransformers(checkpoint, "shared_tied");
    const auto* stored = checkpoint.tensors().tensors.at(kEmbedding).bytes.data();
    const auto* used = reinterpret_cast<const std::byte*>(checkpoint.Matrix("lm_head.weight").f32);
    CHECK((stored == used) == (misalign == 0));
  }
}

// An int8 model whose encoder has `ffn` hidden units; its two matrices' values by row and column.
ModelBuilder Int8Model(int ffn, int limit) {
  ModelBuilder model("int8");
  model.Replace("config.json", "\"encoder_ffn_dim\": 10",
                "\"encoder_ffn_dim\": " + std::to_string(ffn));
  const std::string layer = "model.encoder.layers.0.";
  model.tensors[layer + "fc1.bias"] = FloatTensor({ffn}, std::vector<float>(ffn));
  for (const auto& [name, rows, cols] : {std::tuple("fc1", ffn, 8), std::tuple("fc2", 8, ffn)}) {
    test::Tensor weight{"I8", {rows, cols}, {}};
    std::vector<float> scales;
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < cols; ++c) {
        weight.bytes.push_back(static_cast<std::byte>((31 * r + 7 * c) % (2 * limit + 1) - limit));
      }
      weight.bytes.back() = static_cast<std::byte>(limit);
      scales.push_back(0.5f + static_cast<float>(r));
    }
    model.tensors[layer + name + ".weight"] = weight;
    model.tensors[layer + name + ".weight_scale"] = FloatTensor({rows}, scales);
  }
  return model;
}

TEST_CASE("checkpoint: int8 matrices are packed where they lie in the file, odd rows beside it") {
  for (int ffn : {16, 32, 34, 47}) {
    for (int misalign = 0; misalign < 4; ++misalign) {
      CAPTURE(ffn);
      CAPTURE(misalign);
      ModelBuilder model = Int8Model(ffn, 63);
      model.misalign = misalign;
      const Checkpoint checkpoint = model.Load();
      const std::span<const std::byte> file = checkpoint.File("model.safetensors");
      const auto inside = [&](const std::uint8_t* p) {
        const auto* byte = reinterpret_cast<const std::byte*>(p);
        return byte >= file.data() && byte < file.data() + file.size();
      };
      for (const char* name :
           {"model.encoder.layers.0.fc1.weight", "model.encoder.layers.0.fc2.weight"}) {
        CAPTURE(name);
        const WeightMatrix matrix = checkpoint.Matrix(name);
        CHECK(inside(matrix.packed) == (matrix.rows >= 16 && matrix.cols % 4 == 0));
        CHECK((matrix.last_panel != nullptr) == (matrix.rows % 16 != 0));
        CHECK_FALSE(inside(matrix.last_panel));
        std::vector<float> expected;
        for (int r = 0; r < matrix.rows; ++r) {
          for (int c = 0; c < matrix.cols; ++c) {
            const int w = c + 1 == matrix.cols ? 63 : (31 * r + 7 * c) % 127 - 63;
            expected.push_back((0.5f + static_cast<float>(r)) * static_cast<float>(w));
          }
        }
        CHECK(Values(matrix) == expected);
      }
    }
  }
}

TEST_CASE("checkpoint: int8 weights of 8 bits are rounded to 7") {
  for (int limit : {64, 127}) {
    for (int misalign : {0, 1}) {
      CAPTURE(limit);
      ModelBuilder model = Int8Model(34, limit);
      model.misalign = misalign;
      const Checkpoint checkpoint = model.Load();
      const WeightMatrix matrix = checkpoint.Matrix("model.encoder.layers.0.fc1.weight");
      const std::vector<float> values = Values(matrix);
      for (int r = 0; r < 34; ++r) {
        const float scale = 0.5f + static_cast<float>(r);
        const float step = scale * static_cast<float>(limit) / 63;
        CHECK(matrix.scales[r] == doctest::Approx(step));
        for (int c = 0; c < 8; ++c) {
          const int w = c == 7 ? limit : (31 * r + 7 * c) % (2 * limit + 1) - limit;
          CHECK(std::abs(values[r * 8 + c] - scale * static_cast<float>(w)) <= 0.501f * step);
        }
      }
      CHECK(checkpoint.UnusedTensors().empty());
    }
  }
}

TEST_CASE("checkpoint: tied int8 weights are packed once, under any of their names") {
  ModelBuilder model("int8");
  const std::string scale = std::string(kEmbedding) + "_scale";
  for (const char* name : {"model.encoder.embed_tokens.weight", "lm_head.weight"}) {
    model.tensors[name] = model.tensors.at(kEmbedding);
    model.tensors[std::string(name) + "_scale"] = model.tensors.at(scale);
  }
  const Checkpoint checkpoint = model.Load();
  CheckAgainstTransformers(checkpoint, "int8");
  CHECK(checkpoint.Matrix("lm_head.weight").packed ==
        checkpoint.Matrix("model.encoder.embed_tokens.weight").packed);
}

TEST_CASE("checkpoint: tied weights under any of their names") {
  const std::vector<std::vector<std::string>> cases = {
      {"model.encoder.embed_tokens.weight"},
      {"model.decoder.embed_tokens.weight"},
      {"lm_head.weight"},
      {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"},
      {kEmbedding, "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight",
       "lm_head.weight"},
  };
  for (const auto& names : cases) {
    CAPTURE(names.front());
    ModelBuilder model("shared_tied");
    const test::Tensor embedding = model.tensors.at(kEmbedding);
    model.tensors.erase(kEmbedding);
    for (const auto& name : names) model.tensors[name] = embedding;
    CheckAgainstTransformers(model.Load(), "shared_tied");
    if (names.size() > 1) {
      model.tensors["lm_head.weight"] = embedding;
      model.tensors["lm_head.weight"].bytes[5] ^= std::byte{1};
      const std::string first = names.size() == 2 ? names[1] : names[0];
      CHECK(ErrorOf([&] { model.Load(); }) ==
            "m/model.safetensors: tensor 'lm_head.weight': differs from tensor '" + first +
                "', though config.json says they are the same");
    }
  }
}

TEST_CASE("checkpoint: a shared embedding serves both sides though the output is its own") {
  ModelBuilder model("shared_untied");
  model.tensors.erase("model.encoder.embed_tokens.weight");
  model.tensors.erase("model.decoder.embed_tokens.weight");
  const Checkpoint checkpoint = model.Load();
  const auto shared = ToFloats(checkpoint.tensors().tensors.at(kEmbedding));
  CHECK(Values(checkpoint.Matrix("model.encoder.embed_tokens.weight")) == shared);
  CHECK(Values(checkpoint.Matrix("model.decoder.embed_tokens.weight")) == shared);
  CHECK(Values(checkpoint.Matrix("lm_head.weight")) != shared);
  CHECK(checkpoint.UnusedTensors().empty());
}

TEST_CASE("checkpoint: layer norms of pre-norm models") {
  ModelBuilder model("shared_tied");
  model.Replace("config.json", "{",
                R"({"normalize_before":true,"normalize_embedding":true,)"
                R"("add_final_layer_norm":true,)");
  for (const char* stack : {"model.encoder.", "model.decoder."}) {
    for (const char* norm : {"layernorm_embedding.", "layer_norm."}) {
      for (const char* part : {"weight", "bias"}) {
        const std::string name = std::string(stack) + norm + part;
        CHECK(ErrorOf([&] { model.Load(); }).ends_with(": missing"));
        model.tensors[name] = FloatTensor({8}, {1, 2, 3, 4, 5, 6, 7, 8});
      }
    }
  }
  const Checkpoint checkpoint = model.Load();
  CHECK(checkpoint.config().normalize_before);
  CHECK(checkpoint.Vector("model.decoder.layer_norm.bias").data[7] == 8);
  CHECK(checkpoint.Vector("model.encoder.layernorm_embedding.weight").size == 8);
}

TEST_CASE("checkpoint: vocabularies") {
  const Checkpoint shared = ModelBuilder("shared_tied").Load();
  CHECK(shared.source_vocabulary().tokens.size() == 12);
  CHECK(shared.source_vocabulary().tokens[2] == "s0");
  CHECK(shared.source_vocabulary().IdOf("s3") == 5);
  CHECK(shared.source_vocabulary().IdOf("nothing") == 1);
  CHECK(&shared.target_vocabulary() == &shared.source_vocabulary());

  Checkpoint separate = ModelBuilder("separate_tied").Load();
  CHECK(separate.source_vocabulary().tokens[2] == "s0");
  CHECK(separate.target_vocabulary().tokens[2] == "t0");
  CHECK(separate.target_vocabulary().tokens.size() == 11);

  const Checkpoint moved = std::move(separate);
  CheckAgainstTransformers(moved, "separate_tied");
  CHECK(moved.target_vocabulary().tokens[2] == "t0");
}

TEST_CASE("checkpoint: languages, settings and files") {
  ModelBuilder model("shared_tied");
  CHECK(model.Load().source_language().empty());
  model.files["tokenizer_config.json"] = R"({"source_lang":"zh","target_lang":null})";
  model.files["README.md"] = "ignored";
  const Checkpoint checkpoint = model.Load();
  CHECK(checkpoint.source_language() == "zh");
  CHECK(checkpoint.target_language().empty());
  CHECK(checkpoint.config().d_model == 8);
  CHECK(checkpoint.config().activation == Activation::kSwish);
  CHECK(checkpoint.generation().forced_eos_token_id == 0);
  CHECK(checkpoint.generation().max_length == 16);
  CHECK(checkpoint.File("README.md").size() == 7);
  CHECK(ErrorOf([&] { checkpoint.File("source.spm"); }) == "m/source.spm: not found");
  CHECK(ErrorOf([&] { checkpoint.Matrix("nothing"); }) ==
        "m/model.safetensors: tensor 'nothing': missing");
  CHECK_FALSE(checkpoint.Has("nothing"));

  model.files.erase("generation_config.json");
  CHECK(model.Load().generation().forced_eos_token_id == 0);
  model.tensors.erase("final_logits_bias");
  CHECK_FALSE(model.Load().Has("final_logits_bias"));
}

TEST_CASE("checkpoint: tensors the model does not use") {
  ModelBuilder model("shared_tied");
  CHECK(model.Load().UnusedTensors().empty());
  model.tensors["model.encoder.embed_positions.weight"] = FloatTensor({1}, {0});
  model.tensors["extra"] = FloatTensor({2}, {1, 2});
  CHECK(model.Load().UnusedTensors() ==
        std::vector<std::string>{"extra", "model.encoder.embed_positions.weight"});
}

// A change to a good model and the error it leads to.
struct Bad {
  void (*change)(ModelBuilder& model);
  std::string error;
};

void CheckBad(const std::string& layout, const std::vector<Bad>& cases) {
  for (const auto& [change, error] : cases) {
    CAPTURE(error);
    ModelBuilder model(layout);
    change(model);
    CHECK(ErrorOf([&] { model.Load(); }) == "m/" + error);
  }
}

TEST_CASE("checkpoint: broken files") {
  CheckBad(
      "shared_tied",
      {
          {[](ModelBuilder& m) { m.files.erase("config.json"); }, "config.json: not found"},
          {[](ModelBuilder& m) { m.files.erase("vocab.json"); }, "vocab.json: not found"},
          {[](ModelBuilder& m) { m.tensors.clear(); }, "model.safetensors: not found"},
          {[](ModelBuilder& m) {
             m.tensors.clear();
             m.files["pytorch_model.bin"] = "";
           },
           "model.safetensors: not found; pytorch_model.bin is not read, convert it: load the "
           "model with transformers and save it in one file with save_pretrained"},
          {[](ModelBuilder& m) { m.files["model.safetensors"] = ""; },
           "model.safetensors: given twice"},
          {[](ModelBuilder& m) { m.files["vocab.json"] = "{"; },
           "vocab.json: not valid JSON at byte 2"},
          {[](ModelBuilder& m) { m.files["vocab.json"] = "[]"; }, "vocab.json: not a JSON object"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "\"s3\"", "\"s2\""); },
           "vocab.json: the name 's2' is there twice"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "\"s3\": 5", "\"s3\": 4"); },
           "vocab.json: token 's3': its id 4 is also that of 's2'"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "\"s3\": 5", "\"s3\": 12"); },
           "vocab.json: token 's3': its id is 12 in a vocabulary of 12"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "\"s3\": 5", "\"s3\": -5"); },
           "vocab.json: token 's3': its id is -5"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "\"s3\": 5", "\"s3\": \"5\""); },
           "vocab.json: token 's3': its id is '5'"},
          {[](ModelBuilder& m) { m.Replace("vocab.json", "<unk>", "<UNK>"); },
           "vocab.json: token '<unk>' is missing"},
          {[](ModelBuilder& m) { m.files["vocab.json"] = R"({"</s>":0,"<unk>":1})"; },
           "vocab.json: 2 tokens, but config.json has vocab_size 12"},
          {[](ModelBuilder& m) { m.files["target_vocab.json"] = R"({"<unk>":0})"; },
           "target_vocab.json: 1 tokens, but config.json has decoder_vocab_size 12"},
          {[](ModelBuilder& m) {
             m.files["target_vocab.json"] = m.files["vocab.json"];
             m.Replace("target_vocab.json", "s3", "t3");
           },
           "target_vocab.json: differs from vocab.json, though config.json says embeddings are "
           "shared"},
          {[](ModelBuilder& m) { m.files["tokenizer_config.json"] = R"({"source_lang":1})"; },
           "tokenizer_config.json: field 'source_lang': must be a string, not 1"},
          {[](ModelBuilder& m) { m.files["generation_config.json"] = R"({"num_beams":0})"; },
           "generation_config.json: field 'num_beams': 0 is not between 1 and 1000"},
          {[](ModelBuilder& m) { m.Replace("config.json", "\"marian\"", "\"t5\""); },
           "config.json: field 'model_type': 't5', only 'marian' is supported"},
      });
  CheckBad("separate_tied",
           {{[](ModelBuilder& m) { m.files.erase("target_vocab.json"); },
             "target_vocab.json: not found, but config.json has another decoder_vocab_size than "
             "vocab_size"}});
}

TEST_CASE("checkpoint: broken weights") {
  CheckBad(
      "shared_tied",
      {
          {[](ModelBuilder& m) { m.tensors.erase("model.decoder.layers.0.fc1.bias"); },
           "model.safetensors: tensor 'model.decoder.layers.0.fc1.bias': missing"},
          {[](ModelBuilder& m) { m.tensors.erase(kEmbedding); },
           "model.safetensors: tensor 'model.shared.weight': missing"},
          {[](ModelBuilder& m) {
             m.Replace("config.json", "\"encoder_layers\": 1", "\"encoder_layers\": 2147483647");
           },
           "model.safetensors: tensor 'model.encoder.layers.1.self_attn.q_proj.weight': missing"},
          {[](ModelBuilder& m) {
             m.Replace("config.json", "\"decoder_ffn_dim\": 6", "\"decoder_ffn_dim\": 7");
           },
           "model.safetensors: tensor 'model.decoder.layers.0.fc1.weight': shape [6, 8], "
           "config.json asks for [7, 8]"},
          {[](ModelBuilder& m) {
             m.Replace("config.json", "\"tie_word_embeddings\": true",
                       "\"tie_word_embeddings\": false");
           },
           "model.safetensors: tensor 'lm_head.weight': missing"},
          {[](ModelBuilder& m) {
             m.Replace("config.json", "\"share_encoder_decoder_embeddings\": true",
                       "\"share_encoder_decoder_embeddings\": false");
           },
           "model.safetensors: tensor 'model.encoder.embed_tokens.weight': missing"},
          {[](ModelBuilder& m) {
             m.tensors["final_logits_bias"] = FloatTensor({12}, std::vector<float>(12));
           },
           "model.safetensors: tensor 'final_logits_bias': shape [12], config.json asks for "
           "[1, 12]"},
          {[](ModelBuilder& m) {
             m.tensors["model.encoder.layers.0.fc2.bias"] =
                 FloatTensor({8}, {0, 0, 0, std::nanf(""), 0, 0, 0, 0});
           },
           "model.safetensors: tensor 'model.encoder.layers.0.fc2.bias': holds a value that is "
           "infinite or not a number"},
          {[](ModelBuilder& m) {
             m.tensors["model.encoder.layers.0.fc2.bias"] = {"F16", {8}, {16, std::byte{0x7C}}};
           },
           "model.safetensors: tensor 'model.encoder.layers.0.fc2.bias': holds a value that is "
           "infinite or not a number"},
          {[](ModelBuilder& m) {
             m.tensors["model.encoder.layers.0.fc2.bias"] = {"I8", {8}, std::vector<std::byte>(8)};
           },
           "model.safetensors: tensor 'model.encoder.layers.0.fc2.bias': a vector cannot be I8"},
          {[](ModelBuilder& m) {
             constexpr int kWide = (1 << 17) + 1;
             m.Replace("config.json", "\"encoder_ffn_dim\": 10", "\"encoder_ffn_dim\": 131073");
             m.tensors["model.encoder.layers.0.fc1.weight"] = {
                 "I8", {kWide, 8}, std::vector<std::byte>(8 * kWide)};
             m.tensors["model.encoder.layers.0.fc1.bias"] =
                 FloatTensor({kWide}, std::vector<float>(kWide));
             m.tensors["model.encoder.layers.0.fc1.weight_scale"] =
                 FloatTensor({kWide}, std::vector<float>(kWide));
             m.tensors["model.encoder.layers.0.fc2.weight"] = {
                 "I8", {8, kWide}, std::vector<std::byte>(8 * kWide)};
           },
           "model.safetensors: tensor 'model.encoder.layers.0.fc2.weight': 131073 columns, an I8 "
           "matrix has 131072 at most"},
      });
}

TEST_CASE("checkpoint: broken int8 scales") {
  static constexpr const char* kScale = "model.encoder.layers.0.fc2.weight_scale";
  const std::string prefix = std::string("model.safetensors: tensor '") + kScale + "': ";
  CheckBad(
      "int8",
      {
          {[](ModelBuilder& m) { m.tensors.erase(kScale); },
           prefix + "missing, though tensor 'model.encoder.layers.0.fc2.weight' is I8"},
          {[](ModelBuilder& m) { m.tensors[kScale] = {"F16", {8}, std::vector<std::byte>(16)}; },
           prefix + "dtype F16, scales are F32"},
          {[](ModelBuilder& m) { m.tensors[kScale] = FloatTensor({1}, {1}); },
           prefix + "shape [1], [8] is one scale per row"},
          {[](ModelBuilder& m) {
             m.tensors[kScale] = FloatTensor({8, 1}, {1, 1, 1, 1, 1, 1, 1, 1});
           },
           prefix + "shape [8, 1], [8] is one scale per row"},
          {[](ModelBuilder& m) { m.tensors[kScale] = FloatTensor({8}, {1, 1, 1, 1, 1, 1, 1, -1}); },
           prefix + "holds a negative scale"},
          {[](ModelBuilder& m) {
             const float infinity = std::numeric_limits<float>::infinity();
             m.tensors[kScale] = FloatTensor({8}, {1, 1, 1, 1, 1, 1, 1, infinity});
           },
           prefix + "holds a value that is infinite or not a number"},
      });
}

// A fixed sequence of numbers, the same on both targets.
class Random {
 public:
  std::uint32_t Below(std::size_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>((state_ >> 33) % end);
  }

 private:
  std::uint64_t state_ = 20;
};

TEST_CASE("checkpoint: damaged files are refused or read, nothing else") {
  const ModelBuilder model("int8");
  const auto good = model.Weights();
  const std::size_t header = 1800;  // where damage matters most
  Random random;
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    CAPTURE(round);
    std::vector<ModelFile> files;
    for (const auto& [name, text] : model.files) files.push_back({name, test::Bytes(text)});
    files.push_back({"model.safetensors", good});
    // Mostly the weights, whose header is the most intricate of them.
    auto& bytes = files[random.Below(2) ? files.size() - 1 : random.Below(files.size())].bytes;
    switch (random.Below(4)) {
      case 0:
        bytes.resize(random.Below(bytes.size()));
        break;
      case 1:
        bytes[random.Below(8)] = static_cast<std::byte>(random.Below(256));
        break;
      case 2:  // another digit, bracket or letter from elsewhere in the same file
        for (std::uint32_t n = random.Below(4); n < 4; ++n) {
          bytes[random.Below(std::min(header, bytes.size()))] =
              bytes[random.Below(std::min(header, bytes.size()))];
        }
        break;
      default:
        bytes[random.Below(std::min(header, bytes.size()))] ^=
            static_cast<std::byte>(1u << random.Below(8));
    }
    const std::string error = ErrorOf([&] {
      const Checkpoint checkpoint(std::move(files), "m");
      Values(checkpoint.Matrix("lm_head.weight"));
    });
    refused += error != "no error";
    CHECK(error.find('\n') == error.npos);
  }
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace translucent
