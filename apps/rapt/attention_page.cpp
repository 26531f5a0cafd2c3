#include "attention_page.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "io/base64.h"

namespace rapt {
extern const char* const kAttentionPage;
extern const char* const kAttentionScript;
}  // namespace rapt

namespace rapt::app {
namespace {

// The weights of one kind of attention, from the first layer to the last: [H, T, S] each.
std::vector<Tensor> layers_of(const AttentionExample& example, AttentionKind kind) {
  std::vector<Tensor> layers;
  for (const AttentionMap& map : example.maps) {
    if (map.kind == kind) layers.push_back(map.weights.at(0));
  }
  return layers;
}

std::vector<Tensor> rollout_of(const AttentionExample& example, AttentionKind kind) {
  return kind == AttentionKind::kCross ? std::vector<Tensor>() : attention_rollout(layers_of(example, kind));
}

constexpr AttentionKind kKinds[] = {AttentionKind::kEncoder, AttentionKind::kDecoder, AttentionKind::kCross};

// 16 bits for each weight, little-endian.
std::string packed(const std::vector<Tensor>& tensors) {
  std::string bytes;
  for (const Tensor& tensor : tensors) {
    for (const float weight : tensor.span<float>()) {
      const auto value = static_cast<std::uint32_t>(std::lround(std::clamp(weight, 0.0F, 1.0F) * 65535.0F));
      bytes += static_cast<char>(value & 0xFFU);
      bytes += static_cast<char>(value >> 8);
    }
  }
  return to_base64(bytes);
}

Json page_data(const AttentionExample& example) {
  Json json = {{"encoder", example.encoder}, {"decoder", example.decoder}, {"predicted", example.predicted}};
  json["maps"] = Json::array();
  for (const AttentionKind kind : kKinds) {
    const std::vector<Tensor> layers = layers_of(example, kind);
    if (layers.empty()) continue;
    Json map = {{"kind", name_of(kind)},
                {"layers", layers.size()},
                {"heads", layers[0].shape()[0]},
                {"weights", packed(layers)}};
    const std::vector<Tensor> rollout = rollout_of(example, kind);
    if (!rollout.empty()) map["rollout"] = packed(rollout);
    json["maps"].push_back(std::move(map));
  }
  return json;
}

// The text without what could end the script that it stands in.
std::string inside_script(std::string text) {
  std::string out;
  for (const char c : text) c == '<' ? static_cast<void>(out += "\\u003c") : out.push_back(c);
  return out;
}

std::string filled(std::string text, std::string_view mark, const std::string& content) {
  return text.replace(text.find(mark), mark.size(), content);
}

// The last axes [T, S] of a tensor, from its element `at`.
Json rows(const Tensor& tensor, Dim at) {
  const Dim T = tensor.shape()[tensor.shape().rank() - 2], S = tensor.shape().back();
  Json matrix = Json::array();
  for (Dim i = 0; i < T; ++i) {
    Json row = Json::array();
    for (Dim j = 0; j < S; ++j) {
      row.push_back(std::round(static_cast<double>(tensor.data<float>()[at + i * S + j]) * 1e6) / 1e6);
    }
    matrix.push_back(std::move(row));
  }
  return matrix;
}

}  // namespace

std::string attention_page(const std::string& model, const std::vector<AttentionExample>& examples) {
  Json data = {{"model", model}, {"examples", Json::array()}};
  for (const AttentionExample& example : examples) data["examples"].push_back(page_data(example));
  const std::string text = inside_script(data.dump(-1, ' ', false, Json::error_handler_t::replace));
  return filled(filled(kAttentionPage, "{{script}}", kAttentionScript), "{{data}}", text);
}

Json attention_json(const AttentionExample& example) {
  Json json;
  if (!example.encoder.empty()) json["encoder"] = example.encoder;
  if (!example.decoder.empty()) json["decoder"] = example.decoder;
  if (!example.predicted.empty()) json["predicted"] = example.predicted;
  for (const AttentionKind kind : kKinds) {
    const std::vector<Tensor> layers = layers_of(example, kind);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      const Tensor& weights = layers[layer];
      Json heads = Json::array();
      const Dim size = weights.shape()[1] * weights.shape()[2];
      for (Dim h = 0; h < weights.shape()[0]; ++h) heads.push_back(rows(weights, h * size));
      json["attention"].push_back({{"kind", name_of(kind)}, {"layer", layer}, {"weights", std::move(heads)}});
    }
    for (const Tensor& rollout : rollout_of(example, kind)) json["rollout"][name_of(kind)].push_back(rows(rollout, 0));
  }
  return json;
}

}  // namespace rapt::app
