#include "train/files/checkpoint.h"

#include <algorithm>
#include <set>

#include "tensor/error.h"
#include "train/models/networks.h"
#include "train/settings/config_file.h"

namespace rapt {
namespace {

constexpr const char* kModel = "model/";
constexpr const char* kOptimizer = "optimizer/";

std::vector<Dim> extents_of(const Tensor& t) { return {t.shape().extents().begin(), t.shape().extents().end()}; }

NamedTensorView view_of(const std::string& name, const Tensor& t) {
  return {.name = name, .dtype = t.dtype(), .shape = extents_of(t), .data = t.raw()};
}

std::vector<std::pair<std::string, std::string>> named(const CheckpointTexts& texts) {
  std::vector<std::pair<std::string, std::string>> result = {{"config", texts.config}};
  for (auto& text : named_texts(texts.tokenizers)) result.push_back(std::move(text));
  result.emplace_back("manifest", texts.manifest);
  return result;
}

std::vector<std::pair<std::string, StateValue>> state_attributes(const TrainState& s, std::int64_t updates) {
  std::vector<std::pair<std::string, StateValue>> attributes = {{"step", s.step},
                                                                {"samples", s.samples},
                                                                {"tokens", s.tokens},
                                                                {"best_score", s.best_score},
                                                                {"best_loss", s.best_loss},
                                                                {"best_step", s.best_step},
                                                                {"stalled", s.stalled},
                                                                {"optimizer_updates", updates},
                                                                {"finished", std::int64_t{s.finished ? 1 : 0}}};
  if (s.rate_factor != 1) attributes.emplace_back("rate_factor", s.rate_factor);
  return attributes;
}

// Reads one tensor into place, checking its shape first.
void read_tensor(const CheckpointFile& file, const std::string& name, Tensor to) {
  const CheckpointFile::Tensor* found = file.find_tensor(name);
  if (found == nullptr) throw DataError("checkpoint: " + file.path() + " has no " + name);
  if (found->shape != extents_of(to)) {
    throw DataError("checkpoint: " + file.path() + ": " + name + " is " + shape_text(found->shape) +
                    ", the configuration needs " + to.shape().to_string());
  }
  file.read_into(name, to.dtype(), to.raw(), to.size());
  to.changed();
}

// The optimiser's state of one parameter, of which `state` may have a part, or nothing.
void read_state(const CheckpointFile& file, const std::string& name, Optimizer::State& state,
                const FlatParameters::Entry& entry) {
  const Dim n = entry.variable.value().size();
  const Dim begin = std::max(entry.begin, state.begin),
            end = std::min(entry.begin + n, state.begin + state.values.size());
  if (end - begin == n)
    return read_tensor(file, name, state.values.view(entry.begin - state.begin, entry.variable.shape()));
  Tensor whole = Tensor::empty(entry.variable.shape(), state.values.dtype());
  read_tensor(file, name, whole);
  if (begin >= end) return;
  state.values.slice(begin - state.begin, end - state.begin).copy_from(whole.view(begin - entry.begin, {end - begin}));
}

// Every parameter must be in the file and the file must hold no others.
// \param averaged  take the moving averages of weights that have one
void read_model(const CheckpointFile& file, Module& model, bool averaged) {
  std::set<std::string> known;
  for (NamedParameter& p : parameters_of(model)) {
    const std::string name = kModel + p.name, average = kOptimizer + (Optimizer::kAverage + ("/" + p.name));
    read_tensor(file, averaged && file.find_tensor(average) != nullptr ? average : name, p.variable.value());
    known.insert(name);
  }
  for (const CheckpointFile::Tensor& t : file.tensors()) {
    if (t.name.starts_with(kModel) && !known.contains(t.name)) {
      throw DataError("checkpoint: " + file.path() + " has " + t.name + ", which is not part of its configuration");
    }
  }
}

}  // namespace

void save_checkpoint(const std::string& path, Trainer& trainer, const std::vector<Optimizer::State>& states,
                     const CheckpointTexts& texts) {
  CheckpointContents contents;
  contents.texts = named(texts);
  for (const FlatParameters::Entry& entry : trainer.parameters().entries()) {
    contents.tensors.push_back(view_of(kModel + entry.name, entry.variable.value()));
    if (entry.frozen) continue;
    for (const Optimizer::State& state : states) {
      contents.tensors.push_back(
          view_of(kOptimizer + state.name + "/" + entry.name, FlatParameters::part(state.values, entry)));
    }
  }
  contents.state = state_attributes(trainer.state(), trainer.optimizer().updates());
  write_checkpoint(path, contents);
}

void save_model(const std::string& path, Module& model, const CheckpointTexts& texts) {
  CheckpointContents contents;
  contents.texts = named(texts);
  for (const NamedParameter& p : parameters_of(model)) {
    contents.tensors.push_back(view_of(kModel + p.name, p.variable.value()));
  }
  TrainState state;
  state.finished = true;
  contents.state = state_attributes(state, 0);
  write_checkpoint(path, contents);
}

void restore(Trainer& trainer, const CheckpointFile& file) {
  read_model(file, trainer.network(), false);
  for (Optimizer::State& state : trainer.optimizer().state()) {
    for (const FlatParameters::Entry& entry : trainer.parameters().entries()) {
      if (!entry.frozen) read_state(file, kOptimizer + state.name + "/" + entry.name, state, entry);
    }
  }
  trainer.optimizer().set_updates(file.state_integer("optimizer_updates"));
  TrainState& s = trainer.state();
  s.step = file.state_integer("step");
  s.samples = file.state_integer("samples");
  s.tokens = file.state_integer("tokens");
  s.best_score = file.state_number("best_score");
  s.best_loss = file.state_number("best_loss");
  s.best_step = file.state_integer("best_step");
  s.stalled = file.state_integer("stalled");
  if (file.has_state("rate_factor")) s.rate_factor = file.state_number("rate_factor");
  s.finished = file.state_integer("finished") != 0;
}

TrainConfig config_of(const CheckpointFile& file) { return from_toml(file.text("config"), file.path() + ": /config"); }

std::unique_ptr<AnyNetwork> network_of(const CheckpointFile& file) {
  const auto table_rows = [&](const std::string& name) -> Dim {
    for (const char* prefix : {"model/", "model/backbone."}) {
      const CheckpointFile::Tensor* const table = file.find_tensor(prefix + name);
      if (table != nullptr && table->shape.size() == 2) return table->shape[0];
    }
    return 0;
  };
  const VocabularySizes vocabulary(table_rows("tokens.weight"), table_rows("source_tokens.weight"));
  if (vocabulary.target == 0) {
    throw DataError("checkpoint: " + file.path() + " has no table of tokens (model/tokens.weight, of two dimensions)");
  }
  Initializer init = Initializer::unset();
  auto network = std::make_unique<AnyNetwork>(network_config(config_of(file), vocabulary), init);
  read_model(file, network->module(), true);
  return network;
}

}  // namespace rapt
