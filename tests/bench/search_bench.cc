// How the cost of a translation grows with batch, length, vocabulary and beam: greedy and beam
// search with a model of random weights in the shape of Firefox's smallest, each quantity varied by
// itself.
#include "search_bench.h"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../unit/format/safetensors_file.h"
#include "benchmark.h"
#include "decode/search.h"
#include "format/checkpoint.h"
#include "kernels/kernels.h"
#include "median.h"
#include "nn/transformer.h"
#include "tensor/packing.h"

namespace translucent {
namespace {

constexpr int kModel = 256, kHidden = 1536, kEncoderLayers = 6, kDecoderLayers = 2;
constexpr int kEnd = 0, kFirstWord = 2;

/// A safetensors file that grows by tensors of random values.
class RandomTensors {
 public:
  /// int8 weights that keep the size of what they are multiplied with, and a bias.
  void AddLinear(const std::string& name, int outputs, int inputs) {
    AddMatrix(name + ".weight", outputs, inputs, std::sqrt(3.f / inputs));
    AddVector(name + ".bias", {outputs}, std::vector<float>(outputs, 0.f));
  }
  void AddNorm(const std::string& name) {
    AddVector(name + ".weight", {kModel}, std::vector<float>(kModel, 1.f));
    AddVector(name + ".bias", {kModel}, std::vector<float>(kModel, 0.f));
  }
  void AddAttention(const std::string& name) {
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      AddLinear(name + "." + part, kModel, kModel);
    }
    AddNorm(name + "_layer_norm");
  }
  void AddMatrix(const std::string& name, int rows, int cols, float largest) {
    std::uniform_int_distribution<int> weight(-kMaxWeight, kMaxWeight);
    std::vector<std::byte> values(static_cast<std::size_t>(rows) * cols);
    for (auto& value : values) value = static_cast<std::byte>(weight(random_));
    tensors_[name] = {"I8", {rows, cols}, std::move(values)};
    AddVector(name + "_scale", {rows}, std::vector<float>(rows, largest / kMaxWeight));
  }
  void AddVector(const std::string& name, std::vector<std::int64_t> shape,
                 const std::vector<float>& values) {
    tensors_[name] = test::FloatTensor(std::move(shape), values);
  }

  FileBytes File() const { return test::SafeTensorsFile(tensors_, kCacheLine); }

 private:
  std::mt19937 random_{1};
  std::map<std::string, test::Tensor> tensors_;
};

Checkpoint RandomCheckpoint(int vocabulary) {
  const auto setting = [](const char* name, int value) {
    return ",\"" + std::string(name) + "\":" + std::to_string(value);
  };
  std::string config = R"({"model_type":"marian","activation_function":"relu")";
  for (const std::string side : {"encoder", "decoder"}) {
    config += setting((side + "_attention_heads").c_str(), 8);
    config += setting((side + "_ffn_dim").c_str(), kHidden);
  }
  config += setting("encoder_layers", kEncoderLayers) + setting("decoder_layers", kDecoderLayers) +
            setting("d_model", kModel) + setting("vocab_size", vocabulary) +
            setting("pad_token_id", vocabulary - 1) + setting("eos_token_id", kEnd) +
            setting("decoder_start_token_id", vocabulary - 1) +
            setting("max_position_embeddings", 512) + "}";

  std::string words = R"({"</s>":0,"<unk>":1)";
  for (int id = kFirstWord; id < vocabulary; ++id) {
    words += ",\"w" + std::to_string(id) + "\":" + std::to_string(id);
  }
  words += "}";

  RandomTensors tensors;
  tensors.AddMatrix("model.shared.weight", vocabulary, kModel, std::sqrt(3.f / kModel));
  for (const auto& [side, layers] :
       {std::pair("encoder", kEncoderLayers), {"decoder", kDecoderLayers}}) {
    for (int i = 0; i < layers; ++i) {
      const std::string layer = std::string("model.") + side + ".layers." + std::to_string(i);
      tensors.AddAttention(layer + ".self_attn");
      if (side == std::string("decoder")) tensors.AddAttention(layer + ".encoder_attn");
      tensors.AddLinear(layer + ".fc1", kHidden, kModel);
      tensors.AddLinear(layer + ".fc2", kModel, kHidden);
      tensors.AddNorm(layer + ".final_layer_norm");
    }
  }
  std::vector<float> bias(vocabulary, 0.f);
  bias[kEnd] = -1e4f;  // targets are as long as they may be
  tensors.AddVector("final_logits_bias", {1, vocabulary}, bias);

  std::vector<ModelFile> files;
  files.push_back({"config.json", test::Bytes(config)});
  files.push_back({"vocab.json", test::Bytes(words)});
  files.push_back({"model.safetensors", tensors.File()});
  return Checkpoint(std::move(files));
}

struct Model {
  explicit Model(int vocabulary) : checkpoint(RandomCheckpoint(vocabulary)), network(checkpoint) {}
  Checkpoint checkpoint;
  Transformer network;
};

const Model& ModelOf(int vocabulary) {
  static std::map<int, std::unique_ptr<Model>> models;
  std::unique_ptr<Model>& model = models[vocabulary];
  if (model == nullptr) model = std::make_unique<Model>(vocabulary);
  return *model;
}

struct Case {
  int batch = 1, length = 25, vocabulary = 8192, beam = 1;
};

/// A batch ready to be translated, and how.
class Batch {
 public:
  explicit Batch(const Case& c) : model_(ModelOf(c.vocabulary)), sentences_(c.batch) {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> word(kFirstWord, c.vocabulary - 2);
    for (auto& sentence : sentences_) {
      for (int i = 1; i < c.length; ++i) sentence.push_back(word(random));
      sentence.push_back(kEnd);
    }
    settings_.num_beams = c.beam;
    settings_.max_length = c.length + 1;  // with the start symbol
  }

  /// Translates it to its end, targets of as many tokens as their sources; returns the
  /// milliseconds that took for each sentence.
  double Translate() const {
    const auto began = Clock::now();
    benchmark::DoNotOptimize(
        Search(model_.network, model_.checkpoint.config(), settings_, 1, false, sentences_));
    const std::chrono::duration<double, std::milli> took = Clock::now() - began;
    return took.count() / static_cast<double>(sentences_.size());
  }

 private:
  using Clock = std::chrono::steady_clock;

  const Model& model_;
  std::vector<std::vector<int>> sentences_;
  GenerationConfig settings_;
};

/// What a sentence takes, and how many times as long as one of the usual case, which takes turns
/// with it: whatever else the machine does meets both, mostly.
void MeasureGrowth(benchmark::State& state, const Case& c) {
  constexpr int kTurns = 5;
  const Batch usual(Case{}), batch(c);
  std::vector<double> milliseconds, times;
  for (auto _ : state) {
    for (int turn = 0; turn < kTurns; ++turn) {
      const double first = usual.Translate();
      milliseconds.push_back(batch.Translate());
      times.push_back(milliseconds.back() / first);
    }
  }
  state.counters["ms"] = Median(std::move(milliseconds));
  state.counters["times"] = Median(std::move(times));
}

}  // namespace

void RegisterSearch() {
  const auto add = [](const Case& c) {
    const std::string name =
        std::string("search/") + ActiveKernels().name + "/batch:" + std::to_string(c.batch) +
        "/length:" + std::to_string(c.length) + "/vocabulary:" + std::to_string(c.vocabulary) +
        "/beam:" + std::to_string(c.beam);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [c](benchmark::State& state) { MeasureGrowth(state, c); });
  };
  add({});
  for (int batch : {4, 16, 64}) add({.batch = batch});
  for (int length : {10, 50, 100, 200}) add({.length = length});
  for (int vocabulary : {1024, 32768, 65536}) add({.vocabulary = vocabulary});
  for (int beam : {2, 4, 8}) add({.beam = beam});
}

}  // namespace translucent
