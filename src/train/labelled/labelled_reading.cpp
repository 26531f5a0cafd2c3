// Reads files into LabelledData: one function per kind of example.
#include <algorithm>
#include <limits>

#include "io/escape.h"
#include "io/joined.h"
#include "tensor/error.h"
#include "text/labelled/choices.h"
#include "text/labelled/glue.h"
#include "text/labelled/undecided_error.h"
#include "train/labelled/labelled_data.h"

namespace rapt {

// The current position in the files.
struct LabelledFiles {
  std::vector<std::string> names;
  std::size_t opened = 0;
  std::unique_ptr<LabelledTextReader> texts;
  std::unique_ptr<TagReader> tags;
  std::unique_ptr<ChoiceReader> choices;

  // Whether the next example has not yet arrived on standard input.
  bool would_wait() const {
    if (texts != nullptr) return texts->would_wait();
    if (tags != nullptr) return tags->would_wait();
    return choices != nullptr && choices->table().would_wait();
  }
};

namespace {

Input open_input(const std::string& file, const LabelledOptions& options) {
  if (file != "-") return Input::from_file(file);
  return options.live ? Input::live_standard_input() : Input::from_standard_input();
}

// The next example of several files, one file after the other; false after the last.
template <typename Reader, typename Example, typename Open>
bool next_example(LabelledFiles& files, std::unique_ptr<Reader>& reader, Example& example, const Open& open) {
  for (;;) {
    if (reader == nullptr) {
      if (files.opened == files.names.size()) return false;
      reader = std::make_unique<Reader>(open(files.names[files.opened++]));
    }
    if (reader->next(example)) return true;
    reader.reset();
  }
}

}  // namespace

LabelledStream::LabelledStream(std::vector<std::string> files, SequenceFrame frame, LabelledOptions options)
    : frame_(std::move(frame)), options_(std::move(options)), files_(std::make_unique<LabelledFiles>()) {
  files_->names = std::move(files);
}
LabelledStream::LabelledStream(LabelledStream&&) noexcept = default;
LabelledStream::~LabelledStream() = default;

std::optional<LabelledData> LabelledStream::next(Dim samples) {
  LabelledData data(frame_, options_);
  data.labels_ = LabelVocabulary(options_.labels);
  data.file_ = joined(files_->names);
  switch (options_.task) {
    case Task::kClassify:
    case Task::kRegress:
    case Task::kMultilabel:
      data.read_texts(*files_, samples);
      break;
    case Task::kTag:
      data.read_tags(*files_, samples);
      break;
    case Task::kChoice:
      data.read_choices(*files_, samples);
      break;
    case Task::kQuestion:
      data.read_questions(*files_);
      break;
  }
  if (data.samples() > 0) {
    any_ = true;
    return data;
  }
  if (!any_) throw DataError(data.file_ + ": must hold at least one example, got none");
  return std::nullopt;
}

LabelledData LabelledData::read(const std::vector<std::string>& files, const SequenceFrame& frame,
                                const LabelledOptions& options) {
  return *LabelledStream(files, frame, options).next(std::numeric_limits<Dim>::max());
}

// ------------------------------------------------------------------------------------------------------------- opening

static LabelKind label_kind_of(Task task) {
  if (task == Task::kRegress) return LabelKind::kValue;
  if (task == Task::kTag) return LabelKind::kNone;
  return task == Task::kMultilabel ? LabelKind::kSet : LabelKind::kClass;
}

static LabelledTextOptions text_options(const LabelledOptions& options) {
  LabelledTextOptions reading;
  if (!options.format.empty()) reading.format = table_format(options.format);
  reading.columns = options.columns;
  reading.usual = options.usual;
  reading.header = options.header;
  reading.labels = label_kind_of(options.task);
  reading.labels_required = options.labels_required;
  reading.separator = options.separator;
  return reading;
}

// A file of a GLUE task has that task's columns, unless it is to be predicted and has others.
static std::optional<LabelledTextOptions> glue_columns(const Input& input, const LabelledOptions& options) {
  if (options.glue.empty() || !options.format.empty()) return std::nullopt;
  try {
    return glue_options(glue_task(options.glue), input, options.labels_required);
  } catch (const DataError&) {
    if (options.labels_required && options.columns.text.empty()) throw;
    return std::nullopt;
  }
}

static LabelledTextReader open_texts(const std::string& file, const LabelledOptions& options) {
  const Input input = open_input(file, options);
  LabelledTextOptions reading = glue_columns(input, options).value_or(text_options(options));
  if (!options.columns.text.empty()) reading.columns.text = options.columns.text;
  if (!options.columns.pair.empty()) reading.columns.pair = options.columns.pair;
  if (!options.columns.label.empty()) reading.columns.label = options.columns.label;
  LabelledTextReader reader(input, reading);
  const bool pairs = !options.usual.pair.empty() || (!options.glue.empty() && glue_task(options.glue).pairs);
  if (pairs && !reader.has_pairs()) {
    throw UndecidedError(escape_for_terminal(input.name()) +
                             ": must have two texts per row, like the model's training data, got one; use "
                             "--text-column and --pair-column",
                         "--pair-column 2");
  }
  return reader;
}

static TagReader open_tags(const std::string& file, const LabelledOptions& options, const Tokenizer& tokenizer) {
  TagOptions reading;
  reading.tags_required = options.labels_required;
  reading.tags = options.labels;
  if (options.format == "conll") reading.form = TagForm::kColumns;
  if (options.format.starts_with("json")) reading.form = TagForm::kJson;
  if (!options.labels_required) {
    reading.cut = [&tokenizer](std::string_view text) {
      std::vector<std::string> words;
      for (const TokenSpan& word : tokenizer.words(text))
        words.emplace_back(text.substr(word.begin, word.end - word.begin));
      return words;
    };
    if (!options.format.empty() && !reading.form) reading.form = TagForm::kTexts;
    if (reading.form.value_or(TagForm::kTexts) == TagForm::kTexts) reading.texts = text_options(options);
  } else if (!options.format.empty() && options.format != "tsv" && !reading.form) {
    throw UsageError("--format must be conll, tsv, jsonl or json for --task tag, got " + options.format);
  }
  return TagReader(open_input(file, options), reading);
}

// ------------------------------------------------------------------------------------------------------------- texts

// The cells of one file in the column order of another, by name.
static void align(std::vector<Json>& cells, const std::vector<std::string>& from, const std::vector<std::string>& to) {
  if (from == to) return;
  std::vector<Json> aligned(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto found = std::ranges::find(from, to[i]);
    if (found != from.end()) aligned[i] = std::move(cells[static_cast<std::size_t>(found - from.begin())]);
  }
  cells = std::move(aligned);
}

void LabelledData::add_length(Dim tokens) {
  facts_.longest = std::max(facts_.longest, tokens);
  facts_.cut += tokens > frame_.max_length() ? 1 : 0;
}

void LabelledData::keep(const std::vector<std::string>& gold, std::vector<Json> others) {
  if (!options_.keeps_columns) return;
  gold_.push_back(gold);
  others_.push_back(std::move(others));
}

// The class of a label; -2 if it is unknown and unknown labels are accepted.
std::int32_t LabelledData::class_named(const std::string& label, const std::string& place, Dim sample) {
  const std::optional<std::int32_t> known = labels_.find(label);
  if (known) return *known;
  if (!options_.unknown_labels) return labels_.index(label, place);
  unknown_[sample].push_back(label);
  ++facts_.unknown[label];
  return -2;
}

void LabelledData::read_texts(LabelledFiles& files, Dim most) {
  std::vector<LabelledText> examples;
  std::vector<std::string> places;  // of examples, for messages about labels
  LabelCollector found;
  const bool collects = options_.labels.empty() && options_.task != Task::kRegress;
  const auto open = [&](const std::string& file) { return open_texts(file, options_); };
  const auto more = [&] {
    return static_cast<Dim>(examples.size()) < most && (examples.empty() || !files.would_wait());
  };
  for (LabelledText example; more() && next_example(files, files.texts, example, open);) {
    if (examples.empty()) {
      facts_.columns = files.texts->columns();
      facts_.has_header = files.texts->has_header();
      other_columns_ = files.texts->other_columns();
    }
    if (options_.keeps_columns) align(example.others, files.texts->other_columns(), other_columns_);
    places.push_back(files.texts->where(example));
    if (collects) {
      for (const std::string& label : example.labels) found.add(label, places.back());
    }
    examples.push_back(std::move(example));
  }
  if (collects) labels_ = found.vocabulary();
  for (std::size_t i = 0; i < examples.size(); ++i) add_text(std::move(examples[i]), places[i]);
}

void LabelledData::add_text(LabelledText e, const std::string& place) {
  const Tokenizer& tokenizer = frame_.tokenizer();
  std::vector<std::int32_t> first = tokenizer.encode(e.text, SpecialTokens::kAsText), second;
  if (e.pair) second = tokenizer.encode(*e.pair, SpecialTokens::kAsText);
  const std::size_t frame = (e.pair ? frame_.pair({}, {}) : frame_.one({})).ids.size();
  add_length(static_cast<Dim>(first.size() + second.size() + frame));
  add_sequence(e.pair ? frame_.pair(std::move(first), std::move(second)) : frame_.one(std::move(first)));
  labelled_ = labelled_ && e.labelled;
  any_labelled_ = any_labelled_ || e.labelled;
  if (options_.task == Task::kClassify) {
    classes_.push_back(e.labels.empty() ? -1 : class_named(e.labels[0], place, samples()));
  } else if (options_.task == Task::kRegress) {
    values_.push_back(static_cast<float>(e.value.value_or(0)));
  } else {
    const std::size_t begin = sets_.size();
    sets_.resize(begin + labels_.size());
    for (const std::string& label : e.labels) {
      const std::int32_t k = class_named(label, place, samples());
      if (k >= 0) sets_[begin + static_cast<std::size_t>(k)] = 1;
    }
  }
  keep(e.labels, std::move(e.others));
  std::vector<std::string> texts = {std::move(e.text)};
  if (e.pair) texts.push_back(std::move(*e.pair));
  end_sample(e.line, std::move(texts));
}

// --------------------------------------------------------------------------------------------------------------- tags

void LabelledData::read_tags(LabelledFiles& files, Dim most) {
  struct Read {
    TaggedSentence sentence;
    std::string place;
  };
  std::vector<Read> all;
  LabelCollector found;
  const auto open = [&](const std::string& file) { return open_tags(file, options_, frame_.tokenizer()); };
  const auto more = [&] { return static_cast<Dim>(all.size()) < most && (all.empty() || !files.would_wait()); };
  for (TaggedSentence sentence; more() && next_example(files, files.tags, sentence, open);) {
    if (all.empty()) other_columns_ = files.tags->other_columns();
    const std::string place = files.tags->where(sentence);
    if (options_.labels.empty()) {
      for (const std::string& tag : sentence.tags) found.add(tag, place);
    }
    all.push_back({std::move(sentence), place});
  }
  if (options_.labels.empty()) labels_ = found.vocabulary();
  for (Read& read : all) add_sentence(std::move(read.sentence), read.place);
}

// A word's tag belongs to its first token; the other tokens have no target (Devlin et al. 2018, section 5.3).
void LabelledData::add_sentence(TaggedSentence sentence, const std::string& place) {
  std::vector<std::int32_t> ids;
  std::vector<std::pair<std::int32_t, std::int32_t>> first_tokens;  // place, word
  for (std::size_t w = 0; w < sentence.words.size(); ++w) {
    std::vector<std::int32_t> word = frame_.tokenizer().encode_word(sentence.words[w]);
    if (word.empty()) {  // a word of control characters: something must stand for it
      if (const auto unknown = frame_.tokenizer().unknown_token()) word = {*unknown};
    }
    if (!word.empty()) first_tokens.emplace_back(static_cast<std::int32_t>(ids.size()), static_cast<std::int32_t>(w));
    ids.insert(ids.end(), word.begin(), word.end());
  }
  const std::size_t frame = frame_.one({}).ids.size();
  const std::size_t room = static_cast<std::size_t>(frame_.max_length()) - frame;
  add_length(static_cast<Dim>(ids.size() + frame));
  std::vector<std::int32_t> classes(sentence.words.size(), -1);
  for (std::size_t w = 0; w < sentence.tags.size(); ++w) classes[w] = class_of_tag(sentence.tags[w], place);
  for (const auto& [at, word] : first_tokens) {
    if (static_cast<std::size_t>(at) >= room) break;
    tag_rows_.push_back(at + static_cast<std::int32_t>(frame_.before()));
    tag_words_.push_back(word);
    tag_classes_.push_back(classes[static_cast<std::size_t>(word)]);
  }
  first_tag_.push_back(static_cast<std::int64_t>(tag_rows_.size()));
  labelled_ = labelled_ && !sentence.tags.empty();
  any_labelled_ = any_labelled_ || !sentence.tags.empty();
  add_sequence(frame_.one(std::move(ids)));
  keep(sentence.tags, std::move(sentence.text.others));
  tags_.push_back(std::move(sentence.tags));
  end_sample(sentence.line, std::move(sentence.words));
}

std::int32_t LabelledData::class_of_tag(const std::string& tag, const std::string& place) {
  const std::optional<std::int32_t> known = labels_.find(tag);
  if (known) return *known;
  if (!options_.unknown_labels) return labels_.index(tag, place);
  ++facts_.unknown[tag];
  return -1;
}

void LabelledData::read_choices(LabelledFiles& files, Dim most) {
  const Tokenizer& tokenizer = frame_.tokenizer();
  const auto open = [&](const std::string& file) {
    ChoiceOptions reading;
    if (!options_.format.empty()) reading.format = table_format(options_.format);
    reading.labels_required = options_.labels_required;
    return ChoiceReader(open_input(file, options_), reading);
  };
  const auto more = [&] { return samples() < most && (samples() == 0 || !files.would_wait()); };
  for (ChoiceExample example; more() && next_example(files, files.choices, example, open);) {
    const std::vector<std::int32_t> context = tokenizer.encode(example.context, SpecialTokens::kAsText);
    std::vector<std::string> texts = {example.context};
    Dim longest = 0;
    for (const std::string& choice : example.choices) {
      std::vector<std::int32_t> ids = tokenizer.encode(choice, SpecialTokens::kAsText);
      longest = std::max(longest, static_cast<Dim>(context.size() + ids.size() + frame_.pair({}, {}).ids.size()));
      add_sequence(frame_.pair(context, std::move(ids)));
      texts.push_back(choice);
    }
    add_length(longest);
    classes_.push_back(example.label.value_or(-1));
    labelled_ = labelled_ && example.label.has_value();
    any_labelled_ = any_labelled_ || example.label.has_value();
    keep(example.label ? std::vector{std::to_string(*example.label)} : std::vector<std::string>{}, {});
    end_sample(example.line, std::move(texts));
    if (choices_of(samples() - 1) != choices_of(0)) {
      throw DataError(files.choices->table().name() + ": line " + std::to_string(example.line) +
                      ": every question must have " + std::to_string(choices_of(0)) +
                      " choices as the first one does, got " + std::to_string(choices_of(samples() - 1)));
    }
  }
}

void LabelledData::read_questions(LabelledFiles& files) {
  if (!options_.format.empty() && !options_.format.starts_with("json")) {
    throw UsageError("--format must be json or jsonl for --task qa, got " + options_.format);
  }
  while (files.opened < files.names.size()) {
    QaData more = read_squad(open_input(files.names[files.opened++], options_), options_.labels_required);
    for (QaQuestion& q : more.questions) {
      q.context += questions_.contexts.size();
      questions_.questions.push_back(std::move(q));
    }
    std::ranges::move(more.contexts, std::back_inserter(questions_.contexts));
    questions_.may_be_unanswerable = questions_.may_be_unanswerable || more.may_be_unanswerable;
  }
  contexts_.resize(questions_.contexts.size());
  for (std::size_t c = 0; c < contexts_.size(); ++c) {
    frame_.tokenizer().encode_with_spans(questions_.contexts[c], contexts_[c].ids, contexts_[c].spans,
                                         SpecialTokens::kAsText);
  }
  for (std::size_t q = 0; q < questions_.questions.size(); ++q) add_windows(q);
}

void LabelledData::add_windows(std::size_t question) {
  const QaQuestion& q = questions_.questions[question];
  const Tokenizer& tokenizer = frame_.tokenizer();
  QaWindowOptions options;
  options.length = frame_.max_length();
  options.stride = options_.stride;
  const auto start = tokenizer.class_token(), end = tokenizer.separator_token();
  if (start) options.before = {*start};
  if (end) options.between = options.after = {*end};
  std::optional<TokenSpan> answer;
  if (!q.answers.empty() && q.answers[0].begin) {
    answer = TokenSpan{*q.answers[0].begin, *q.answers[0].begin + q.answers[0].text.size()};
  }
  const Context& context = contexts_[q.context];
  for (QaWindow& window : qa_windows(tokenizer.encode(q.question, SpecialTokens::kAsText), {context.ids, context.spans},
                                     answer, options)) {
    facts_.longest = std::max(facts_.longest, static_cast<Dim>(window.tokens.size()));
    add_sequence({window.tokens, window.segments});
    windows_.push_back(std::move(window));
    window_question_.push_back(question);
    end_sample(static_cast<std::int64_t>(question) + 1, {});
  }
}

}  // namespace rapt
