#include "train/labelled/labelled_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "io/joined.h"
#include "train/settings/numbers.h"

namespace rapt {
namespace {

using Count = std::pair<std::string, std::int64_t>;

std::string counted(std::int64_t n, const char* one, const char* many) {
  return print_grouped(n) + ' ' + (n == 1 ? one : many);
}

// "ENTY 1,250, HUM 1,223, ...", most frequent first.
std::string list_of(std::vector<Count> counts, std::size_t most) {
  std::ranges::stable_sort(counts, [](const Count& a, const Count& b) { return a.second > b.second; });
  return joined_first(counts, most, [](const Count& count) {
    return escape_for_terminal(count.first) + ' ' + print_grouped(count.second);
  });
}

// The count of each label in the data, in the order of the labels.
std::vector<Count> counts_of(const LabelledData& data) {
  std::vector<Count> counts;
  for (const std::string& name : data.labels().names()) counts.emplace_back(name, 0);
  for (Dim s = 0; s < data.samples(); ++s) {
    switch (data.task()) {
      case Task::kClassify:
        if (data.class_of(s) >= 0) ++counts[static_cast<std::size_t>(data.class_of(s))].second;
        break;
      case Task::kMultilabel:
        for (std::size_t k = 0; k < counts.size(); ++k) counts[k].second += data.set_of(s)[k];
        break;
      case Task::kTag:
        for (const std::string& tag : data.tags_of(s)) {
          if (const auto k = data.labels().find(tag)) ++counts[static_cast<std::size_t>(*k)].second;
        }
        break;
      case Task::kRegress:
      case Task::kChoice:
      case Task::kQuestion:
        break;
    }
  }
  return counts;
}

std::string columns_text(const LabelledData& data) {
  const ReadingFacts& facts = data.facts();
  const auto shown = [&](const std::string& column) {
    return "column " + (facts.has_header ? in_quotes(column, 40) : column);
  };
  if (facts.columns.text.empty()) return "";
  std::string text = "; text in " + shown(facts.columns.text);
  if (!facts.columns.pair.empty()) text += " and " + shown(facts.columns.pair);
  if (!facts.columns.label.empty()) text += ", label in " + shown(facts.columns.label);
  return facts.has_header ? text : text + ", without a header";
}

std::string examples_text(const LabelledData& data) {
  if (data.task() == Task::kTag) {
    std::int64_t words = 0;
    for (Dim s = 0; s < data.samples(); ++s) words += static_cast<std::int64_t>(data.texts(s).size());
    return counted(data.samples(), "sentence", "sentences") + ", " + counted(words, "word", "words");
  }
  if (data.task() == Task::kQuestion) {
    return counted(static_cast<std::int64_t>(data.questions().questions.size()), "question", "questions") + " about " +
           counted(static_cast<std::int64_t>(data.questions().contexts.size()), "text", "texts") + ", read in " +
           counted(data.samples(), "window", "windows");
  }
  if (data.task() == Task::kChoice) {
    return counted(data.samples(), "question", "questions") + " with " + std::to_string(data.choices_of(0)) +
           " choices each";
  }
  return counted(data.samples(), "example", "examples") + columns_text(data);
}

std::string numbers_text(const LabelledData& data) {
  double sum = 0, low = data.value_of(0), high = low;
  for (Dim s = 0; s < data.samples(); ++s) {
    sum += data.value_of(s);
    low = std::min(low, data.value_of(s));
    high = std::max(high, data.value_of(s));
  }
  return fmt::format("labels from {:g} to {:g}, mean {:.4g}", low, high, sum / static_cast<double>(data.samples()));
}

void warn_of_classes(const LabelledData& data, const std::vector<Count>& counts, const Notice& notice) {
  constexpr std::int64_t kFew = 5;
  if (counts.size() == 1) {
    notice("warning: every label is " + in_quotes(counts[0].first, 40) + "; the model will predict it for every text");
    return;
  }
  if (data.task() == Task::kClassify && 2 * static_cast<Dim>(counts.size()) > data.samples() && data.samples() > 10) {
    notice("warning: " + print_grouped(static_cast<std::int64_t>(counts.size())) + " classes for " +
           counted(data.samples(), "example", "examples") + "; is " + in_quotes(data.facts().columns.label, 40) +
           " the label column? --label-column selects another, --task regress predicts numbers");
    return;
  }
  std::vector<Count> rare;
  std::ranges::copy_if(counts, std::back_inserter(rare), [](const Count& count) { return count.second < kFew; });
  if (rare.empty()) return;
  std::ranges::stable_sort(rare, [](const Count& a, const Count& b) { return a.second < b.second; });
  notice("warning: fewer than " + std::to_string(kFew) + " examples of " + list_of(rare, 8) +
         "; add more of them for better predictions");
}

}  // namespace

void tell_examples(const LabelledData& data, const Notice& notice) {
  notice("data: " + escape_for_terminal(data.file()) + ": " + examples_text(data));
  if (data.task() == Task::kRegress) return notice("data: " + numbers_text(data));
  if (data.task() == Task::kQuestion || data.task() == Task::kChoice) return;
  const std::vector<Count> counts = counts_of(data);
  const char* what = data.task() == Task::kTag ? "tags: " : data.task() == Task::kMultilabel ? "labels: " : "classes: ";
  notice("data: " + print_grouped(static_cast<std::int64_t>(counts.size())) + ' ' + what + list_of(counts, 12));
  warn_of_classes(data, counts, notice);
}

void tell_lengths(const LabelledData& data, Dim max_length, const Notice& notice) {
  const ReadingFacts& facts = data.facts();
  const double mean = static_cast<double>(data.tokens()) / static_cast<double>(data.samples());
  const char* unit = data.task() == Task::kQuestion ? "window" : "example";
  std::string cut = facts.cut == 0 ? "none is truncated"
                                   : print_grouped(facts.cut) + (facts.cut == 1 ? " is" : " are") + " truncated";
  notice("data: " + fmt::format("{:.1f} tokens per ", mean) + unit + " on average, at most " +
         print_grouped(facts.longest) + "; " + cut + " at " + std::to_string(max_length));
}

void tell_validation(const LabelledData* held_out, bool own, const Notice& notice) {
  if (held_out == nullptr) {
    notice(
        "warning: nothing is held out for validation, so no best checkpoint is selected; give "
        "--validation-data FILE, or --validation-fraction 0.1");
    return;
  }
  if (!own) {
    notice("data: " + print_grouped(held_out->samples()) + " of these, chosen at random, are held out for validation");
    return;
  }
  notice("data: " + escape_for_terminal(held_out->file()) + " for validation: " + examples_text(*held_out));
  if (!held_out->facts().unknown.empty()) {
    notice("warning: " + escape_for_terminal(held_out->file()) + " has " +
           unknown_labels_text(held_out->facts().unknown));
  }
}

std::string unknown_labels_text(const std::map<std::string, std::int64_t>& unknown) {
  const std::vector<Count> counts(unknown.begin(), unknown.end());
  const auto labels = static_cast<std::int64_t>(counts.size());
  return counted(labels, "label", "labels") + " that the model does not know (" + list_of(counts, 8) + "); " +
         (labels == 1 ? "it counts" : "they count") + " as wrong";
}

}  // namespace rapt
