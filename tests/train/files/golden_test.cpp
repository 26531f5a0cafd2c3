// Runs every case of tests/golden and of ../shared/golden (or $RAPT_GOLDEN) as its files describe: models with inputs,
// outputs and gradients that PyTorch and transformers computed. A case of a kind that rapt does not support yet is
// skipped and named.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>

#include "decode/beam.h"
#include "decode/generate.h"
#include "io/shared_data.h"
#include "nn/models/transformer.h"
#include "support/golden_network.h"
#include "support/golden_recurrent.h"
#include "support/source_folder.h"
#include "support/with_precision.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/post_processor.h"
#include "train/models/family.h"
#include "train/optimise/schedule.h"

using namespace rapt;
using namespace rapt::testing;
namespace fs = std::filesystem;

namespace {

// A text as the case describes it: of a GPT, from a prompt; of an encoder-decoder, from a source.
std::vector<std::int32_t> generated(const Json& item, const AnyNetwork& network, std::int32_t stop) {
  const JsonFields fields(item, "expected.json", "generation");
  const auto* const pairs = network.config().backbone.as<TransformerConfig>();
  std::optional<Stream> source;
  if (pairs != nullptr) {
    const auto ids = item.at("source").get<std::vector<std::int32_t>>();
    source = make_stream(std::vector<Dim>{static_cast<Dim>(ids.size())}, ids);
  }
  const auto prompt =
      pairs != nullptr ? std::vector{pairs->start_token} : item.at("prompt").get<std::vector<std::int32_t>>();
  const std::int64_t beams = fields.integer_or("num_beams", 1), most = fields.integer("max_new_tokens");
  const Constraints constraints{.repetition_penalty = fields.number_or("repetition_penalty", 1),
                                .no_repeat_ngram = fields.integer_or("no_repeat_ngram_size", 0)};
  const std::vector<std::int32_t> stop_ids = stop < 0 ? std::vector<std::int32_t>() : std::vector{stop};
  const bool early = fields.boolean_or("early_stopping", false);
  const auto decoder = make_decoder(network, 1, source ? &*source : nullptr);
  Generated ours;
  if (beams > 1) {
    ours = beam_search(*decoder, {prompt},
                       {.beams = beams,
                        .max_tokens = most,
                        .length_penalty = fields.number_or("length_penalty", 1),
                        .early_stopping = early ? EarlyStopping::kYes : EarlyStopping::kNo,
                        .constraints = constraints,
                        .stop_ids = stop_ids})
               .front()
               .front();
  } else {
    GenerateOptions options;
    options.max_tokens = most;
    options.sampling.greedy = true;
    options.constraints = constraints;
    options.stop_ids = stop_ids;
    ours = generate(*decoder, {prompt}, options).front();
  }
  std::vector<std::int32_t> tokens = std::move(ours.tokens);
  if (ours.ended) tokens.push_back(stop);
  if (pairs != nullptr) tokens.insert(tokens.begin(), prompt.begin(), prompt.end());
  return tokens;
}

void check_generation(const GoldenCase& c, const AnyNetwork& network) {
  std::int32_t stop = -1;
  if (const auto* const pairs = network.config().backbone.as<TransformerConfig>()) stop = pairs->end_token;
  const std::string path = c.folder + "/model/generation_config.json";
  if (fs::exists(path)) {
    const Json generation = read_json_file(path);
    const JsonFields fields(generation, "generation_config.json");
    if (fields.has_value("eos_token_id")) stop = static_cast<std::int32_t>(fields.integer("eos_token_id"));
  }
  for (const Json& item : c.expected.at("generation")) {
    const auto ours = generated(item, network, stop);
    require(ours == item.at("tokens").get<std::vector<std::int32_t>>(), "generation of ", dump_compact(item), " gives ",
            dump_compact(Json(ours)));
  }
}

void check_text(const GoldenCase& c) {
  const auto tokenizer = load_tokenizer(c.folder + "/model");
  for (const Json& item : c.expected.at("text")) {
    const auto ids = tokenizer->frame(tokenizer->encode(item.at("text").get<std::string>())).ids;
    require(ids == item.at("ids").get<std::vector<std::int32_t>>(), "ids of ", item.at("text").get<std::string>(),
            " are ", dump_compact(Json(ids)));
  }
}

// The same network in another precision.
AnyNetwork converted(AnyNetwork& network, DType dtype) {
  Initializer init = Initializer::unset(dtype);
  AnyNetwork result(network.config(), init);
  const auto from = parameters_of(network.module());
  auto to = parameters_of(result.module());
  for (std::size_t i = 0; i < to.size(); ++i) to[i].variable.value().copy_from(from[i].variable.value().to(dtype));
  return result;
}

// The outputs of its heads, its loss, its gradients and its first updates.
void check_training(const GoldenCase& c, AnyNetwork& network, const Names& names) {
  const Batch batch = batch_of(c, network);
  if (const auto* recurrent = dynamic_cast<const Recurrent*>(&network.backbone())) {
    check_recurrent_outputs(c, *recurrent, batch);
  } else {
    check_outputs(c, network, batch);
  }
  FlatParameters parameters(network.module());
  if (c.has("start_logits")) {
    const NoGrad no_grad;
    require_loss("loss", own_loss(c, network.network(), batch).value().item(), packed_answer_loss(c));
  }
  require_loss("loss", loss_and_gradients(c, network, batch), c.expected.at("loss").get<double>());
  check_gradients(c, parameters, names);
  check_updates(c, network, parameters, names, batch);
}

// States and loss with operands in bf16, within what their 8 bits of precision allow.
void check_in_bf16(const GoldenCase& c, AnyNetwork& network) {
  const Batch batch = batch_of(c, network);
  const NoGrad no_grad;
  Context ctx;
  const Tensor exact = network.backbone().states(batch, ctx).value();
  const WithPrecision bf16(Precision::kBf16);
  const Tensor near = network.backbone().states(batch, ctx).value();
  double error = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < exact.span<float>().size(); ++i) {
    const auto x = static_cast<double>(exact.span<float>()[i]), y = static_cast<double>(near.span<float>()[i]);
    error += (x - y) * (x - y);
    sum += x;
    squares += x * x;
  }
  const auto n = static_cast<double>(exact.size());
  const double deviation = std::sqrt(squares / n - sum / n * (sum / n));
  require(error > 0, "states in bf16 are those in f32");
  require(std::sqrt(error / n) <= 3e-2 * deviation, "states in bf16 differ by ", std::sqrt(error / n), " of ",
          deviation);
  const double loss = loss_of(c, network, batch).value().item(), expected = c.expected.at("loss").get<double>();
  require(std::abs(loss - expected) <= 1e-2 * std::max(1.0, expected), "the loss in bf16 is ", loss, ", expected ",
          expected);
}

void check_network(const GoldenCase& c) {
  AnyNetwork network = read_hugging_face(c.folder + "/model").network;
  if (c.expected.contains("generation")) check_generation(c, network);
  check_in_bf16(c, network);
  const Names names = names_by_ours(network.config());
  AnyNetwork wide = converted(network, DType::kF64);
  check_training(c, wide, names);
  check_training(c, network, names);
  if (c.expected.contains("text")) check_text(c);
}

void check_recurrent(const GoldenCase& c) {
  RecurrentCase read = read_recurrent(c.folder);
  if (c.expected.contains("generation")) check_recurrent_generation(c, recurrent_of(read.network));
  check_in_bf16(c, read.network);
  AnyNetwork wide = converted(read.network, DType::kF64);
  check_training(c, wide, read.names);
  check_training(c, read.network, read.names);
}

// Two free tensors as a model, for optimisers.
class TwoTensors final : public Module {
 public:
  Variable a, b;
  void visit(ParameterVisitor& v) override {
    v.parameter("a", a);
    v.parameter("b", b);
  }
};

OptimizerSettings settings_of(const std::string& name, const JsonFields& fields) {
  OptimizerSettings s;
  s.kind = name.starts_with("sgd")               ? OptimizerKind::kSgd
           : name == "adam" || name == "adam-l2" ? OptimizerKind::kAdam
                                                 : OptimizerKind::kAdamW;
  if (fields.has_value("betas")) {
    s.beta1 = fields.array("betas")[0].get<double>();
    s.beta2 = fields.array("betas")[1].get<double>();
  }
  s.epsilon = fields.number_or("eps", 1e-8);
  s.weight_decay = fields.number_or("weight_decay", 0);
  s.momentum = fields.number_or("momentum", 0);
  s.nesterov = fields.boolean_or("nesterov", false);
  s.bias_correction = fields.boolean_or("bias_correction", true);
  s.decay_everything = true;  // PyTorch's optimisers have no parameter groups by default
  return s;
}

void check_optimizers(const GoldenCase& c) {
  const auto steps = c.expected.at("steps").get<std::size_t>();
  for (const auto& [name, settings] : c.expected.at("settings").items()) {
    const JsonFields fields(settings, "expected.json", name);
    TwoTensors model;
    model.a = Variable(Tensor::from(c.doubles("start.a"), {3, 5}), true);
    model.b = Variable(Tensor::from(c.doubles("start.b"), {4}), true);
    FlatParameters parameters(model);
    Optimizer optimizer(parameters, settings_of(name, fields));
    for (std::size_t step = 0; step < steps; ++step) {
      for (const auto& entry : parameters.entries()) {
        const auto gradients = c.doubles("grad." + entry.name);
        const auto size = static_cast<std::size_t>(entry.variable.value().size());
        std::copy_n(gradients.begin() + static_cast<std::ptrdiff_t>(step * size), size,
                    FlatParameters::gradient(entry).data<double>());
      }
      optimizer.update(fields.number("lr"));
      for (const auto& entry : parameters.entries()) {
        const auto expected = c.doubles(name + "." + entry.name);
        const auto ours = entry.variable.value().span<double>();
        for (std::size_t i = 0; i < ours.size(); ++i) {
          const double theirs = expected[step * ours.size() + i];
          require(std::abs(ours[i] - theirs) <= 1e-12, name, ".", entry.name, "[", i, "] after step ", step + 1, " is ",
                  ours[i], ", expected ", theirs);
        }
      }
    }
  }
}

void check_schedules(const std::string& folder) {
  const Json expected = read_json_file(folder + "/expected.json");
  const JsonFields fields(expected, "expected.json");
  for (const auto& [name, rates] : expected.at("rates").items()) {
    RateSchedule schedule{.kind = schedule_named(name),
                          .peak = name == "noam" ? 1.0 : fields.number("peak"),
                          .warmup = fields.integer("warmup"),
                          .total = fields.integer("total"),
                          .width = 512,
                          .start = WarmupStart::kZero};
    for (std::size_t t = 0; t < rates.size(); ++t) {
      const double ours = schedule.rate(static_cast<std::int64_t>(t)), theirs = rates[t].get<double>();
      require(std::abs(ours - theirs) <= 1e-9 * std::abs(theirs) + 1e-18, name, " at ", t, " is ", ours, ", expected ",
              theirs);
    }
  }
}

// The comparison for a case of this kind; empty for an unknown one.
std::function<void(const std::string&)> check_of(const std::string& kind) {
  if (kind == "optimizers") return [](const std::string& folder) { check_optimizers(GoldenCase(folder)); };
  if (kind == "schedules") return check_schedules;
  if (kind == "recurrent" || kind == "recurrent-lm") {
    return [](const std::string& folder) { check_recurrent(GoldenCase(folder)); };
  }
  const bool network = kind == "causal-lm" || kind == "sequence-classification" || kind == "openai-gpt-double" ||
                       kind == "encoder-decoder" || kind.starts_with("bert-");
  if (network) return [](const std::string& folder) { check_network(GoldenCase(folder)); };
  return nullptr;
}

// Compares every case in a folder; returns their number.
std::size_t check_cases(const std::string& root) {
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (fs::exists(entry.path() / "expected.json")) folders.push_back(entry.path().string());
  }
  std::ranges::sort(folders);
  std::size_t compared = 0;
  for (const std::string& folder : folders) {
    const std::string name = fs::path(folder).filename().string();
    const auto kind = read_json_file(folder + "/expected.json").at("kind").get<std::string>();
    const auto check = check_of(kind);
    if (!check) {
      std::cout << "golden " << name << ": skipped (" << kind << ")\n";
      continue;
    }
    std::string difference;
    try {
      check(folder);
      ++compared;
    } catch (const std::exception& e) {
      difference = e.what();
    }
    std::cout << "golden " << name << ": " << (difference.empty() ? "ok" : "FAILED: " + difference) << "\n";
    CHECK_MESSAGE(difference.empty(), name << ": " << difference);
  }
  return compared;
}

}  // namespace

TEST_CASE("a tiny GPT and a tiny BERT agree with PyTorch and transformers") {
  CHECK(check_cases(source_folder() + std::string("/tests/golden")) == 2);
}

TEST_CASE("every golden case of ../shared that rapt knows agrees with PyTorch and transformers") {
  const char* const folder = std::getenv("RAPT_GOLDEN");
  const std::string root = folder != nullptr ? folder : shared_data("golden");
  if (root.empty()) return;
  CHECK_MESSAGE(check_cases(root) > 0, "no case of a known kind in " << root);
}
