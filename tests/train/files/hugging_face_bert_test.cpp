// Importing and exporting BERT and the heads of every task as Hugging Face directories.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "io/temporary_folder.h"
#include "nn/models/bert.h"
#include "nn/models/bert_pretraining.h"
#include "nn/models/gpt.h"
#include "nn/models/task_network.h"
#include "support/hugging_face_directories.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"
#include "train/files/hugging_face.h"
#include "train/models/networks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const std::vector<Task> kTasks = {Task::kClassify, Task::kRegress,  Task::kMultilabel,
                                  Task::kTag,      Task::kQuestion, Task::kChoice};

BertConfig distinct_bert() {
  BertConfig c = of_size({23, 8, 12, 2, 3}, BertConfig());
  c.feed_forward = 20;
  c.segments = 3;
  c.activation = Activation::kRelu;
  c.norm_epsilon = 1e-7;
  c.hidden_dropout = 0.2;
  c.attention_dropout = 0.3;
  return c;
}

GptConfig distinct_gpt(bool first) {
  GptConfig c = of_size({23, 8, 12, 2, 3}, first ? GptConfig::gpt1() : GptConfig::gpt2());
  return c;
}

// Every network that transformers has a class for.
std::vector<NetworkConfig> all_networks() {
  std::vector<NetworkConfig> all;
  for (const bool pooler : {true, false}) {
    BertConfig c = distinct_bert();
    c.pooler = pooler;
    all.push_back({.backbone = c, .objective = Objective::kNone});
    all.push_back({.backbone = c, .objective = Objective::kMaskedWordsNextSentence});
  }
  for (const Task task : kTasks) {
    all.push_back(with_task_head({.backbone = distinct_bert()}, task, task == Task::kRegress ? 1 : 3));
    all.push_back(with_task_head({.backbone = distinct_gpt(false)}, task, 3));
    if (task == Task::kTag || task == Task::kQuestion) continue;
    all.push_back(with_task_head({.backbone = distinct_gpt(true)}, task, 3));
  }
  GptConfig rotary = distinct_gpt(false);
  rotary.positions = PositionKind::kRotary;
  for (const Task task : kTasks) {
    if (task != Task::kChoice) all.push_back(with_task_head({.backbone = rotary}, task, 3));
  }
  return all;
}

// The parameters that keep their values.
std::vector<std::string> start_from(const std::string& directory, AnyNetwork& network, bool heads) {
  HuggingFaceModel model = read_hugging_face(directory);
  return copy_parameters(model.network, network, heads);
}

}  // namespace

TEST_CASE("every network and head comes back from a Hugging Face directory with the same bits and settings") {
  const TemporaryFolder folder;
  const std::vector<NetworkConfig> all = all_networks();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    AnyNetwork network = random_network(all[i]);
    const std::string directory = folder / std::to_string(i);
    write_hugging_face(network.module(), {.network = network.config()}, {}, directory);
    HuggingFaceModel again = read_hugging_face(directory);
    check_equal(network.module(), again.network.module());
    const NetworkConfig& c = again.network.config();
    CHECK(c.objective == all[i].objective);
    if (c.objective == Objective::kLabels) {
      CHECK(c.task.task == all[i].task.task);
      CHECK(c.task.head_width() == all[i].task.head_width());
      CHECK(c.task.bias == all[i].task.bias);
    }
    if (const auto* bert = c.backbone.as<BertConfig>()) {
      CHECK(bert->activation == Activation::kRelu);
      CHECK(bert->norm_epsilon == 1e-7);
      CHECK(bert->segments == 3);
      CHECK(bert->feed_forward == 20);
      CHECK(bert->hidden_dropout == 0.2);
      CHECK(bert->attention_dropout == 0.3);
      CHECK(bert->pooler == network.config().backbone.as<BertConfig>()->pooler);
      if (c.objective == Objective::kLabels) CHECK(c.task.dropout == all[i].task.dropout);
    }
  }
}

TEST_CASE("classes and labels have transformers' names") {
  const auto json_of = [](const NetworkConfig& network, const std::vector<std::string>& labels) {
    return config_to_json({.network = network, .labels = labels}, {});
  };
  const auto class_of = [&](const NetworkConfig& network) {
    return json_of(network, {}).at("architectures").at(0).get<std::string>();
  };
  BertConfig words = distinct_bert();
  words.pooler = false;
  CHECK(class_of({.backbone = words, .objective = Objective::kMaskedWords}) == "BertForMaskedLM");
  CHECK(class_of({.backbone = distinct_bert(), .objective = Objective::kMaskedWordsNextSentence}) ==
        "BertForPreTraining");
  CHECK(class_of({.backbone = words, .objective = Objective::kNone}) == "BertModel");
  CHECK(class_of(with_task_head({.backbone = words}, Task::kChoice, 1)) == "BertForMultipleChoice");
  CHECK(class_of(with_task_head({.backbone = distinct_gpt(true)}, Task::kChoice, 1)) == "OpenAIGPTDoubleHeadsModel");
  CHECK(class_of({.backbone = distinct_gpt(false)}) == "GPT2LMHeadModel");

  const Json json = json_of(with_task_head({.backbone = words}, Task::kMultilabel, 2), {"sport", "weather"});
  CHECK(json.at("architectures").at(0) == "BertForSequenceClassification");
  CHECK(json.at("problem_type") == "multi_label_classification");
  CHECK(json.at("id2label").at("1") == "weather");
  CHECK(json.at("label2id").at("sport") == 0);
  CHECK(config_from_json(json, "config.json").labels == std::vector<std::string>{"sport", "weather"});
  CHECK_THROWS_WITH_AS(json_of(with_task_head({.backbone = words}, Task::kTag, 3), {"O"}),
                       "export: there must be a name for each of 3 outputs, got 1", std::invalid_argument);
}

TEST_CASE("networks without a class in transformers are not exported") {
  const TemporaryFolder folder;
  NetworkConfig config = with_task_head({.backbone = distinct_gpt(true)}, Task::kTag, 3);
  AnyNetwork tagger = random_network(config);
  CHECK_THROWS_WITH_AS(write_hugging_face(tagger.module(), {.network = config}, {}, folder / "a"),
                       "export: transformers has no openai-gpt for the task tag; it cannot be exported as a Hugging "
                       "Face directory",
                       UsageError);
  config = with_task_head({.backbone = distinct_gpt(false)}, Task::kClassify, 3);
  config.task.bias = true;
  AnyNetwork biased = random_network(config);
  CHECK_THROWS_WITH_AS(write_hugging_face(biased.module(), {.network = config}, {}, folder / "b"),
                       "export: transformers' class for this network has no place for head.bias; it cannot be "
                       "exported as a Hugging Face directory",
                       UsageError);
  CHECK(!std::filesystem::exists(folder / "b"));
}

TEST_CASE("old names of BERT's tensors are read") {
  const TemporaryFolder folder;
  BertConfig c = distinct_bert();
  const NetworkConfig config{.backbone = c, .objective = Objective::kMaskedWordsNextSentence};
  AnyNetwork network = random_network(config);
  const auto write = [&](const std::string& directory) {
    write_hugging_face(network.module(), {.network = config}, {}, directory);
  };
  write(folder / "tf");
  rewrite_weights(
      folder / "tf",
      [](const std::string& name) {
        return replaced(replaced(name, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta");
      },
      "bert.embeddings.position_ids");
  check_equal(network.module(), read_hugging_face(folder / "tf").network.module());

  write(folder / "bare");
  rewrite_weights(folder / "bare", [](const std::string& name) { return replaced(name, "bert.", ""); });
  check_equal(network.module(), read_hugging_face(folder / "bare").network.module());

  write(folder / "tied");
  rewrite_weights(folder / "tied", [](const std::string& name) {
    return replaced(replaced(name, "bert.embeddings.word_embeddings.", "cls.predictions.decoder."),
                    "cls.predictions.bias", "cls.predictions.decoder.bias");
  });
  check_equal(network.module(), read_hugging_face(folder / "tied").network.module());

  // Google's own directories: a masked language model with the next-sentence head, or without a class.
  for (const char* name : {"masked", "silent"}) {
    write(folder / name);
    const std::string path = folder / name + "/config.json";
    Json json = read_json_file(path);
    if (name == std::string("masked")) {
      json["architectures"] = {"BertForMaskedLM"};
    } else {
      json.erase("architectures");
    }
    write_plainly(path, dump_pretty(json));
    check_equal(network.module(), read_hugging_face(folder / name).network.module());
  }
}

TEST_CASE("a bert setting that changes results is followed or rejected") {
  const auto read = [](const std::string& more) {
    return config_from_json(parse_json(R"({"model_type":"bert","hidden_size":12,"num_attention_heads":3,)" + more +
                                           R"("chunk_size_feed_forward":7})",
                                       "config.json"),
                            "config.json");
  };
  const auto bert = [&](const std::string& more) { return *read(more).network.backbone.as<BertConfig>(); };
  CHECK(bert(R"("hidden_act":"gelu",)").activation == Activation::kGelu);
  CHECK(bert(R"("hidden_act":"gelu_new",)").activation == Activation::kGeluTanh);
  CHECK(bert(R"("hidden_act":"linear",)").activation == Activation::kNone);
  CHECK(bert(R"("type_vocab_size":1,)").segments == 1);
  CHECK(bert("").norm_epsilon == 1e-12);
  CHECK(bert("").inner_width() == 3072);
  CHECK_THROWS_WITH_AS(read(R"("position_embedding_type":"relative_key",)"),
                       "config.json: \"position_embedding_type\" must be absolute, got \"relative_key\"", DataError);
  CHECK_THROWS_WITH_AS(read(R"("is_decoder":true,)"),
                       "config.json: \"is_decoder\" must be false: rapt's BERT is an encoder, got true", DataError);
  CHECK_THROWS_AS(read(R"("add_cross_attention":true,)"), DataError);
  CHECK_THROWS_AS(read(R"("hidden_act":"gelu_10",)"), DataError);
  CHECK_THROWS_AS(read(R"("pruned_heads":{"0":[1]},)"), DataError);
  CHECK_THROWS_AS(read(R"("embedding_size":6,)"), DataError);
  CHECK_THROWS_AS(read(R"("layer_norm_eps":0,)"), DataError);
  CHECK_THROWS_AS(read(R"("num_hidden_layers":0,)"), DataError);
  CHECK_THROWS_AS(read(R"("architectures":["BertForMaskedLM"],"tie_word_embeddings":false,)"), DataError);
  CHECK_THROWS_AS(read(R"("architectures":["BertLMHeadModel"],)"), DataError);

  const std::string classifier = R"("architectures":["BertForSequenceClassification"],)";
  CHECK(read(classifier).network.task.task == Task::kClassify);
  CHECK(read(classifier).labels == std::vector<std::string>{"LABEL_0", "LABEL_1"});
  CHECK(read(classifier + R"("num_labels":1,)").network.task.task == Task::kRegress);
  CHECK(read(classifier + R"("problem_type":"multi_label_classification",)").network.task.task == Task::kMultilabel);
  CHECK(read(classifier).network.task.dropout == 0.1);
  CHECK(read(classifier + R"("classifier_dropout":0.4,)").network.task.dropout == 0.4);
  CHECK_THROWS_AS(read(classifier + R"("problem_type":"ranking",)"), DataError);
  CHECK(read(classifier + R"("id2label":{"1":"b","0":"a"},)").labels == std::vector<std::string>{"a", "b"});
  for (const char* bad :
       {R"({"0":"a","2":"b"})", R"({"0":"a","x":"b"})", R"({"0":"a","00":"b"})", R"({"0":1})", "{}", R"({"-1":"a"})"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(read(classifier + R"("id2label":)" + bad + ","), DataError);
  }
  CHECK_THROWS_AS(read(R"("architectures":["BertForQuestionAnswering"],"num_labels":3,)"), DataError);

  const std::string double_heads =
      R"({"model_type":"openai-gpt","architectures":["OpenAIGPTDoubleHeadsModel"],"num_labels":1,)";
  const auto read_double = [&](const std::string& more) {
    return config_from_json(parse_json(double_heads + more + R"("n_embd":12,"n_head":3})", "config.json"), "c").network;
  };
  CHECK(read_double("").task.dropout == 0.1);
  CHECK(read_double(R"("summary_first_dropout":0,)").task.dropout == 0);
  CHECK_THROWS_AS(read_double(R"("summary_type":"mean",)"), DataError);
  CHECK_THROWS_AS(read_double(R"("summary_activation":"tanh",)"), DataError);
  CHECK_THROWS_AS(read_double(R"("summary_last_dropout":0.1,)"), DataError);
}

TEST_CASE("a network for a new task starts from any directory of its backbone, and reports the new parameters") {
  const TemporaryFolder folder;
  const std::vector<NetworkConfig> sources = {
      {.backbone = distinct_bert(), .objective = Objective::kMaskedWordsNextSentence},
      {.backbone = distinct_bert(), .objective = Objective::kNone},
      with_task_head({.backbone = distinct_bert()}, Task::kTag, 5),  // without a pooler
      with_task_head({.backbone = distinct_bert()}, Task::kClassify, 3)};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    CAPTURE(i);
    AnyNetwork source = random_network(sources[i]);
    const std::string directory = folder / std::to_string(i);
    write_hugging_face(source.module(), {.network = sources[i]}, {}, directory);

    const NetworkConfig wanted = with_task_head(read_hugging_face_config(directory).network, Task::kClassify, 3);
    AnyNetwork network = random_network(wanted, 9), before = random_network(wanted, 9);
    const std::vector<std::string> fresh = start_from(directory, network, false);
    std::vector<std::string> expected = {"head.weight", "head.bias"};
    if (i == 2) expected = {"backbone.pooler.weight", "backbone.pooler.bias", "head.weight", "head.bias"};
    CHECK(fresh == expected);
    std::map<std::string, Tensor> theirs;
    for (const NamedParameter& p : parameters_of(source.module())) {
      theirs[p.name.starts_with("backbone.") ? p.name : "backbone." + p.name] = p.variable.value();
    }
    const auto initial = parameters_of(before.module());
    const auto now = parameters_of(network.module());
    for (std::size_t k = 0; k < now.size(); ++k) {
      CAPTURE(now[k].name);
      const bool is_fresh = std::ranges::find(fresh, now[k].name) != fresh.end();
      CHECK(same_bits(now[k].variable.value(), is_fresh ? initial[k].variable.value() : theirs.at(now[k].name)));
    }
  }
}

TEST_CASE("a vocabulary may have grown, and pretraining continues with its heads") {
  const TemporaryFolder folder;
  const NetworkConfig config{.backbone = distinct_gpt(true)};
  AnyNetwork source = random_network(config);
  write_hugging_face(source.module(), {.network = config}, {}, folder / "gpt");
  GptConfig larger = distinct_gpt(true);
  larger.vocabulary = 26;
  const NetworkConfig wanted = with_task_head({.backbone = larger}, Task::kClassify, 2);
  AnyNetwork network = random_network(wanted, 9), before = random_network(wanted, 9);
  CHECK(start_from(folder / "gpt", network, false) == std::vector<std::string>{"head.weight"});
  const Tensor table = parameters_of(network.module())[0].variable.value();
  CHECK(same_bits(table.slice(0, 23), parameters_of(source.module())[0].variable.value()));
  CHECK(same_bits(table.slice(23, 26), parameters_of(before.module())[0].variable.value().slice(23, 26)));

  const NetworkConfig pretraining{.backbone = distinct_bert(), .objective = Objective::kMaskedWordsNextSentence};
  AnyNetwork bert = random_network(pretraining), again = random_network(pretraining, 9);
  write_hugging_face(bert.module(), {.network = pretraining}, {}, folder / "bert");
  CHECK(start_from(folder / "bert", again, true).empty());
  check_equal(bert.module(), again.module());
  CHECK_THROWS_WITH_AS(copy_parameters(bert, network, false), "init: a BERT cannot start a GPT", DataError);
}

TEST_CASE("a missing or superfluous tensor is named") {
  const TemporaryFolder folder;
  const NetworkConfig config = with_task_head({.backbone = distinct_bert()}, Task::kTag, 3);
  AnyNetwork network = random_network(config);
  const auto write = [&](const char* name) {
    write_hugging_face(network.module(), {.network = config}, {}, folder / name);
    return folder / name;
  };
  const std::string missing = write("missing");
  rewrite_weights(
      missing, [](const std::string& name) { return name.ends_with("layer.1.attention.self.key.weight") ? "" : name; });
  CHECK_THROWS_WITH_AS(read_hugging_face(missing),
                       (missing + ": the weights have no bert.encoder.layer.1.attention.self.key.weight").c_str(),
                       DataError);
  const std::string unknown = write("unknown");
  rewrite_weights(
      unknown, [](const std::string& name) { return name; }, "bert.encoder.layer.2.output.dense.bias");
  CHECK_THROWS_WITH_AS(read_hugging_face(unknown),
                       (unknown + ": bert.encoder.layer.2.output.dense.bias is not a parameter of the network that "
                                  "config.json names")
                           .c_str(),
                       DataError);
}
