// The table of model families: every record is complete, and its settings and configurations describe the same network.
#include "train/models/family.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "train/models/hugging_face_config.h"
#include "train/models/networks.h"
#include "train/settings/settings.h"

using namespace rapt;

namespace {

// Settings of a model that differ from the defaults, where every family has them.
TrainConfig settings_of(const std::string& model) {
  TrainConfig c;
  c.model = model;
  c.task = family_named(model).usual_task;
  c.layers = 3;
  c.width = 8;
  c.context = 16;
  c.residual_dropout = 0.25;
  if (!c.has_heads()) {
    c.init_range = 0.5;
    return c;
  }
  c.heads = 2;
  c.feed_forward = 12;
  c.activation = "relu";
  c.norm_epsilon = 1e-7;
  c.attention_dropout = 0.125;
  if (!c.has_source()) return c;
  c.position_offset = 2;  // BART's structure
  c.embedding_norm = true;
  return c;
}

// The same with every part that a recurrent network may have; other models as settings_of.
TrainConfig richest_settings_of(const std::string& model) {
  TrainConfig c = settings_of(model);
  if (c.has_heads()) return c;
  c.task = "translate";
  c.decoder_layers = 2;
  c.embedding_width = 6;
  c.tie = false;  // the output layer is wider
  c.attention = "concat";
  c.input_feeding = true;
  c.bidirectional = true;
  return c;
}

}  // namespace

TEST_CASE("the names of all families are the choices of --model, each of one family") {
  std::vector<std::string> names;
  for (const ModelFamily& family : model_families()) {
    names.insert(names.end(), family.names.begin(), family.names.end());
    for (const std::string& name : family.names) CHECK(&family_named(name) == &family);
  }
  std::vector<std::string> choices = find_setting("model")->choices;
  std::ranges::sort(names);
  std::ranges::sort(choices);
  CHECK(names == choices);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("an unknown family is rejected with the existing names and the most similar one") {
  CHECK(message_of<UsageError>([] { family_named("brt"); }) ==
        "--model must be one of gpt2, gpt1, bert, transformer, lstm, gru, got \"brt\"; did you mean bert?");
}

TEST_CASE("a backbone made from settings gives the same settings, for every model") {
  for (const std::string& model : find_setting("model")->choices) {
    CAPTURE(model);
    const ModelFamily& family = family_named(model);
    const TrainConfig config = richest_settings_of(model);
    const BackboneConfig backbone = family.backbone(config, 11);
    CHECK(&family_of(backbone) == &family);
    CHECK(backbone.vocabulary() == 11);
    CHECK(backbone.context() == 16);

    TrainConfig again;
    again.task = config.task;
    again.pooler = config.pooler;
    family.take_structure(again, backbone);
    CHECK(again.model == model);
    CHECK_FALSE(again.residual_dropout.has_value());  // dropouts are copied separately
    family.take_dropouts(again, backbone);
    again.embedding_dropout = config.embedding_dropout;  // one of them may stand for several
    CHECK(again == config);
  }
}

TEST_CASE("every family supports its default task, and names unsupported ones") {
  for (const ModelFamily& family : model_families()) {
    CAPTURE(family.title);
    CHECK(family.can_learn(find_task_word(family.usual_task).objective));
    CHECK(family.can_learn(Objective::kLabels) != family.can_learn(Objective::kTargetText));
    TrainConfig config = settings_of(family.names.front());
    for (const TaskWord& word : task_words()) {
      CAPTURE(word.name);
      config.task = word.name;
      config.labels =
          word.objective == Objective::kLabels ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{};
      if (family.can_learn(word.objective)) {
        CHECK(network_config(config, 11).objective == word.objective);
      } else {
        CHECK_THROWS_AS(network_config(config, 11), UsageError);
      }
    }
  }
  TrainConfig gpt = settings_of("gpt2"), bert = settings_of("bert");
  gpt.task = "mlm";
  CHECK(message_of<UsageError>([&] { network_config(gpt, 11); }) ==
        "--task mlm needs a model that sees both sides of a word, got --model gpt2; use --model bert");
  bert.task = "lm";
  CHECK(message_of<UsageError>([&] { network_config(bert, 11); }) ==
        "--model bert does not predict the next token; use --task mlm-nsp, or --model gpt2");
  gpt.task = "embed";
  CHECK(message_of<UsageError>([&] { network_config(gpt, 11); }) ==
        "--model gpt2 cannot be used for --task embed; use --model bert");
}

TEST_CASE("a network that predicts the next token decodes, and no other does") {
  for (const std::string& model : find_setting("model")->choices) {
    CAPTURE(model);
    const ModelFamily& family = family_named(model);
    const bool has_source = family.can_learn(Objective::kTargetText);
    CHECK((family.decoder != nullptr) == (family.can_learn(Objective::kNextToken) || has_source));
    Initializer init(1);
    const AnyNetwork network(network_config(settings_of(model), 11), init);
    if (family.decoder != nullptr) {
      const Stream source = make_stream(std::vector<Dim>{2, 1}, {3, 4, 5});
      const bool encodes = network.config().objective == Objective::kTargetText;
      const auto decoder = make_decoder(network, 2, encodes ? &source : nullptr);
      CHECK(decoder->sequences() == 2);
      CHECK(decoder->vocabulary() == 11);
    } else {
      CHECK(message_of<UsageError>([&] { make_decoder(network, 1); }) ==
            "model: a " + family.title + " does not predict the next token");
    }
  }
}

TEST_CASE("a structure that a family does not have is rejected before a network is made") {
  TrainConfig first = settings_of("gpt1");
  first.position = "rope";
  CHECK(message_of<UsageError>([&] { check_structure(first); }) ==
        "--model gpt1 has learned positions, got --position rope; use --model gpt2");
  TrainConfig bert = settings_of("bert");
  bert.bias = false;
  CHECK(message_of<UsageError>([&] { check_structure(bert); }) ==
        "--model bert has bias terms and a tied head, got --bias off or --tie off");
  check_structure(settings_of("gpt2"));
}

TEST_CASE("the sizes of every model are those of its network") {
  for (const std::string& model : find_setting("model")->choices) {
    for (const TaskWord& word : task_words()) {
      TrainConfig config = settings_of(model);
      config.task = word.name;
      if (!family_named(model).can_learn(word.objective) || word.objective == Objective::kLabels) continue;
      CAPTURE(model);
      CAPTURE(word.name);
      Initializer init = Initializer::unset();
      AnyNetwork network(network_config(config, 11), init);
      const ModelSize size = model_size(config, 11);
      CHECK(size.parameters + size.in_heads == parameter_count(network.module()));
    }
  }
}

TEST_CASE("the sizes of recurrent networks are those of their networks, with every kind of attention") {
  for (const std::string& attention : find_setting("attention")->choices) {
    for (const bool both : {false, true}) {
      for (const bool bias : {false, true}) {
        if (both && attention == "dot") continue;
        TrainConfig config = richest_settings_of("gru");
        config.attention = attention;
        config.input_feeding = attention == "general";
        config.bidirectional = both;
        config.bias = bias;
        CAPTURE(attention);
        CAPTURE(both);
        Initializer init = Initializer::unset();
        AnyNetwork network(network_config(config, {11, 7}), init);
        CHECK(model_size(config, {11, 7}).parameters == parameter_count(network.module()));
      }
    }
  }
}

TEST_CASE("structures that recurrent networks do not have are rejected") {
  const auto refused = [](auto&& change) {
    TrainConfig config = richest_settings_of("lstm");
    change(config);
    return message_of<UsageError>([&] { check_structure(config); });
  };
  CHECK(refused([](TrainConfig& c) { c.task = "lm"; }) ==
        "--attention concat requires --task translate or summarize, got --task lm");
  CHECK(refused([](TrainConfig& c) { c.task = "lm", c.attention = "none"; }) ==
        "--bidirectional requires --task translate or summarize, got --task lm");
  CHECK(refused([](TrainConfig& c) { c.attention = "dot"; }) ==
        "--attention dot needs an encoder as wide as the decoder, got --bidirectional; use --attention general");
  CHECK(refused([](TrainConfig& c) { c.attention = "additive"; }) ==
        "--input-feeding requires --attention dot, general or concat, got --attention additive");
  CHECK(refused([](TrainConfig& c) { c.init_std = 0.1; }) ==
        "--init-range and --init-std exclude each other; leave one out");
}

TEST_CASE("the parameters of every network are in the groups of its family") {
  for (const std::string& model : find_setting("model")->choices) {
    CAPTURE(model);
    TrainConfig config = richest_settings_of(model);
    config.decoder_layers = 0;  // as many
    const bool labelled = family_named(model).can_learn(Objective::kLabels);
    if (labelled) {
      config.task = "classify";
      config.labels = {"a", "b"};
    }
    Initializer init = Initializer::unset();
    AnyNetwork network(network_config(config, {11, labelled ? 0 : 7}), init);
    const ParameterGroups& groups = family_named(model).parameters;
    const auto in_block = [&](const std::string& name) {
      return std::ranges::any_of(groups.blocks, [&](const std::string& stack) { return name.starts_with(stack); });
    };
    std::size_t in_blocks = 0;
    std::set<std::string> unused(groups.embeddings.begin(), groups.embeddings.end());
    unused.insert(groups.before_head.begin(), groups.before_head.end());
    for (const NamedParameter& p : parameters_of(network.module())) {
      const std::string backbone = backbone_prefix(network.config());
      if (!p.name.starts_with(backbone)) continue;
      const std::string name = p.name.substr(backbone.size());
      const auto begins = [&](const std::string& text) { return name.starts_with(text); };
      std::erase_if(unused, begins);
      const bool grouped = in_block(name) || std::ranges::any_of(groups.embeddings, begins) ||
                           std::ranges::any_of(groups.before_head, begins);
      CHECK_MESSAGE((grouped || begins("norm.")), name);  // a norm above the blocks always learns at the full rate
      in_blocks += in_block(name) ? 1 : 0;
    }
    CHECK(unused.empty());
    CHECK(in_blocks % static_cast<std::size_t>(config.layers) == 0);
    CHECK(in_blocks > 0);
  }
}

TEST_CASE("a backbone has one kind of config.json, whose names cover its parameters") {
  for (const std::string& model : find_setting("model")->choices) {
    CAPTURE(model);
    if (family_named(model).hugging_face.empty()) continue;
    const TrainConfig config = settings_of(model);
    const NetworkConfig network = network_config(config, 11);
    std::size_t holding = 0;
    for (const ModelFamily& family : model_families()) {
      for (const HuggingFaceKind& kind : family.hugging_face) holding += kind.holds(network.backbone) ? 1 : 0;
    }
    CHECK(holding == 1);
    std::set<std::string> ours;
    for (const ParameterName& name : hugging_face_names(network)) ours.insert(name.ours);
    Initializer init = Initializer::unset();
    AnyNetwork made(network, init);
    for (const NamedParameter& p : parameters_of(made.module())) CHECK_MESSAGE(ours.contains(p.name), p.name);
  }
}
