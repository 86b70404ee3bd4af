#include "format/config.h"

#include <string>
#include <utility>
#include <vector>

#include "doctest/doctest.h"
#include "format/model_builder.h"

namespace translucent {
namespace {

using test::ErrorOf;

// A config.json whose ids fit; `fields` come first.
std::string ConfigText(const std::string& fields) {
  return "{" + fields +
         R"("model_type":"marian","vocab_size":50,"pad_token_id":49,"decoder_start_token_id":49})";
}

TEST_CASE("config: defaults are MarianConfig's") {
  const ModelConfig config = ParseModelConfig(ConfigText(""), "c");
  CHECK(config.d_model == 1024);
  CHECK(config.encoder_layers == 12);
  CHECK(config.decoder_layers == 12);
  CHECK(config.encoder_attention_heads == 16);
  CHECK(config.decoder_attention_heads == 16);
  CHECK(config.encoder_ffn_dim == 4096);
  CHECK(config.decoder_ffn_dim == 4096);
  CHECK(config.activation == Activation::kGelu);
  CHECK(config.vocab_size == 50);
  CHECK(config.decoder_vocab_size == 50);
  CHECK(config.share_encoder_decoder_embeddings);
  CHECK(config.tie_word_embeddings);
  CHECK_FALSE(config.scale_embedding);
  CHECK_FALSE(config.normalize_before);
  CHECK_FALSE(config.normalize_embedding);
  CHECK_FALSE(config.add_final_layer_norm);
  CHECK(config.max_position_embeddings == 1024);
  CHECK(config.eos_token_id == 0);
  CHECK(config.pad_token_id == 49);
}

TEST_CASE("config: every field is read") {
  const ModelConfig config = ParseModelConfig(
      R"({"model_type":"marian","is_encoder_decoder":true,"static_position_embeddings":true,
          "d_model":12,"encoder_layers":1,"decoder_layers":2,"encoder_attention_heads":3,
          "decoder_attention_heads":4,"encoder_ffn_dim":5,"decoder_ffn_dim":6,
          "activation_function":"silu","vocab_size":7,"decoder_vocab_size":8,
          "share_encoder_decoder_embeddings":false,"tie_word_embeddings":false,
          "scale_embedding":true,"normalize_before":true,"normalize_embedding":true,
          "add_final_layer_norm":true,"max_position_embeddings":9,"pad_token_id":6,
          "eos_token_id":[2],"decoder_start_token_id":7,"dropout":0.1,"id2label":{"0":"a"}})",
      "c");
  CHECK(config.d_model == 12);
  CHECK(config.encoder_layers == 1);
  CHECK(config.decoder_layers == 2);
  CHECK(config.encoder_attention_heads == 3);
  CHECK(config.decoder_attention_heads == 4);
  CHECK(config.encoder_ffn_dim == 5);
  CHECK(config.decoder_ffn_dim == 6);
  CHECK(config.activation == Activation::kSwish);
  CHECK(config.vocab_size == 7);
  CHECK(config.decoder_vocab_size == 8);
  CHECK_FALSE(config.share_encoder_decoder_embeddings);
  CHECK_FALSE(config.tie_word_embeddings);
  CHECK(config.scale_embedding);
  CHECK(config.normalize_before);
  CHECK(config.normalize_embedding);
  CHECK(config.add_final_layer_norm);
  CHECK(config.max_position_embeddings == 9);
  CHECK(config.pad_token_id == 6);
  CHECK(config.eos_token_id == 2);
  CHECK(config.decoder_start_token_id == 7);
}

TEST_CASE("config: activations") {
  const auto activation = [](const std::string& name) {
    return ParseModelConfig(ConfigText("\"activation_function\":\"" + name + "\","), "c")
        .activation;
  };
  CHECK(activation("relu") == Activation::kRelu);
  CHECK(activation("swish") == Activation::kSwish);
  CHECK(activation("silu") == Activation::kSwish);
  CHECK(activation("gelu") == Activation::kGelu);
}

TEST_CASE("config: what cannot be used") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("d_model":0,)", "field 'd_model': 0 is not between 1 and 2147483647"},
      {R"("d_model":-8,)", "field 'd_model': -8 is not between 1 and 2147483647"},
      {R"("d_model":4294967304,)", "field 'd_model': 4294967304 is not between 1 and 2147483647"},
      {R"("d_model":"512",)", "field 'd_model': must be a whole number, not '512'"},
      {R"("d_model":512.0,)", "field 'd_model': must be a whole number, not 512"},
      {R"("d_model":1e99,)", "field 'd_model': must be a whole number, not 1e+99"},
      {R"("d_model":[512],)", "field 'd_model': must be a whole number, not a list"},
      {R"("d_model":100,)", "field 'encoder_attention_heads': 16 does not divide d_model, 100"},
      {R"("decoder_attention_heads":7,)",
       "field 'decoder_attention_heads': 7 does not divide d_model, 1024"},
      {R"("encoder_layers":0,)", "field 'encoder_layers': 0 is not between 1 and 2147483647"},
      {R"("decoder_ffn_dim":0,)", "field 'decoder_ffn_dim': 0 is not between 1 and 2147483647"},
      {R"("max_position_embeddings":65537,)",
       "field 'max_position_embeddings': 65537 is not between 1 and 65536"},
      {R"("eos_token_id":50,)", "field 'eos_token_id': id 50 is outside the vocabulary of 50"},
      {R"("eos_token_id":-1,)", "field 'eos_token_id': id -1 is outside the vocabulary of 50"},
      {R"("eos_token_id":[0,1],)", "field 'eos_token_id': a list of several ids is not supported"},
      {R"("decoder_vocab_size":40,)",
       "field 'decoder_vocab_size': 40 is not vocab_size, 50, though embeddings are shared"},
      {R"("decoder_vocab_size":40,"share_encoder_decoder_embeddings":false,)",
       "field 'pad_token_id': id 49 is outside the vocabulary of 40"},
      {R"("scale_embedding":1,)", "field 'scale_embedding': must be true or false, not 1"},
      {R"("activation_function":"gelu_new",)",
       "field 'activation_function': 'gelu_new' is not supported ('relu', 'swish', 'silu' and "
       "'gelu' are)"},
      {R"("activation_function":7,)",
       "field 'activation_function': 7 is not supported ('relu', 'swish', 'silu' and 'gelu' are)"},
      {R"("static_position_embeddings":false,)",
       "field 'static_position_embeddings': learned positions are not supported"},
      {R"("is_encoder_decoder":false,)",
       "field 'is_encoder_decoder': only encoder-decoder models are supported"},
      {R"("d_model":16,"d_model":16,)", "the name 'd_model' is there twice"},
  };
  for (const auto& [fields, error] : cases) {
    CAPTURE(fields);
    CHECK(ErrorOf([&] { ParseModelConfig(ConfigText(fields), "c"); }) == "c: " + error);
  }
  const auto whole = [](const std::string& text) {
    return ErrorOf([&] { ParseModelConfig(text, "c"); });
  };
  CHECK(whole("") == "c: not valid JSON at byte 1");
  CHECK(whole("[]") == "c: not a JSON object");
  CHECK(whole("{}") == "c: field 'model_type': missing, only 'marian' is supported");
  CHECK(whole(R"({"model_type":"bart"})") ==
        "c: field 'model_type': 'bart', only 'marian' is supported");
  CHECK(whole(R"({"model_type":"marian","vocab_size":8})") ==
        "c: field 'pad_token_id': 58100 (the default) is not between 0 and 7");
}

GenerationConfig Generation(const std::string& text) {
  return ParseGenerationConfig(text, "g", ParseModelConfig(ConfigText(""), "c"));
}

TEST_CASE("generation config: defaults") {
  const GenerationConfig config = Generation("{}");
  CHECK(config.num_beams == 1);
  CHECK(config.max_length == 512);
  CHECK(config.length_penalty == 1.0f);
  CHECK_FALSE(config.early_stopping);
  CHECK_FALSE(config.never_stop_early);
  CHECK_FALSE(config.renormalize_logits);
  CHECK(config.forced_eos_token_id == -1);
  CHECK(config.bad_words_ids.empty());

  const ModelConfig small = ParseModelConfig(ConfigText("\"max_position_embeddings\":64,"), "c");
  CHECK(ParseGenerationConfig("{}", "g", small).max_length == 64);
}

TEST_CASE("generation config: every field is read") {
  const GenerationConfig config = Generation(
      R"({"num_beams":6,"max_length":100,"length_penalty":0.6,"early_stopping":true,
          "forced_eos_token_id":[0],"bad_words_ids":[[49],[3,4]],"renormalize_logits":true,
          "do_sample":false,"min_length":0,"repetition_penalty":1.0,"suppress_tokens":[],
          "forced_bos_token_id":null,"pad_token_id":49,"eos_token_id":0,
          "decoder_start_token_id":49,"temperature":0.7,"transformers_version":"5.23.0"})");
  CHECK(config.num_beams == 6);
  CHECK(config.max_length == 100);
  CHECK(config.length_penalty == 0.6f);
  CHECK(config.early_stopping);
  CHECK(config.renormalize_logits);
  CHECK(config.forced_eos_token_id == 0);
  CHECK(config.bad_words_ids == std::vector<std::vector<int>>{{49}, {3, 4}});

  CHECK(Generation(R"({"early_stopping":"never"})").never_stop_early);
  CHECK(Generation(R"({"max_length":null,"max_new_tokens":20})").max_length == 21);
  CHECK(Generation(R"({"max_length":30,"max_new_tokens":20})").max_length == 30);
  CHECK(Generation(R"({"length_penalty":2})").length_penalty == 2.0f);
}

TEST_CASE("generation config: older models keep the fields in config.json") {
  const GenerationConfig config =
      Generation(ConfigText(R"("num_beams":6,"max_length":512,"bad_words_ids":[[49]],)"));
  CHECK(config.num_beams == 6);
  CHECK(config.bad_words_ids.size() == 1);
  CHECK(config.forced_eos_token_id == 0);  // MarianConfig's default
}

TEST_CASE("generation config: what cannot be used") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"num_beams":0})", "field 'num_beams': 0 is not between 1 and 1000"},
      {R"({"num_beams":2000000000})", "field 'num_beams': 2000000000 is not between 1 and 1000"},
      {R"({"max_length":1})", "field 'max_length': 1 is not between 2 and 2147483647"},
      {R"({"max_new_tokens":0})", "field 'max_new_tokens': 0 is not between 1 and 2147483646"},
      {R"({"length_penalty":"1"})", "field 'length_penalty': must be a number, not '1'"},
      {R"({"length_penalty":1e300})", "field 'length_penalty': 1e+300 is too large"},
      {R"({"early_stopping":"often"})",
       "field 'early_stopping': must be true, false or 'never', not 'often'"},
      {R"({"early_stopping":1})", "field 'early_stopping': must be true or false, not 1"},
      {R"({"forced_eos_token_id":[0,1]})",
       "field 'forced_eos_token_id': a list of several ids is not supported"},
      {R"({"forced_eos_token_id":50})",
       "field 'forced_eos_token_id': id 50 is outside the vocabulary of 50"},
      {R"({"bad_words_ids":[49]})", "field 'bad_words_ids': must be a list of lists of ids"},
      {R"({"bad_words_ids":[[]]})", "field 'bad_words_ids': must be a list of lists of ids"},
      {R"({"bad_words_ids":[["a"]]})", "field 'bad_words_ids': must be a whole number, not 'a'"},
      {R"({"bad_words_ids":[[50]]})",
       "field 'bad_words_ids': id 50 is outside the vocabulary of 50"},
      {R"({"eos_token_id":3})", "field 'eos_token_id': 3, but config.json has 0"},
      {R"({"do_sample":true})", "field 'do_sample': sampling is not supported"},
      {R"({"no_repeat_ngram_size":-1})",
       "field 'no_repeat_ngram_size': -1 is not between 0 and 2147483647"},
      {R"({"forced_bos_token_id":3})", "field 'forced_bos_token_id': is not supported"},
      {R"({"suppress_tokens":[3]})", "field 'suppress_tokens': is not supported"},
  };
  for (const auto& [text, error] : cases) {
    CAPTURE(text);
    CHECK(ErrorOf([&] { Generation(text); }) == "g: " + error);
  }
}

}  // namespace
}  // namespace translucent
