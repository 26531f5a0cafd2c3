// Importing and exporting GPTs with rotary positions as Hugging Face directories of gpt_neox.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>

#include "io/temporary_folder.h"
#include "nn/models/gpt.h"
#include "support/hugging_face_directories.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/files/hugging_face.h"
#include "train/files/pretrained.h"
#include "train/models/networks.h"
#include "train/settings/config_file.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

GptConfig small_neox() {
  GptConfig c = of_size({23, 8, 12, 2, 3}, GptConfig());
  c.positions = PositionKind::kRotary;
  return c;
}

Json config_of(const GptConfig& config) { return config_to_json({.network = {.backbone = config}}, {}); }

GptConfig gpt_of(const Json& config) {
  return *config_from_json(config, "config.json").network.backbone.as<GptConfig>();
}

// The keys that every published config.json of the kind has, and more.
GptConfig read_neox(const std::string& more) {
  return gpt_of(
      parse_json(R"({"model_type":"gpt_neox","hidden_size":16,"num_attention_heads":2)" + more + "}", "config.json"));
}

void neox_refuses(const std::string& more, const std::string& message) {
  CAPTURE(more);
  CHECK_THROWS_WITH_AS(read_neox(more), ("config.json: " + message).c_str(), DataError);
}

// A file's f32 tensor.
std::vector<float> tensor(const std::string& directory, const std::string& name) {
  const SafetensorsFile file(directory + "/model.safetensors");
  const SafetensorsEntry* const entry = file.find(name);
  REQUIRE(entry != nullptr);
  std::vector<float> values(static_cast<std::size_t>(entry->count()));
  file.read_f32(*entry, values);
  return values;
}

}  // namespace

TEST_CASE("a GPT with rotary positions comes back from a Hugging Face directory with the same bits and settings") {
  const TemporaryFolder folder;
  for (const bool tied : {true, false}) {
    for (const bool parallel : {true, false}) {
      CAPTURE(tied);
      CAPTURE(parallel);
      GptConfig c = small_neox();
      c.tied_head = tied;
      c.parallel_residual = parallel;
      c.rotary_share = parallel ? 0.5 : 1;
      c.rotary_base = parallel ? 500 : 10000;
      c.feed_forward = parallel ? 20 : 0;
      c.activation = parallel ? Activation::kGelu : Activation::kGeluTanh;
      c.norm_epsilon = 1e-6;
      c.embedding_dropout = c.residual_dropout = 0.25;
      c.attention_dropout = 0.125;
      AnyNetwork network = random_network({.backbone = c});
      const std::string directory = folder / (std::to_string(tied) + std::to_string(parallel));
      write_network(network, directory);
      HuggingFaceModel model = read_hugging_face(directory);
      check_equal(network.module(), model.network.module());
      const GptConfig& again = gpt_of(model.network.network()).config();
      CHECK(again.positions == PositionKind::kRotary);
      CHECK(again.norm == NormPlacement::kPre);
      CHECK(again.tied_head == tied);
      CHECK(again.parallel_residual == parallel);
      CHECK(again.rotary_share == c.rotary_share);
      CHECK(again.rotary_base == c.rotary_base);
      CHECK(again.feed_forward == c.feed_forward);
      CHECK(again.activation == c.activation);
      CHECK(again.norm_epsilon == 1e-6);
      CHECK(again.embedding_dropout == 0.25);
      CHECK(again.residual_dropout == 0.25);
      CHECK(again.attention_dropout == 0.125);

      TrainConfig config;
      take_network_settings(config, model.network.config());
      save_model(folder / "m.h5", network.module(), {.config = to_toml(config), .tokenizers = {}, .manifest = "{}"});
      check_equal(network.module(), open_pretrained(folder / "m.h5").network->module());
      CHECK(gpt_of(open_pretrained(folder / "m.h5").language_model()).config().rotary_base == c.rotary_base);
    }
  }
}

TEST_CASE("query_key_value has the rows of one head after the other: its query, its key, its value") {
  const TemporaryFolder folder;
  GptConfig c = small_neox();
  c.width = 4;
  c.heads = 2;
  c.layers = 1;
  AnyNetwork network = random_network({.backbone = c});
  for (NamedParameter& p : parameters_of(network.module())) {  // row r is r, r + 0.1, r + 0.2, r + 0.3
    if (!p.name.starts_with("blocks.0.attention.qkv.")) continue;
    const std::span<float> values = p.variable.value().span<float>();
    const std::size_t columns = values.size() / 12;
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(i / columns) + 0.1F * static_cast<float>(i % columns);
    }
  }
  write_network(network, folder / "hf");
  // Ours: queries 0 1 | 2 3, keys 4 5 | 6 7, values 8 9 | 10 11, of head 0 | head 1.
  constexpr std::array<int, 12> kRows{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11};
  const std::vector<float> weight = tensor(folder / "hf", "gpt_neox.layers.0.attention.query_key_value.weight"),
                           bias = tensor(folder / "hf", "gpt_neox.layers.0.attention.query_key_value.bias");
  REQUIRE(weight.size() == 48);
  REQUIRE(bias.size() == 12);
  for (std::size_t row = 0; row < 12; ++row) {
    CAPTURE(row);
    CHECK(bias[row] == static_cast<float>(kRows[row]));
    for (std::size_t column = 0; column < 4; ++column) {
      CHECK(weight[4 * row + column] == static_cast<float>(kRows[row]) + 0.1F * static_cast<float>(column));
    }
  }
}

TEST_CASE("tensors have the names and config.json the keys of transformers' gpt_neox") {
  const TemporaryFolder folder;
  GptConfig c = small_neox();
  c.layers = 1;
  c.tied_head = false;
  AnyNetwork network = random_network({.backbone = c});
  write_network(network, folder / "hf");
  std::vector<std::string> names;
  const SafetensorsFile file(folder / "hf/model.safetensors");
  for (const SafetensorsEntry& entry : file.tensors()) names.push_back(entry.name);
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{
                     "embed_out.weight", "gpt_neox.embed_in.weight", "gpt_neox.final_layer_norm.bias",
                     "gpt_neox.final_layer_norm.weight", "gpt_neox.layers.0.attention.dense.bias",
                     "gpt_neox.layers.0.attention.dense.weight", "gpt_neox.layers.0.attention.query_key_value.bias",
                     "gpt_neox.layers.0.attention.query_key_value.weight", "gpt_neox.layers.0.input_layernorm.bias",
                     "gpt_neox.layers.0.input_layernorm.weight", "gpt_neox.layers.0.mlp.dense_4h_to_h.bias",
                     "gpt_neox.layers.0.mlp.dense_4h_to_h.weight", "gpt_neox.layers.0.mlp.dense_h_to_4h.bias",
                     "gpt_neox.layers.0.mlp.dense_h_to_4h.weight", "gpt_neox.layers.0.post_attention_layernorm.bias",
                     "gpt_neox.layers.0.post_attention_layernorm.weight"});

  const Json json = config_of(small_neox());
  CHECK(json.at("architectures") == Json({"GPTNeoXForCausalLM"}));
  CHECK(json.at("hidden_size") == 12);
  CHECK(json.at("intermediate_size") == 48);
  CHECK(json.at("max_position_embeddings") == 8);
  CHECK(json.at("hidden_act") == "gelu_new");
  CHECK(json.at("use_parallel_residual") == false);
  CHECK(json.at("rotary_pct") == 1);
  CHECK(json.at("rotary_emb_base") == 10000);
  CHECK(json.at("rope_parameters").at("rope_theta") == 10000);
  CHECK(json.at("rope_parameters").at("partial_rotary_factor") == 1);
  CHECK(json.at("attention_bias") == true);
  CHECK(json.at("tie_word_embeddings") == true);
  const auto class_of = [&](Task task) {
    const NetworkConfig network = with_task_head({.backbone = c}, task, 3);
    return config_to_json({.network = network}, {}).at("architectures").at(0).get<std::string>();
  };
  CHECK(class_of(Task::kMultilabel) == "GPTNeoXForSequenceClassification");
  CHECK(class_of(Task::kTag) == "GPTNeoXForTokenClassification");
  CHECK(class_of(Task::kQuestion) == "GPTNeoXForQuestionAnswering");
}

TEST_CASE("a GPT with rotary positions and no biases is exported with zeros for them") {
  const TemporaryFolder folder;
  GptConfig c = small_neox();
  c.bias = false;
  AnyNetwork network = random_network({.backbone = c});
  write_network(network, folder / "hf");
  for (const float x : tensor(folder / "hf", "gpt_neox.layers.1.attention.query_key_value.bias")) CHECK(x == 0);
  CHECK(tensor(folder / "hf", "gpt_neox.layers.1.input_layernorm.bias").size() == 12);
}

TEST_CASE("GPTs without a class in transformers are not exported, and the message says what to do") {
  const auto refuses_export = [](const NetworkConfig& network, const char* message) {
    CHECK_THROWS_WITH_AS(config_to_json({.network = network}, {}), message, UsageError);
  };
  GptConfig sinusoidal = small_neox();
  sinusoidal.positions = PositionKind::kSinusoidal;
  refuses_export({.backbone = sinusoidal},
                 "export: transformers has no GPT with sinusoidal positions; train it with --position learned or rope "
                 "to export it");
  GptConfig scaled = small_neox();
  scaled.scale_attention_by_inverse_layer = true;
  refuses_export({.backbone = scaled},
                 "export: transformers has no gpt_neox with this scale of attention scores; train it with "
                 "--attention-scale on and --attention-layer-scale off to export it");
  refuses_export(with_task_head({.backbone = small_neox()}, Task::kChoice, 1),
                 "export: transformers has no gpt_neox for the task choice; fine-tune a model with --position learned "
                 "to export it");
  GptConfig parallel = small_neox();
  parallel.positions = PositionKind::kLearned;
  parallel.parallel_residual = true;
  refuses_export({.backbone = parallel},
                 "export: transformers has no gpt2 with a parallel residual; train it with --position rope to export "
                 "it");
}

TEST_CASE("published forms of gpt_neox are read") {
  // EleutherAI/pythia-70m, as transformers 4.24 wrote it.
  const GptConfig pythia =
      gpt_of(parse_json(R"({"architectures":["GPTNeoXForCausalLM"],"bos_token_id":0,"eos_token_id":0,
      "hidden_act":"gelu","hidden_size":512,"initializer_range":0.02,"intermediate_size":2048,"layer_norm_eps":1e-05,
      "max_position_embeddings":2048,"model_type":"gpt_neox","num_attention_heads":8,"num_hidden_layers":6,
      "rotary_emb_base":10000,"rotary_pct":0.25,"tie_word_embeddings":false,"torch_dtype":"float16",
      "transformers_version":"4.24.0","use_cache":true,"use_parallel_residual":true,"vocab_size":50304})",
                        "config.json"));
  CHECK(pythia.rotary_width() == 16);
  CHECK(pythia.parallel_residual);
  CHECK(pythia.activation == Activation::kGelu);
  CHECK_FALSE(pythia.tied_head);
  CHECK(pythia.context == 2048);
  CHECK(pythia.inner_width() == 2048);
  Initializer init = Initializer::unset();
  CHECK(parameter_count(AnyNetwork({.backbone = pythia}, init).module()) == 70426624);

  const GptConfig absent = read_neox("");  // transformers' defaults
  CHECK(absent.rotary_share == 0.25);
  CHECK(absent.parallel_residual);
  CHECK_FALSE(absent.tied_head);
  CHECK(absent.inner_width() == 24576);
  const GptConfig later =  // transformers 5
      read_neox(R"(,"rope_parameters":{"partial_rotary_factor":0.5,"rope_theta":500.0,"rope_type":"default"})");
  CHECK(later.rotary_share == 0.5);
  CHECK(later.rotary_base == 500);
  CHECK(read_neox(R"(,"rotary_pct":1.0,"rope_parameters":{"rope_theta":500.0})").rotary_share == 1);
  CHECK(read_neox(R"(,"rotary_pct":0.5,"rope_scaling":null)").rotary_share == 0.5);
}

TEST_CASE("a gpt_neox setting that changes results is followed or rejected") {
  neox_refuses(R"(,"rope_scaling":{"type":"linear","factor":2.0})",
               R"("rope_scaling.type" must be default, got "linear")");
  neox_refuses(R"(,"rope_parameters":{"rope_type":"yarn"})",
               R"("rope_parameters.rope_type" must be default, got "yarn")");
  neox_refuses(R"(,"rotary_pct":0)", R"("rotary_pct" must be above 0 and at most 1, got 0)");
  neox_refuses(R"(,"rotary_pct":1.5)", R"("rotary_pct" must be above 0 and at most 1, got 1.5)");
  neox_refuses(R"(,"rotary_pct":0.125)",
               R"("rotary_pct" must be a share that gives an even number of a head's 8 columns, got 0.125)");
  neox_refuses(R"(,"rotary_pct":"all")", R"("rotary_pct" must be a number, got "all")");
  neox_refuses(R"(,"rotary_emb_base":0)", R"("rotary_emb_base" must be positive, got 0)");
  neox_refuses(R"(,"rope_parameters":{"partial_rotary_factor":2})",
               R"("rope_parameters.partial_rotary_factor" must be above 0 and at most 1, got 2)");
  neox_refuses(R"(,"rope_parameters":{"rope_theta":-1})", R"("rope_parameters.rope_theta" must be positive, got -1)");
  neox_refuses(R"(,"rope_parameters":[1])", R"("rope_parameters" must be an object, got an array of 1)");
  neox_refuses(R"(,"attention_bias":false)",
               R"("attention_bias" must be true: rapt's layers all have biases or none has, got false)");
  neox_refuses(R"(,"hidden_act":"mish")",
               R"("hidden_act" must be one of gelu_new, gelu, gelu_pytorch_tanh, gelu_fast, )"
               "gelu_accurate, gelu_python, relu, silu, swish, tanh, sigmoid, quick_gelu, "
               R"(linear, got "mish")");
  neox_refuses(R"(,"layer_norm_eps":0)", R"("layer_norm_eps" must be positive, got 0)");
  neox_refuses(R"(,"num_hidden_layers":0)", R"("num_hidden_layers" must be a positive integer, got 0)");
  neox_refuses(R"(,"architectures":["GPTNeoXModel"])",
               R"("architectures" must be one of GPTNeoXForCausalLM, GPTNeoXForSequenceClassification, )"
               R"(GPTNeoXForTokenClassification, GPTNeoXForQuestionAnswering, got an array of 1)");
  CHECK_THROWS_WITH_AS(
      config_from_json(parse_json(R"({"model_type":"gpt_neox","hidden_size":10,"num_attention_heads":3})", "c"), "c"),
      "c: \"num_attention_heads\" must be a divisor of hidden_size, which is 10, got 3", DataError);
  const auto tagger = [](const std::string& more) {
    return config_from_json(
               parse_json(R"({"model_type":"gpt_neox","architectures":["GPTNeoXForTokenClassification"])" + more + "}",
                          "c"),
               "c")
        .network.task;
  };
  CHECK(tagger("").dropout == 0.1);
  CHECK(tagger(R"(,"classifier_dropout":0.4)").dropout == 0.4);
  CHECK(tagger("").bias);
}

TEST_CASE("old and new names of gpt_neox's tensors are read") {
  const TemporaryFolder folder;
  GptConfig c = small_neox();
  c.tied_head = false;
  AnyNetwork untied = random_network({.backbone = c}), tied = random_network({.backbone = small_neox()});
  const auto keep = [](const std::string& name) { return name; };
  for (const char* buffer : {"gpt_neox.layers.1.attention.bias", "gpt_neox.layers.0.attention.masked_bias",
                             "gpt_neox.layers.0.attention.rotary_emb.inv_freq"}) {
    CAPTURE(buffer);
    write_network(untied, folder / "old");
    rewrite_weights(folder / "old", keep, buffer);
    check_equal(untied.module(), read_hugging_face(folder / "old").network.module());
  }
  write_network(untied, folder / "new");
  rewrite_weights(folder / "new", [](const std::string& name) { return replaced(name, "embed_out", "lm_head"); });
  check_equal(untied.module(), read_hugging_face(folder / "new").network.module());
  write_network(untied, folder / "bare");
  rewrite_weights(folder / "bare", [](const std::string& name) { return replaced(name, "gpt_neox.", ""); });
  check_equal(untied.module(), read_hugging_face(folder / "bare").network.module());
  write_network(tied, folder / "tied");
  rewrite_weights(folder / "tied",
                  [](const std::string& name) { return replaced(name, "gpt_neox.embed_in", "embed_out"); });
  check_equal(tied.module(), read_hugging_face(folder / "tied").network.module());
  write_network(tied, folder / "both");
  rewrite_weights(folder / "both", keep, "embed_out.weight");
  check_equal(tied.module(), read_hugging_face(folder / "both").network.module());
  write_network(untied, folder / "headless");
  rewrite_weights(folder / "headless", [](const std::string& name) { return name == "embed_out.weight" ? "" : name; });
  CHECK_THROWS_WITH_AS(read_hugging_face(folder / "headless"),
                       (folder / "headless" + ": the weights have no embed_out.weight").c_str(), DataError);
}

TEST_CASE("bf16 weights of gpt_neox become the same f32 as their upper halves, in our order") {
  const TemporaryFolder folder;
  AnyNetwork network = random_network({.backbone = small_neox()});
  for (NamedParameter& p : parameters_of(network.module())) {  // representable in bf16
    for (float& x : p.variable.value().span<float>()) {
      x = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xFFFF0000U);
    }
  }
  write_network(network, folder / "hf");
  std::vector<SafetensorsSpec> specs;
  std::vector<std::string> bytes;
  {
    const SafetensorsFile file(folder / "hf/model.safetensors");
    for (const SafetensorsEntry& entry : file.tensors()) {
      specs.push_back({.name = entry.name, .type = ElementType::kBF16, .shape = entry.shape});
      const std::string whole = file.read_bytes(entry);
      std::string& half = bytes.emplace_back();
      for (std::size_t i = 0; i < whole.size(); i += 4) half += whole.substr(i + 2, 2);
    }
  }
  write_safetensors(folder / "hf/model.safetensors", specs,
                    [&](std::size_t i, const ByteSink& sink) { sink(bytes[i].data(), bytes[i].size()); });
  check_equal(network.module(), read_hugging_face(folder / "hf").network.module());
}

TEST_CASE("gpt_neox weights that do not fit the configuration are named with both shapes") {
  const TemporaryFolder folder;
  AnyNetwork network = random_network({.backbone = small_neox()});
  write_network(network, folder / "hf");
  const std::string path = folder / "hf/config.json";
  Json json = read_json_file(path);
  json["hidden_size"] = 24;
  write_plainly(path, dump_pretty(json));
  CHECK_THROWS_WITH_AS(read_hugging_face(folder / "hf"),
                       (folder / "hf" + ": gpt_neox.embed_in.weight is [23, 12], config.json needs [23, 24]").c_str(),
                       DataError);
}
