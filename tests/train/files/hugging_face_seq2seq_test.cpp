// Importing and exporting encoder-decoders as Hugging Face directories of marian, bart, mbart and pegasus.
#include <doctest/doctest.h>

#include "io/temporary_folder.h"
#include "nn/models/transformer.h"
#include "support/hugging_face_directories.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/files/checkpoint.h"
#include "train/files/hugging_face.h"
#include "train/files/pretrained.h"
#include "train/models/networks.h"
#include "train/settings/config_file.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// The structure that each kind can hold.
TransformerConfig structure_of(const std::string& kind) {
  TransformerConfig c = small_transformer();
  c.head_bias = HeadBias::kFixed;
  c.norm = kind == "mbart" || kind == "pegasus" ? NormPlacement::kPre : NormPlacement::kPost;
  const bool learned = kind == "bart" || kind == "mbart";
  c.positions = learned ? PositionKind::kLearned : PositionKind::kSinusoidalHalves;
  c.position_offset = learned ? 2 : 0;
  c.embedding_norm = learned;
  c.embedding_dropout = c.residual_dropout = 0.25;
  c.attention_dropout = 0.125;
  c.activation_dropout = 0.5;
  c.start_token = 3;
  c.end_token = 5;
  c.pad_token = 4;
  return c;
}

NetworkConfig network_of(const TransformerConfig& config) {
  return {.backbone = config, .objective = Objective::kTargetText};
}

// The keys that every published config.json of these kinds has, and more.
TransformerConfig read_seq2seq(const std::string& more, const std::string& kind = "marian") {
  const std::string text =
      R"({"model_type":")" + kind +
      R"(","vocab_size":19,"d_model":8,"encoder_layers":1,"decoder_layers":1,"encoder_attention_heads":2,)" +
      R"("decoder_attention_heads":2,"encoder_ffn_dim":4,"decoder_ffn_dim":4)" + more + "}";
  return *config_from_json(parse_json(text, "config.json"), "config.json").network.backbone.as<TransformerConfig>();
}

void seq2seq_refuses(const std::string& more, const std::string& message, const std::string& kind = "marian") {
  CAPTURE(more);
  CHECK_THROWS_WITH_AS(read_seq2seq(more, kind), ("config.json: " + message).c_str(), DataError);
}

void cannot_export(const TransformerConfig& config, const std::string& what) {
  CHECK_THROWS_WITH_AS(config_to_json({.network = network_of(config)}, {}),
                       ("export: transformers has no " + what).c_str(), UsageError);
}

}  // namespace

TEST_CASE("an encoder-decoder comes back from a Hugging Face directory with the same bits, and is written as it was") {
  const TemporaryFolder folder;
  for (const std::string kind : {"marian", "bart", "mbart", "pegasus"}) {
    for (const bool tied : {true, false}) {
      CAPTURE(kind);
      CAPTURE(tied);
      TransformerConfig c = structure_of(kind);
      c.tied_head = tied;
      if (kind == "mbart") c.forced_first_token = 7;
      AnyNetwork network = random_network(network_of(c));
      const std::string first = folder / (kind + (tied ? "1" : "2")), second = first + "-again";
      write_network(network, first);
      HuggingFaceModel back = read_hugging_face(first);
      check_equal(network.module(), back.network.module());
      write_network(back.network, second);
      for (const char* file : {"config.json", "generation_config.json", "model.safetensors"}) {
        CHECK_MESSAGE(read_plainly(first + "/" + file) == read_plainly(second + "/" + file), file);
      }
      const TransformerConfig& read = *back.network.config().backbone.as<TransformerConfig>();
      CHECK(read.forced_first_token == c.forced_first_token);
      CHECK(read.start_token == 3);
      CHECK(read.end_token == 5);
      CHECK(read.activation_dropout == 0.5);
    }
  }
}

TEST_CASE("a marian directory may have two vocabularies") {
  const TemporaryFolder folder;
  TransformerConfig c = structure_of("marian");
  c.source_vocabulary = 29;
  AnyNetwork network = random_network(network_of(c));
  write_network(network, folder / "two");
  HuggingFaceModel back = read_hugging_face(folder / "two");
  check_equal(network.module(), back.network.module());
  CHECK(back.network.backbone().source_vocabulary() == 29);
  const Json config = read_json_file(folder / "two/config.json");
  CHECK(config.at("vocab_size") == 29);
  CHECK(config.at("decoder_vocab_size") == 19);
  CHECK(config.at("share_encoder_decoder_embeddings") == false);
}

TEST_CASE("a translator with two tokenizers has them both after an export") {
  const auto words = [](const std::string& text) -> std::shared_ptr<const Tokenizer> {
    TokenizerTrainer trainer({.type = TokenizerType::kWord, .special = pair_special_tokens()});
    trainer.add_text(text);
    return trainer.train();
  };
  const Tokenizers tokenizers = {.target = words("a man sleeps"), .source = words("ein mann schläft dort")};
  const TemporaryFolder folder;
  AnyNetwork network = random_network(network_of(structure_of("marian")));
  write_hugging_face(network.module(), {.network = network.config()}, tokenizers, folder / "hf");
  const Pretrained back = open_pretrained(folder / "hf");
  REQUIRE(back.tokenizers.target != nullptr);
  REQUIRE(back.tokenizers.source != nullptr);
  CHECK(back.tokenizers.target->to_json() == tokenizers.target->to_json());
  CHECK(back.tokenizers.source->to_json() == tokenizers.source->to_json());
}

TEST_CASE("an imported encoder-decoder survives a checkpoint") {
  const TemporaryFolder folder;
  TransformerConfig c = structure_of("bart");
  c.init_std = 0.02;  // the standard deviation of new weights is not a setting of a run
  AnyNetwork network = random_network(network_of(c));
  write_network(network, folder / "bart");
  const Pretrained model = open_pretrained(folder / "bart");
  CHECK(model.config.model == "transformer");
  CHECK(model.config.task == "translate");
  TrainConfig config = model.config;
  take_dropouts(config, model.network->config());
  save_model(folder / "bart.h5", model.network->module(), {.config = to_toml(config), .manifest = "{}"});
  const Pretrained again = open_pretrained(folder / "bart.h5");
  check_equal(network.module(), again.network->module());
  write_network(*again.network, folder / "again");
  CHECK(read_plainly(folder / "bart/config.json") == read_plainly(folder / "again/config.json"));
}

TEST_CASE("a file without a bias, with the shared table under its second name, is read") {
  const TemporaryFolder folder;
  AnyNetwork network = random_network(network_of(structure_of("pegasus")));
  for (NamedParameter& p : parameters_of(network.module())) {
    if (p.name == "head.bias") p.variable.value().fill(0);
  }
  write_network(network, folder / "pegasus");
  rewrite_weights(folder / "pegasus", [](const std::string& name) {
    if (name == "final_logits_bias" || name.ends_with("embed_positions.weight")) return std::string();
    return replaced(name, "model.shared.weight", "model.encoder.embed_tokens.weight");
  });
  HuggingFaceModel back = read_hugging_face(folder / "pegasus");
  check_equal(network.module(), back.network.module());
}

TEST_CASE("copies of a table that differ from it, and positions that are no sinusoids, are refused") {
  const TemporaryFolder folder;
  TransformerConfig c = structure_of("pegasus");
  AnyNetwork pegasus = random_network(network_of(c));
  write_network(pegasus, folder / "a");
  rewrite_weights(folder / "a", [](const std::string& name) {
    if (name == "model.encoder.embed_positions.weight") return std::string("model.decoder.layer_norm.weight");
    return name == "model.decoder.layer_norm.weight" ? std::string("model.encoder.embed_positions.weight") : name;
  });
  CHECK_THROWS_WITH_AS(read_hugging_face(folder / "a"),
                       (folder / "a: model.encoder.embed_positions.weight must be the table of sinusoids").c_str(),
                       DataError);
  c = structure_of("bart");
  c.tied_head = false;
  AnyNetwork bart = random_network(network_of(c));
  write_network(bart, folder / "b");
  rewrite_weights(folder / "b", [](const std::string& name) {
    if (name == "lm_head.weight") return std::string("model.decoder.embed_tokens.weight");
    return name == "model.decoder.embed_tokens.weight" ? std::string("lm_head.weight") : name;
  });
  CHECK_THROWS_WITH_AS(
      read_hugging_face(folder / "b"),
      (folder / "b: model.decoder.embed_tokens.weight must be the same table as the others: rapt has one").c_str(),
      DataError);
}

TEST_CASE("config.json of an encoder-decoder: defaults, and settings that would be another network") {
  const TransformerConfig c = read_seq2seq("");
  CHECK(c.tied_head);
  CHECK(c.pad_token == 1);
  CHECK(c.start_token == 1);  // of marian, padding
  CHECK(c.end_token == 2);
  CHECK_FALSE(c.embedding_scale);
  CHECK(read_seq2seq(R"(,"decoder_start_token_id":2,"encoder_layerdrop":0.1)").start_token == 2);
  seq2seq_refuses(R"(,"normalize_before":true)", "\"normalize_before\" must be false, got true");
  seq2seq_refuses(R"(,"normalize_before":false)", "\"normalize_before\" must be true, got false", "mbart");
  seq2seq_refuses(R"(,"normalize_embedding":false)", "\"normalize_embedding\" must be true, got false", "bart");
  seq2seq_refuses(R"(,"static_position_embeddings":false)", "\"static_position_embeddings\" must be true, got false");
  seq2seq_refuses(R"(,"add_bias_logits":true)", "\"add_bias_logits\" must be false, got true");
  seq2seq_refuses(R"(,"is_encoder_decoder":false)", "\"is_encoder_decoder\" must be true, got false");
  seq2seq_refuses(R"(,"extra_pos_embeddings":1)", "\"extra_pos_embeddings\" must be 2, got 1", "bart");
  seq2seq_refuses(R"(,"decoder_vocab_size":20)",
                  "\"decoder_vocab_size\" must be vocab_size, as the tables are shared, got 20");
  seq2seq_refuses(R"(,"share_encoder_decoder_embeddings":false)",
                  "\"share_encoder_decoder_embeddings\" must be true, got false", "bart");
  seq2seq_refuses(R"(,"eos_token_id":19)", "\"eos_token_id\" must be an id below the vocabulary's 19, got 19");
  seq2seq_refuses(R"(,"architectures":["MarianModel"])",
                  "\"architectures\" must be one of MarianMTModel, got an array of 1");
}

TEST_CASE("an encoder-decoder that transformers has no class for is not exported") {
  TransformerConfig c = structure_of("marian");
  c.positions = PositionKind::kSinusoidal;
  cannot_export(c, "such network; it cannot be exported as a Hugging Face directory");
  c = structure_of("marian");
  c.gated = true;
  cannot_export(c, "encoder-decoder with this activation; it cannot be exported as a Hugging Face directory");
  c = structure_of("marian");
  c.norm_epsilon = 1e-6;
  cannot_export(
      c, "encoder-decoder with another epsilon in norms than 1e-5; it cannot be exported as a Hugging Face directory");
}
