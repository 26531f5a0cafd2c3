#include "train/optimise/parameter_rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "io/escape.h"
#include "tensor/error.h"
#include "train/models/family.h"

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

bool begins_with_one_of(std::string_view name, const std::vector<std::string>& beginnings) {
  return std::ranges::any_of(beginnings, [&](const std::string& text) { return name.starts_with(text); });
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
  ParameterGroups groups;
  std::vector<std::string> all;
  Dim block_count = 0;
  bool task_head = false;  // there is one

  // The block that a parameter belongs to, if any, counted within its stack.
  std::optional<Dim> block_of(std::string_view name) const {
    name = inner_name(name);
    for (const std::string& stack : groups.blocks) {
      if (!name.starts_with(stack)) continue;
      const std::string_view rest = name.substr(stack.size());
      return number(rest.substr(0, rest.find('.')));
    }
    return std::nullopt;
  }
  bool is_embedding(std::string_view name) const { return begins_with_one_of(inner_name(name), groups.embeddings); }
  // Adapters and the task-specific layers: the head, and layers before it that a network pretrained on masked words
  // alone does not have.
  bool learns_beside_adapters(std::string_view name) const {
    if (name.find(".lora.") != std::string_view::npos) return true;
    return task_head && (name.starts_with("head.") || begins_with_one_of(inner_name(name), groups.before_head));
  }
};

Names names_of(const TrainConfig& config, Module& network) {
  Names names{.groups = family_of(config).parameters, .all = {}, .task_head = config.is_labelled()};
  for (const NamedParameter& p : parameters_of(network)) {
    names.all.push_back(p.name);
    if (const auto block = names.block_of(p.name)) names.block_count = std::max(names.block_count, *block + 1);
  }
  return names;
}

bool is_named_by(const std::string& pattern, const std::string& name, const Names& names) {
  if (pattern == "embeddings") return names.is_embedding(name);
  if (pattern == "backbone") return name.starts_with(kBackbone);
  const std::size_t dash = pattern.find('-');
  const auto first = number(std::string_view(pattern).substr(0, dash));
  const auto last = dash == std::string::npos ? first : number(std::string_view(pattern).substr(dash + 1));
  if (first && last) {
    const auto block = names.block_of(name);
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
                     std::to_string(names.block_count - 1) + " (0-" + std::to_string(names.block_count - 1) +
                     "), or a name such as " + names.all.back());
  }
  return frozen;
}

}  // namespace

ParameterRules parameter_rules(const TrainConfig& config, Module& network) {
  const auto names = std::make_shared<const Names>(names_of(config, network));
  ParameterRules rules;
  if (!config.freeze.empty() || config.lora_rank > 0) {
    const bool adapters_only = config.lora_rank > 0;
    rules.frozen = [frozen = frozen_names(config.freeze, *names), adapters_only, names](const std::string& name) {
      return frozen.contains(name) || (adapters_only && !names->learns_beside_adapters(name));
    };
  }
  if (config.layer_rate_decay != 1) {
    rules.rate = [decay = config.layer_rate_decay, names](const std::string& name) {
      const auto blocks = names->block_count;
      if (const auto block = names->block_of(name)) return std::pow(decay, static_cast<double>(blocks - 1 - *block));
      return names->is_embedding(name) ? std::pow(decay, static_cast<double>(blocks)) : 1.0;
    };
  }
  return rules;
}

}  // namespace rapt
