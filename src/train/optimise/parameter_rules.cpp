#include "train/optimise/parameter_rules.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {
namespace {

constexpr std::string_view kBackbone = "backbone.";

// A parameter's name without the prefix of a backbone.
std::string_view inner_name(std::string_view name) {
  if (name.starts_with(kBackbone)) name.remove_prefix(kBackbone.size());
  return name;
}

std::optional<Dim> number(std::string_view text) {
  Dim value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// The block that a parameter belongs to, if any.
std::optional<Dim> block_of(std::string_view name) {
  constexpr std::string_view kBlocks = "blocks.";
  name = inner_name(name);
  if (!name.starts_with(kBlocks)) return std::nullopt;
  name.remove_prefix(kBlocks.size());
  return number(name.substr(0, name.find('.')));
}

// The tables and BERT's norm after them; GPT's norm of the same name is at the other end.
bool is_embedding(std::string_view name, bool norm_is_embedding) {
  name = inner_name(name);
  return name.starts_with("tokens.") || name.starts_with("positions.") || name.starts_with("segments.") ||
         (norm_is_embedding && name.starts_with("norm."));
}

bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (std::size_t at = star; at <= name.size(); ++at) {
    if (matches(pattern.substr(star + 1), name.substr(at))) return true;
  }
  return false;
}

struct Names {
  std::vector<std::string> all;
  Dim blocks = 0;
  bool norm_is_embedding = false;
  bool task_head = false;  // there is one
};

Names names_of(const TrainConfig& config, Module& network) {
  Names names;
  names.norm_is_embedding = config.model == "bert";
  names.task_head = config.is_labelled();
  for (const NamedParameter& p : parameters_of(network)) {
    names.all.push_back(p.name);
    if (const auto block = block_of(p.name)) names.blocks = std::max(names.blocks, *block + 1);
  }
  return names;
}

bool is_named_by(const std::string& pattern, const std::string& name, const Names& names) {
  if (pattern == "embeddings") return is_embedding(name, names.norm_is_embedding);
  if (pattern == "backbone") return name.starts_with(kBackbone);
  const std::size_t dash = pattern.find('-');
  const auto first = number(std::string_view(pattern).substr(0, dash));
  const auto last = dash == std::string::npos ? first : number(std::string_view(pattern).substr(dash + 1));
  if (first && last) {
    const auto block = block_of(name);
    return block && *block >= *first && *block <= *last;
  }
  return matches(pattern, name);
}

std::set<std::string> frozen_names(const std::vector<std::string>& patterns, const Names& names) {
  std::set<std::string> frozen;
  for (const std::string& pattern : patterns) {
    std::size_t found = 0;
    for (const std::string& name : names.all) {
      if (!is_named_by(pattern, name, names)) continue;
      frozen.insert(name);
      ++found;
    }
    if (found > 0) continue;
    throw UsageError("--freeze " + escape_for_terminal(pattern) +
                     " matches no parameter of this network; try embeddings, backbone, blocks from 0 to " +
                     std::to_string(names.blocks - 1) + " (0-" + std::to_string(names.blocks - 1) +
                     "), or a name such as " + names.all.back());
  }
  return frozen;
}

// Adapters and the task-specific layers: the head, and BERT's pooler before it, which a network that was pretrained on
// masked words alone does not have.
bool learns_beside_adapters(std::string_view name, bool task_head) {
  if (name.find(".lora.") != std::string_view::npos) return true;
  return task_head && (name.starts_with("head.") || inner_name(name).starts_with("pooler."));
}

}  // namespace

ParameterRules parameter_rules(const TrainConfig& config, Module& network) {
  const Names names = names_of(config, network);
  ParameterRules rules;
  if (!config.freeze.empty() || config.lora_rank > 0) {
    const bool adapters_only = config.lora_rank > 0;
    rules.frozen = [frozen = frozen_names(config.freeze, names), adapters_only,
                    task_head = names.task_head](const std::string& name) {
      return frozen.contains(name) || (adapters_only && !learns_beside_adapters(name, task_head));
    };
  }
  if (config.layer_rate_decay != 1) {
    rules.rate = [decay = config.layer_rate_decay, blocks = names.blocks,
                  norm = names.norm_is_embedding](const std::string& name) {
      if (const auto block = block_of(name)) return std::pow(decay, static_cast<double>(blocks - 1 - *block));
      return is_embedding(name, norm) ? std::pow(decay, static_cast<double>(blocks)) : 1.0;
    };
  }
  return rules;
}

}  // namespace rapt
