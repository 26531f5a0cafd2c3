#include "commands.h"

#include <algorithm>
#include <filesystem>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"

namespace rapt::app {

const std::vector<Family>& families() {
  static const std::vector<Family> table = {
      {"tokenizer", "train, use and convert tokenizers"},
      {"data", "tokenise text once and inspect the result"},
      {"checkpoint", "inspect, verify, compare and convert checkpoints"},
      {"bench", "time matrix products and training on this machine"},
  };
  return table;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      train_command(),
      finetune_command(),
      eval_command(),
      predict_command(),
      fill_mask_command(),
      embed_command(),
      generate_command(),
      translate_command(),
      summarize_command(),
      score_command(),
      attention_command(),
      demo_command(),
      tokenizer_train_command(),
      tokenizer_encode_command(),
      tokenizer_decode_command(),
      tokenizer_inspect_command(),
      tokenizer_import_command(),
      tokenizer_export_command(),
      data_build_command(),
      data_stats_command(),
      data_head_command(),
      checkpoint_info_command(),
      checkpoint_verify_command(),
      checkpoint_diff_command(),
      checkpoint_export_command(),
      checkpoint_average_command(),
      checkpoint_import_command(),
      bench_gemm_command(),
      bench_step_command(),
      bench_finetune_command(),
      bench_seq2seq_command(),
      params_command(),
      plan_command(),
      doctor_command(),
      help_command(),
      completion_command(),
  };
  return table;
}

static std::vector<std::string> verbs_of(const std::string& family) {
  std::vector<std::string> verbs;
  for (const Command& command : commands())
    if (command.name.starts_with(family + " ")) verbs.push_back(command.name.substr(family.size() + 1));
  return verbs;
}

static bool is_family(const std::string& word) { return !verbs_of(word).empty(); }

const Command& find_command(const std::vector<std::string>& words, std::size_t& used) {
  const std::string first = words.at(0), second = words.size() > 1 ? words[1] : "";
  for (const Command& command : commands()) {
    used = command.name == first ? 1 : 2;
    if (command.name == first || command.name == first + " " + second) return command;
  }
  if (is_family(first)) {
    const std::vector<std::string> verbs = verbs_of(first);
    if (second.empty() || second[0] == '-')
      throw UsageError("rapt " + first + " needs one of " + joined(verbs) + "; see rapt help " + first);
    const std::string near = did_you_mean(second, verbs, "rapt " + first + " ");
    throw UsageError("unknown command " + escape_for_terminal(first + " " + second) +
                     (near.empty() ? "; rapt " + first + " has " + joined(verbs) : near));
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (std::find(names.begin(), names.end(), word) == names.end()) names.push_back(word);
  }
  std::error_code none;
  const std::string shown = escape_for_terminal(first);
  if (std::filesystem::exists(first, none))
    throw UsageError("unknown command " + shown + "; to train on that file: rapt train " + shown);
  const std::string near = did_you_mean(first, names, "rapt ");
  throw UsageError("unknown command " + shown + (near.empty() ? "; rapt help lists them all" : near));
}

}  // namespace rapt::app
