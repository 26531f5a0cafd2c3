#include "train/models/family.h"

#include <algorithm>

#include "io/names.h"
#include "tensor/error.h"

namespace rapt {

ModelFamily gpt_family();
ModelFamily bert_family();
ModelFamily transformer_family();
ModelFamily recurrent_family();

const std::vector<ModelFamily>& model_families() {
  static const std::vector<ModelFamily> table = {gpt_family(), bert_family(), transformer_family(), recurrent_family()};
  return table;
}

bool ModelFamily::can_learn(Objective objective) const {
  return std::ranges::find(objectives, objective) != objectives.end();
}

const ModelFamily& family_named(std::string_view name) {
  std::vector<std::string> all;
  for (const ModelFamily& family : model_families()) {
    if (std::ranges::find(family.names, name) != family.names.end()) return family;
    all.insert(all.end(), family.names.begin(), family.names.end());
  }
  refuse_name("--model", name, all);
}

const ModelFamily& family_of(const BackboneConfig& backbone) {
  for (const ModelFamily& family : model_families()) {
    if (family.owns(backbone)) return family;
  }
  throw BugError("network: a backbone of no family");
}

std::unique_ptr<Decoder> make_decoder(const AnyNetwork& network, std::size_t sequences, const Stream* source) {
  const ModelFamily& family = family_of(network.config().backbone);
  if (family.decoder == nullptr) throw UsageError("model: a " + family.title + " does not predict the next token");
  return family.decoder(network.backbone(), sequences, source);
}

std::string first_model_for(Objective objective) {
  for (const ModelFamily& family : model_families()) {
    if (family.can_learn(objective)) return family.names.front();
  }
  return "";
}

}  // namespace rapt
