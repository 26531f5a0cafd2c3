#include "train/tasks/text_summary.h"

#include "io/escape.h"
#include "io/json.h"
#include "train/settings/numbers.h"

namespace rapt {
namespace {

// After this many passes, a run has memorised its data. Presets and choices stay far below.
constexpr double kManyPasses = 500;

// "my.txt", "a.txt and 3 more files".
std::string names_of(const TokenStore& store) {
  const Json sources = parse_json(store.sources_json(), store.path() + ": sources");
  const Json& files = sources.at("train");
  const std::size_t more = files.size() - 1;
  const std::string first = files.at(0).at("name").get<std::string>();
  if (more == 0) return first;
  return first + " and " + std::to_string(more) + (more == 1 ? " more file" : " more files");
}

std::string counted(std::int64_t count, const char* one, const char* many) {
  return print_grouped(count) + " " + (count == 1 ? one : many);
}

}  // namespace

void tell_text(const TrainConfig& config, const TokenStore& store, bool whole_files, const Notice& notice) {
  const auto train = static_cast<std::int64_t>(store.part(Part::kTrain).size());
  const auto held_out = static_cast<std::int64_t>(store.part(Part::kValidation).size());
  const bool own_file = !config.validation_data.empty();
  const auto both = [&](std::uint64_t a, std::uint64_t b) { return own_file ? a : a + b; };
  const std::uint64_t bytes = both(store.text_bytes(Part::kTrain), store.text_bytes(Part::kValidation));
  const auto documents =
      static_cast<std::int64_t>(both(static_cast<std::uint64_t>(store.documents(Part::kTrain).size()),
                                     static_cast<std::uint64_t>(store.documents(Part::kValidation).size())));
  std::string text = "data: " + names_of(store) + ": ";
  if (bytes > 0) text += readable_bytes(bytes) + (whole_files ? ", " : " in ");
  if (!whole_files) text += counted(documents, "document", "documents") + ", ";
  notice(text + counted(own_file ? train : train + held_out, "token", "tokens"));
  const std::string rest = store.instance_options() ? "" : "the last ";
  if (own_file) {
    notice("data: " + config.validation_data + ": " + counted(held_out, "token", "tokens") + " for validation");
  } else if (held_out > 1) {
    notice("data: " + rest + counted(held_out, "token", "tokens") + " are held out for validation");
  } else {
    notice(
        "warning: nothing is held out for validation, so overfitting stays unnoticed and no best checkpoint is "
        "selected; give "
        "--validation-data FILE" +
        std::string(config.validation_fraction > 0 ? " or more text" : ""));
  }
}

void warn_of_passes(const TrainConfig& config, const TrainingData& data, std::int64_t total_steps,
                    const Notice& notice) {
  if (data.samples_per_epoch <= 0) return;
  const double tokens = static_cast<double>(data.samples_per_epoch) * data.tokens_per_sample;
  const double per_update = config.batch_tokens > 0 ? static_cast<double>(config.batch_tokens)
                                                    : static_cast<double>(config.batch) * data.tokens_per_sample;
  const double passes = static_cast<double>(total_steps * config.accumulate) * per_update / tokens;
  if (passes < kManyPasses) return;
  notice("warning: " + print_grouped(total_steps) + " updates are about " +
         print_grouped(static_cast<std::int64_t>(passes)) + " passes over " +
         print_grouped(static_cast<std::int64_t>(tokens)) +
         " tokens, so the model will memorise them; use more data, or lower --minutes or --steps");
}

}  // namespace rapt
