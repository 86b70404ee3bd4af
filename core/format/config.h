// The settings of a MarianMT model: config.json and generation_config.json, checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace translucent {

enum class Activation { kRelu, kSwish, kGelu };

/// "relu", "swish", "gelu".
std::string_view ActivationName(Activation activation);

/// Architecture, from config.json (names and defaults as in transformers' MarianConfig).
struct ModelConfig {
  int d_model = 0;
  int encoder_layers = 0;
  int decoder_layers = 0;
  int encoder_attention_heads = 0;
  int decoder_attention_heads = 0;
  int encoder_ffn_dim = 0;
  int decoder_ffn_dim = 0;
  Activation activation = Activation::kGelu;  // activation_function
  int vocab_size = 0;                         // source side, or both when shared
  int decoder_vocab_size = 0;                 // = vocab_size when shared
  bool share_encoder_decoder_embeddings = true;
  bool tie_word_embeddings = true;
  bool scale_embedding = false;
  bool normalize_before = false;      // pre-norm instead of post-norm
  bool normalize_embedding = false;   // a layer norm after the embedding
  bool add_final_layer_norm = false;  // a layer norm after the last layer
  int max_position_embeddings = 0;
  int pad_token_id = 0;
  int eos_token_id = 0;
  int decoder_start_token_id = 0;
};

/// Decoding defaults, from generation_config.json where present, else from config.json.
struct GenerationConfig {
  int num_beams = 1;
  int max_length = 512;  // of the target, start and end symbol included (transformers' meaning)
  float length_penalty = 1.0f;
  bool early_stopping = false;      // stop as soon as num_beams hypotheses are complete
  bool never_stop_early = false;    // early_stopping "never": only when none can improve
  bool renormalize_logits = false;  // log-softmax again after forbidden tokens are masked
  int forced_eos_token_id = -1;     // emitted at max_length; -1: none
  int no_repeat_ngram_size = 0;     // no n ids in a row occur twice in a target; 0: they may
  std::vector<std::vector<int>> bad_words_ids;  // never emitted
};

/// Reads config.json text; `file` is used in errors. Throws Error naming file and field, also for
/// what a MarianConfig can say but this engine does not compute.
ModelConfig ParseModelConfig(std::string_view json, std::string_view file);

/// Reads generation_config.json text (config.json's has the same fields in older models). Without a
/// max_length the model's positions bound it, at most 512. Throws Error naming file and field, also
/// for settings that would change the output and are not implemented (sampling, repetition
/// penalties, ...).
GenerationConfig ParseGenerationConfig(std::string_view json, std::string_view file,
                                       const ModelConfig& model);

}  // namespace translucent
