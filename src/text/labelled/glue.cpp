#include "text/labelled/glue.h"

#include <algorithm>
#include <array>
#include <optional>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"

namespace rapt {
namespace {

// The columns of a file without a header, by its number of cells; counted from 1, pair 0 for none.
struct Positions {
  int cells, text, pair, label;
};

// Names of the columns in headers, GLUE's own first.
struct Layout {
  std::string_view task;
  std::vector<std::string_view> text, pair, label;
  std::vector<Positions> positions;
};

const std::vector<GlueTask>& tasks() {
  static const std::vector<GlueTask> all = {
      {.name = "cola", .about = "is the sentence acceptable English", .metrics = {"matthews", "accuracy"}},
      {.name = "sst2", .about = "is a film review's sentence positive", .metrics = {"accuracy"}},
      {.name = "mrpc",
       .about = "do two sentences mean the same",
       .pairs = true,
       .metrics = {"accuracy", "f1"},
       .positive = {"1", "equivalent"}},
      {.name = "stsb",
       .about = "how alike are two sentences, 0 to 5",
       .labels = LabelKind::kValue,
       .pairs = true,
       .metrics = {"pearson", "spearman"}},
      {.name = "qqp",
       .about = "do two questions ask the same",
       .pairs = true,
       .metrics = {"accuracy", "f1"},
       .positive = {"1", "duplicate"}},
      {.name = "mnli",
       .about = "does the premise entail the hypothesis, contradict it, or neither",
       .pairs = true,
       .metrics = {"accuracy"}},
      {.name = "qnli", .about = "does the sentence answer the question", .pairs = true, .metrics = {"accuracy"}},
      {.name = "rte", .about = "does the first sentence entail the second", .pairs = true, .metrics = {"accuracy"}},
      {.name = "wnli",
       .about = "is the sentence with the pronoun replaced entailed",
       .pairs = true,
       .metrics = {"accuracy"}},
  };
  return all;
}

const Layout& layout_of(std::string_view task) {
  static const std::vector<Layout> all = {
      {"cola", {"sentence", "text_a", "text"}, {}, {"label"}, {{4, 4, 0, 2}}},
      {"sst2", {"sentence", "text_a", "text"}, {}, {"label"}, {{2, 1, 0, 2}}},
      {"mrpc",
       {"#1 String", "sentence1", "text_a"},
       {"#2 String", "sentence2", "text_b"},
       {"Quality", "label"},
       {{5, 4, 5, 1}}},
      {"stsb", {"sentence1", "text_a"}, {"sentence2", "text_b"}, {"score", "label"}, {{10, 8, 9, 10}, {3, 1, 2, 3}}},
      {"qqp", {"question1", "text_a"}, {"question2", "text_b"}, {"is_duplicate", "label"}, {{6, 4, 5, 6}}},
      {"mnli",
       {"sentence1", "premise", "text_a"},
       {"sentence2", "hypothesis", "text_b"},
       {"gold_label", "label"},
       {{12, 9, 10, 12}, {16, 9, 10, 16}}},
      {"qnli", {"question", "text_a"}, {"sentence", "text_b"}, {"label"}, {{4, 2, 3, 4}}},
      {"rte", {"sentence1", "text_a"}, {"sentence2", "text_b"}, {"label"}, {{4, 2, 3, 4}}},
      {"wnli", {"sentence1", "text_a"}, {"sentence2", "text_b"}, {"label"}, {{4, 2, 3, 4}}},
  };
  return *std::find_if(all.begin(), all.end(), [&](const Layout& layout) { return layout.task == task; });
}

// The first of the names that is among the columns; empty if none is.
std::string named(const std::vector<std::string>& columns, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) return std::string(name);
  }
  return "";
}

std::string number(int position) { return position == 0 ? "" : std::to_string(position); }

[[noreturn]] void refuse(const GlueTask& task, const Layout& layout, const Input& input, std::size_t cells, bool json,
                         std::string_view missing) {
  std::string wanted = "the columns " + in_quotes(layout.text.front());
  if (task.pairs) wanted += ", " + in_quotes(layout.pair.front());
  wanted += " and " + in_quotes(layout.label.front());
  std::string got =
      missing.empty() ? std::to_string(cells) + " cells and no such header" : "none named " + in_quotes(missing);
  const std::string counts =
      joined(layout.positions, " or ", [](const Positions& positions) { return std::to_string(positions.cells); });
  if (!json) wanted += ", or without a header " + counts + " cells a row";
  throw DataError(escape_for_terminal(input.name()) + ": glue/" + std::string(task.name) + " must have " + wanted +
                  ", got " + got + "; for other files name the columns with --text-column and --label-column");
}

}  // namespace

std::span<const GlueTask> glue_tasks() { return tasks(); }

const GlueTask& glue_task(std::string_view name) {
  std::string_view task = name;
  if (task.starts_with("glue/")) task.remove_prefix(5);
  std::vector<std::string> names;
  for (const GlueTask& known : tasks()) {
    if (known.name == task) return known;
    names.emplace_back(known.name);
  }
  throw UsageError("glue: the task must be one of " + joined(names) + ", got " + in_quotes(task) +
                   did_you_mean(task, names, "glue/"));
}

std::int32_t positive_class(const GlueTask& task, const LabelVocabulary& labels) {
  for (const std::string_view name : task.positive) {
    if (const std::optional<std::int32_t> found = labels.find(name)) return *found;
  }
  return -1;
}

LabelledTextOptions glue_options(const GlueTask& task, const Input& input, bool labels_required) {
  const Layout& layout = layout_of(task.name);
  LabelledTextOptions options;
  options.labels = task.labels;
  options.labels_required = labels_required;
  options.format = table_format_of(input);
  options.header = false;
  options.skip_uneven = task.name == "qqp";

  TableReader peek(input, {.format = options.format, .header = false, .skip_uneven = options.skip_uneven});
  TableRow first;
  peek.next(first);
  const bool json = *options.format == TableFormat::kJsonLines;
  std::vector<std::string> cells = json ? peek.columns() : first.cells;
  for (std::string& cell : cells) cell = std::string(trimmed(cell));
  TextColumns by_name = {named(cells, layout.text), named(cells, layout.pair), named(cells, layout.label)};
  if (!by_name.text.empty() && (!task.pairs || !by_name.pair.empty())) {
    if (by_name.label.empty() && labels_required) refuse(task, layout, input, cells.size(), json, layout.label.front());
    if (by_name.label.empty()) options.labels = LabelKind::kNone;
    options.header = true;
    options.columns = by_name;
    return options;
  }
  for (const Positions& positions : layout.positions) {
    if (json || cells.size() != static_cast<std::size_t>(positions.cells)) continue;
    options.columns = {number(positions.text), number(positions.pair), number(positions.label)};
    return options;
  }
  refuse(task, layout, input, cells.size(), json, "");
}

}  // namespace rapt
