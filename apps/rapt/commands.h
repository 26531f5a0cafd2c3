// The subcommands: one function each, in its own file, and the table that main, help and completion read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options.h"

namespace rapt::app {

Command train_command();
Command finetune_command();
Command eval_command();
Command predict_command();
Command fill_mask_command();
Command embed_command();
Command attention_command();
Command generate_command();
Command translate_command();
Command summarize_command();
Command score_command();
Command tokenizer_train_command();
Command tokenizer_encode_command();
Command tokenizer_decode_command();
Command tokenizer_inspect_command();
Command tokenizer_import_command();
Command tokenizer_export_command();
Command data_build_command();
Command data_stats_command();
Command data_head_command();
Command checkpoint_info_command();
Command checkpoint_verify_command();
Command checkpoint_diff_command();
Command checkpoint_export_command();
Command checkpoint_average_command();
Command checkpoint_import_command();
Command bench_gemm_command();
Command bench_step_command();
Command bench_finetune_command();
Command bench_seq2seq_command();
Command demo_command();
Command params_command();
Command plan_command();
Command doctor_command();
Command help_command();
Command completion_command();

/// A family of commands (`tokenizer train`, `tokenizer encode`), or the commands without one.
struct Family {
  std::string name;  ///< empty: commands of one word
  std::string summary;
};

/// All commands, in the order of help.
const std::vector<Command>& commands();
const std::vector<Family>& families();

/// The command at the start of the words, and its number of words (one or two).
/// \throws UsageError  for an unknown command, with the most similar one; for a family without a second word
const Command& find_command(const std::vector<std::string>& words, std::size_t& used);

}  // namespace rapt::app
