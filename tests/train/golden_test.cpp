// Runs every case of ../shared/golden (or $RAPT_GOLDEN) by what its files say: models with inputs, outputs and
// gradients that PyTorch and transformers computed. A case of a kind that rapt does not know yet is skipped and named.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "decode/beam.h"
#include "decode/generate.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "text/tokenizer_files.h"
#include "train/hugging_face.h"
#include "train/optimizer.h"
#include "train/schedule.h"

using namespace rapt;
namespace fs = std::filesystem;

namespace {

// The first difference of a case; what follows it would say the same again.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename... Parts>
void require(bool holds, const Parts&... parts) {
  if (holds) return;
  std::ostringstream message;
  message.precision(9);
  (message << ... << parts);
  throw Difference(message.str());
}

struct Case {
  std::string folder;
  Json expected;
  SafetensorsFile tensors;

  explicit Case(const std::string& path)
      : folder(path), expected(read_json_file(path + "/expected.json")), tensors(path + "/expected.safetensors") {}

  std::vector<float> floats(const std::string& name) const {
    const SafetensorsEntry* entry = tensors.find(name);
    require(entry != nullptr, "expected.safetensors has no ", name);
    std::vector<float> values(static_cast<std::size_t>(entry->count()));
    tensors.read_f32(*entry, values);
    return values;
  }
  std::vector<std::int32_t> ints(const std::string& name) const {
    const SafetensorsEntry* entry = tensors.find(name);
    require(entry != nullptr && entry->type == ElementType::kI32, "expected.safetensors has no i32 ", name);
    const std::string bytes = tensors.read_bytes(*entry);
    std::vector<std::int32_t> values(bytes.size() / sizeof(std::int32_t));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::vector<double> doubles(const std::string& name) const {
    const SafetensorsEntry* entry = tensors.find(name);
    require(entry != nullptr && entry->type == ElementType::kF64, "expected.safetensors has no f64 ", name);
    const std::string bytes = tensors.read_bytes(*entry);
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
};

void require_close(const std::string& what, const Tensor& ours, const std::vector<float>& theirs, double tolerance) {
  require(ours.size() == static_cast<Dim>(theirs.size()), what, ": ", ours.size(), " values, expected ", theirs.size());
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double a = ours.data<float>()[i], b = theirs[i];
    require(std::abs(a - b) <= tolerance, what, "[", i, "] is ", a, ", expected ", b);
  }
}

Batch batch_of(const Case& c) {
  const auto tokens = c.ints("tokens"), offsets = c.ints("offsets"), labels = c.ints("labels");
  std::vector<Dim> lengths;
  std::vector<std::int32_t> positions, rows, targets;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    lengths.push_back(offsets[b + 1] - offsets[b]);
    for (std::int32_t i = 0; i < lengths.back(); ++i) positions.push_back(i);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    rows.push_back(static_cast<std::int32_t>(i));
    targets.push_back(labels[i]);
  }
  const auto N = static_cast<Dim>(tokens.size()), M = static_cast<Dim>(rows.size());
  Batch batch;
  batch.layout = pack_lengths(lengths);
  batch.tokens = Tensor::from(tokens, {N});
  batch.positions = Tensor::from(positions, {N});
  batch.target_rows = Tensor::from(rows, {M});
  batch.targets = Tensor::from(targets, {M});
  return batch;
}

Tensor transposed(const Tensor& x) {
  const Dim rows = x.shape()[0], cols = x.shape()[1];
  Tensor y = Tensor::empty({cols, rows});
  for (Dim r = 0; r < rows; ++r) {
    for (Dim k = 0; k < cols; ++k) y.data<float>()[k * rows + r] = x.data<float>()[r * cols + k];
  }
  return y;
}

// Their view of one of our tensors, by the name table.
std::map<std::string, ParameterName> names_by_ours(const GptConfig& config) {
  std::map<std::string, ParameterName> names;
  for (const ParameterName& name : hugging_face_names(config)) names.emplace(name.ours, name);
  return names;
}

void check_gradients(const Case& c, FlatParameters& parameters, const GptConfig& config) {
  const auto names = names_by_ours(config);
  double whole = 0;
  for (const float g : parameters.gradients().span<float>()) whole += static_cast<double>(g) * g;
  whole = std::sqrt(whole);
  std::size_t checked = 0;
  for (const auto& entry : parameters.entries()) {
    const ParameterName& name = names.at(entry.name);
    const Tensor gradient = FlatParameters::part(parameters.gradients(), entry);
    const Tensor ours = name.transposed ? transposed(gradient) : gradient;
    const auto theirs = c.floats("grad." + name.theirs);
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const double d = static_cast<double>(ours.data<float>()[i]) - theirs[i];
      difference += d * d;
      norm += static_cast<double>(theirs[i]) * theirs[i];
    }
    // The gradient of a key's bias is zero but for rounding: relative to itself it means nothing.
    const double limit = std::sqrt(norm) < 1e-7 * whole ? 1e-6 * whole : 1e-5 * std::sqrt(norm);
    const bool holds_keys = name.theirs.ends_with("c_attn.bias");
    require(std::sqrt(difference) <= (holds_keys ? std::max(limit, 1e-6 * whole) : limit), "grad.", name.theirs,
            " differs by ", std::sqrt(difference), " of ", std::sqrt(norm));
    ++checked;
  }
  require(checked == parameters.entries().size(), "not every gradient was checked");
}

double loss_and_gradients(const Gpt& model, const Batch& batch) {
  Context ctx;
  ctx.training = true;  // the cases have no dropout
  const Variable loss = model.loss(batch, {.targets = static_cast<double>(batch.targets.size())}, ctx);
  const double value = loss.value().item();
  backward(loss);
  return value;
}

void require_loss(const char* what, double ours, double theirs) {
  require(std::abs(ours - theirs) <= 1e-6 * std::abs(theirs), what, " is ", ours, ", expected ", theirs);
}

void check_updates(const Case& c, Gpt& model, FlatParameters& parameters, const Batch& batch) {
  const JsonFields fields(c.expected, "expected.json");
  const JsonFields adamw = fields.object("adamw");
  Optimizer optimizer(parameters, {.kind = OptimizerKind::kAdamW,
                                   .beta1 = adamw.number("beta1"),
                                   .beta2 = adamw.number("beta2"),
                                   .epsilon = adamw.number("epsilon"),
                                   .weight_decay = adamw.number("weight_decay")});
  const auto names = names_by_ours(model.config());
  std::size_t decayed = 0;
  for (const auto& entry : parameters.entries()) decayed += entry.decayed ? 1 : 0;
  require(decayed == fields.array("decayed").size(), decayed, " parameters decay, expected ",
          fields.array("decayed").size());
  const Json& losses = fields.array("losses");
  const Json& norms = fields.array("grad_norm");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    if (step > 0)
      require_loss("the loss of a later update", loss_and_gradients(model, batch), losses[step].get<double>());
    const double norm = optimizer.grad_norm();
    require(std::abs(norm - norms[step].get<double>()) <= 1e-5 * norm, "grad_norm ", step, " is ", norm, ", expected ",
            norms[step].get<double>());
    optimizer.update(adamw.number("learning_rate"), clip_factor(norm, adamw.number("clip")));
  }
  for (const auto& entry : parameters.entries()) {
    const ParameterName& name = names.at(entry.name);
    const Tensor& value = entry.variable.value();
    require_close("after3." + name.theirs, name.transposed ? transposed(value) : value,
                  c.floats("after3." + name.theirs), 1e-5);
  }
}

void check_generation(const Case& c, const Gpt& model) {
  std::vector<std::int32_t> stop_ids;
  const std::string path = c.folder + "/model/generation_config.json";
  if (fs::exists(path)) {
    const Json generation = read_json_file(path);
    const JsonFields fields(generation, "generation_config.json");
    if (fields.has_value("eos_token_id")) stop_ids.push_back(static_cast<std::int32_t>(fields.integer("eos_token_id")));
  }
  for (const Json& item : c.expected.at("generation")) {
    const JsonFields fields(item, "expected.json", "generation");
    const auto prompt = item.at("prompt").get<std::vector<std::int32_t>>();
    const auto expected = item.at("tokens").get<std::vector<std::int32_t>>();
    const std::int64_t beams = fields.integer_or("num_beams", 1);
    Generated ours;
    if (beams > 1) {
      ours = beam_search(model, prompt,
                         {.beams = beams,
                          .max_tokens = fields.integer("max_new_tokens"),
                          .length_penalty = fields.number_or("length_penalty", 1),
                          .repetition_penalty = fields.number_or("repetition_penalty", 1),
                          .stop_ids = stop_ids});
    } else {
      GenerateOptions options;
      options.max_tokens = fields.integer("max_new_tokens");
      options.sampling.greedy = true;
      options.sampling.repetition_penalty = fields.number_or("repetition_penalty", 1);
      options.stop_ids = stop_ids;
      ours = generate(model, {prompt}, options).front();
    }
    if (ours.ended) ours.tokens.push_back(stop_ids.front());
    require(ours.tokens == expected, "generation of ", dump_compact(item), " gives ", dump_compact(Json(ours.tokens)));
  }
}

void check_text(const Case& c) {
  if (!c.expected.contains("text")) return;
  const auto tokenizer = load_tokenizer(c.folder + "/model");
  for (const Json& item : c.expected.at("text")) {
    const auto ids = tokenizer->encode(item.at("text").get<std::string>());
    require(ids == item.at("ids").get<std::vector<std::int32_t>>(), "ids of ", item.at("text").get<std::string>(),
            " are ", dump_compact(Json(ids)));
  }
}

void check_causal_lm(const Case& c) {
  const std::unique_ptr<Gpt> model = read_hugging_face_gpt(c.folder + "/model");
  const Batch batch = batch_of(c);
  {
    const NoGrad no_grad;
    Context ctx;
    std::vector<Tensor> hidden;
    const Variable last = model->states(batch, ctx, &hidden);
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      require_close("hidden." + std::to_string(i), hidden[i], c.floats("hidden." + std::to_string(i)), 1e-4);
    }
    require(c.tensors.find("hidden." + std::to_string(hidden.size())) == nullptr, "more hidden states are expected");
    require_close("logits", model->logits(last).value(), c.floats("logits"), 1e-4);
  }
  check_generation(c, *model);
  check_text(c);
  FlatParameters parameters(*model);
  require_loss("loss", loss_and_gradients(*model, batch), c.expected.at("loss").get<double>());
  check_gradients(c, parameters, model->config());
  check_updates(c, *model, parameters, batch);
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
  s.decay_everything = true;  // PyTorch's optimisers know no groups by themselves
  return s;
}

void check_optimizers(const Case& c) {
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
                    FlatParameters::part(parameters.gradients(), entry).data<double>());
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
    RateSchedule schedule{.kind = schedule_from_name(name),
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

std::string golden_folder() {
  if (const char* folder = std::getenv("RAPT_GOLDEN")) return folder;
  return RAPT_SOURCE_DIR "/../shared/golden";
}

}  // namespace

TEST_CASE("every golden case that rapt knows agrees with PyTorch and transformers") {
  const std::string root = golden_folder();
  if (!fs::is_directory(root)) {
    std::cout << "skipped: there is no " << root << "\n";
    return;
  }
  const std::map<std::string, std::function<void(const std::string&)>> kinds = {
      {"causal-lm", [](const std::string& folder) { check_causal_lm(Case(folder)); }},
      {"optimizers", [](const std::string& folder) { check_optimizers(Case(folder)); }},
      {"schedules", check_schedules},
  };
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (fs::exists(entry.path() / "expected.json")) folders.push_back(entry.path().string());
  }
  std::ranges::sort(folders);
  std::size_t compared = 0;
  for (const std::string& folder : folders) {
    const std::string name = fs::path(folder).filename().string();
    const auto kind = read_json_file(folder + "/expected.json").at("kind").get<std::string>();
    const auto known = kinds.find(kind);
    if (known == kinds.end()) {
      std::cout << "golden " << name << ": skipped (" << kind << ")\n";
      continue;
    }
    std::string difference;
    try {
      known->second(folder);
      ++compared;
    } catch (const std::exception& e) {
      difference = e.what();
    }
    std::cout << "golden " << name << ": " << (difference.empty() ? "ok" : "FAILED: " + difference) << "\n";
    CHECK_MESSAGE(difference.empty(), name << ": " << difference);
  }
  CHECK_MESSAGE(compared > 0, "no case of a known kind in " << root);
}
