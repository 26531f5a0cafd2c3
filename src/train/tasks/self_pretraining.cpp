#include "train/tasks/self_pretraining.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "io/durable_file.h"
#include "io/file.h"
#include "io/json.h"
#include "tensor/error.h"
#include "text/utf8.h"
#include "train/models/family.h"
#include "train/settings/settings.h"
#include "train/tasks/choose.h"
#include "train/tasks/labelled_task.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

// The settings that stage 1 takes over from the run, if given.
constexpr const char* kShared[] = {"layers",     "heads",   "width",           "feed-forward", "context",
                                   "activation", "vocab",   "tokenizer",       "lowercase",    "norm-epsilon",
                                   "seed",       "threads", "attention-start", "precision"};

// Four times the square root of the bytes: 2,000 entries for 5,000 questions, 7,500 for 67,000 phrases. Larger than for
// a language model, because labels depend on words.
std::string vocabulary_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  CharacterSet characters;
  for (const std::string& text : texts) {
    bytes += text.size();
    characters.add(text);
  }
  return std::to_string(vocabulary_for(4 * std::sqrt(static_cast<double>(bytes)), characters.size(), 30000));
}

std::string texts_file(const RunFolder& folder) { return folder.words() + "/texts.jsonl"; }

// As JSON lines, because a text may contain line ends, and each is a document.
void write_texts(const std::vector<std::string>& texts, const RunFolder& folder) {
  std::error_code error;
  fs::create_directories(folder.words(), error);
  if (error) throw CannotCreateError("train: cannot create " + folder.words() + ": " + error.message());
  std::string lines;
  for (const std::string& text : texts) {
    Json line;
    line["text"] = text;
    lines += dump_compact(line) + "\n";
  }
  if (!fs::exists(texts_file(folder))) return write_file_durably(texts_file(folder), lines);
  if (read_file(texts_file(folder)) != lines) {
    throw ConfigError(folder.words() + " was started with other texts; use another --out");
  }
}

}  // namespace

bool learns_words_first(const LayeredConfig& wanted) {
  const TrainConfig& c = wanted.values;
  const bool masks = !wanted.given("tokenizer") || c.tokenizer == "wordpiece";
  const bool files = std::ranges::find(c.data, "-") == c.data.end() && !c.data.empty();
  const bool learns = !wanted.given("model") || family_of(c).can_learn(Objective::kMaskedWords);
  return c.is_labelled() && c.init.empty() && c.self_pretrain && !has_end(c) && masks && files && learns;
}

LayeredConfig word_settings(const LayeredConfig& wanted, const RunFolder& folder, const Notice& notice) {
  const std::vector<std::string> texts = texts_of(wanted.values, notice);
  write_texts(texts, folder);
  LayeredConfig words;
  choose_small_encoder(words);
  choose(words, "vocab", vocabulary_of(texts));
  follow(words, Recipe::kWordsOfLabels);
  words.values.task = "mlm";
  words.values.data = {texts_file(folder)};
  words.values.out = folder.words();
  words.values.minutes = kShareOfWords * minutes_of(wanted.values);
  for (const char* name : {"task", "data", "out", "minutes", "vocab", "tokenizer"})
    words.origin[name] = Origin::kPreset;
  for (const char* name : kShared) {
    if (!wanted.given(name)) continue;
    const Setting& setting = *find_setting(name);
    setting.set(words.values, setting.get(wanted.values));
    words.origin[name] = wanted.origin_of(name);
  }
  return words;
}

LayeredConfig label_settings(const LayeredConfig& wanted, const RunFolder& folder) {
  LayeredConfig labels = wanted;
  labels.values.init = folder.words();
  labels.origin["init"] = Origin::kChosen;
  labels.values.minutes = (1 - kShareOfWords) * minutes_of(wanted.values);
  labels.origin["minutes"] = Origin::kChosen;
  return labels;
}

}  // namespace rapt
