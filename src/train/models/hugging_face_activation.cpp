// The activations of config.json, and errors for networks that cannot be exported.
#include <array>
#include <utility>

#include "tensor/error.h"
#include "train/models/hugging_face_kind.h"

namespace rapt::hugging_face {

static constexpr std::array<std::pair<const char*, Activation>, 13> kActivations{{
    {"gelu_new", Activation::kGeluTanh},
    {"gelu", Activation::kGelu},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_python", Activation::kGelu},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"quick_gelu", Activation::kQuickGelu},
    {"linear", Activation::kNone},
}};

Activation activation_from(const JsonFields& fields, const char* key, const char* fallback) {
  const std::string name = fields.string_or(key, fallback);
  std::string all;
  for (const auto& [theirs, activation] : kActivations) {
    if (name == theirs) return activation;
    all += (all.empty() ? "" : ", ") + std::string(theirs);
  }
  fields.refuse(key, "one of " + all);
}

const char* activation_name(Activation activation) {
  for (const auto& [theirs, ours] : kActivations) {
    if (ours == activation) return theirs;
  }
  return nullptr;
}

void refuse_export(const std::string& what, const std::string& instead) {
  throw UsageError("export: transformers has no " + what + "; " +
                   (instead.empty() ? "it cannot be exported as a Hugging Face directory" : instead));
}

}  // namespace rapt::hugging_face
