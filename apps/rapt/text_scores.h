// Scores of generated texts against references, as a table or as JSON: for files of text, and for the output of a
// model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "train/metrics/text_metric.h"

namespace rapt::app {

/// The texts of one system.
struct TextSystem {
  std::string name;                ///< the file or model they come from
  std::vector<std::string> texts;  ///< one for each segment
  MetricValues facts = {};         ///< printed beside the scores: the loss of a model
};

/// The lines of a file, or of standard input ("-"). \throws as LineReader
std::vector<std::string> read_lines(const std::string& file);

/// --metrics, --lowercase, --tokenize and what else print_text_scores reads.
std::vector<Option> text_score_options();

/// Prints the scores of each system with their bootstrap intervals and signatures, and compares the systems after the
/// first with it by a paired test. With --json, one JSON object; with --per-line, scores of each text instead.
/// \param references  of each segment, at least one
/// \param metrics     unless --metrics names others: "bleu,chrf"
int print_text_scores(const Arguments& arguments, const std::vector<TextSystem>& systems,
                      const std::vector<std::vector<std::string>>& references, const std::string& metrics);

/// rapt eval --hypotheses F --target R: scores of files of text, without a model.
/// \throws UsageError, DataError  for missing, empty or misaligned files
int eval_texts(const Arguments& arguments);

}  // namespace rapt::app
