// How files become LabelledData: one function for each kind of example.
#include <algorithm>
#include <limits>

#include "tensor/error.h"
#include "text/labelled/choices.h"
#include "text/labelled/glue.h"
#include "text/labelled/tags.h"
#include "train/labelled_data.h"

namespace rapt {

// Where the reading of files has come to.
struct LabelledFiles {
  std::vector<std::string> names;
  std::size_t opened = 0;
  std::unique_ptr<LabelledTextReader> texts;
  std::unique_ptr<TagReader> tags;
  std::unique_ptr<ChoiceReader> choices;
};

namespace {

Input open_input(const std::string& file) {
  return file == "-" ? Input::from_standard_input() : Input::from_file(file);
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

// The next example of several files, one after the other; false after the last.
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
  if (!any_) throw DataError(data.file_ + ": there are no examples in it");
  return std::nullopt;
}

LabelledData LabelledData::read(const std::vector<std::string>& files, const SequenceFrame& frame,
                                const LabelledOptions& options) {
  return *LabelledStream(files, frame, options).next(std::numeric_limits<Dim>::max());
}

// How one file of texts is read.
static LabelledTextReader open_texts(const std::string& file, const LabelledOptions& options) {
  const Input input = open_input(file);
  LabelledTextOptions reading;
  if (!options.glue.empty()) reading = glue_options(glue_task(options.glue), input, options.labels_required);
  if (!options.columns.text.empty()) reading.columns.text = options.columns.text;
  if (!options.columns.pair.empty()) reading.columns.pair = options.columns.pair;
  if (!options.columns.label.empty()) reading.columns.label = options.columns.label;
  if (options.glue.empty()) {
    reading.table.header = options.header;
    reading.labels = options.task == Task::kClassify  ? LabelKind::kClass
                     : options.task == Task::kRegress ? LabelKind::kValue
                                                      : LabelKind::kSet;
    reading.labels_required = options.labels_required;
    reading.separator = options.separator;
  }
  return LabelledTextReader(input, reading);
}

void LabelledData::read_texts(LabelledFiles& files, Dim most) {
  std::vector<LabelledText> examples;
  std::vector<std::string> places;  // of examples, for messages about labels
  LabelCollector found;
  const bool classes = options_.task != Task::kRegress;
  const auto open = [&](const std::string& file) { return open_texts(file, options_); };
  for (LabelledText example;
       static_cast<Dim>(examples.size()) < most && next_example(files, files.texts, example, open);) {
    places.push_back(files.texts->where(example));
    if (options_.labels.empty() && classes) {
      for (const std::string& label : example.labels) found.add(label, places.back());
    }
    labelled_ = labelled_ && example.labelled;
    examples.push_back(std::move(example));
  }
  if (options_.labels.empty() && classes) labels_ = found.vocabulary();
  const Tokenizer& tokenizer = frame_.tokenizer();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    LabelledText& e = examples[i];
    std::vector<std::int32_t> first = tokenizer.encode(e.text, SpecialTokens::kAsText);
    add_sequence(e.pair ? frame_.pair(std::move(first), tokenizer.encode(*e.pair, SpecialTokens::kAsText))
                        : frame_.one(std::move(first)));
    if (options_.task == Task::kClassify) {
      classes_.push_back(e.labels.empty() ? -1 : labels_.index(e.labels[0], places[i]));
    } else if (options_.task == Task::kRegress) {
      values_.push_back(static_cast<float>(e.value.value_or(0)));
    } else {
      const std::size_t begin = sets_.size();
      sets_.resize(begin + labels_.size());
      for (const std::string& label : e.labels) {
        sets_[begin + static_cast<std::size_t>(labels_.index(label, places[i]))] = 1;
      }
    }
    std::vector<std::string> texts = {std::move(e.text)};
    if (e.pair) texts.push_back(std::move(*e.pair));
    end_sample(e.line, std::move(texts));
  }
}

// A word's tag belongs to its first token; the others are not taught (Devlin et al. 2018, section 5.3).
void LabelledData::read_tags(LabelledFiles& files, Dim most) {
  struct Read {
    TaggedSentence sentence;
    std::string place;
  };
  std::vector<Read> all;
  LabelCollector found;
  const auto open = [&](const std::string& file) {
    return TagReader(open_input(file), {.tags_required = options_.labels_required});
  };
  for (TaggedSentence sentence;
       static_cast<Dim>(all.size()) < most && next_example(files, files.tags, sentence, open);) {
    const std::string place = files.tags->where(sentence);
    if (options_.labels.empty()) {
      for (const std::string& tag : sentence.tags) found.add(tag, place);
    }
    labelled_ = labelled_ && !sentence.tags.empty();
    all.push_back({std::move(sentence), place});
  }
  if (options_.labels.empty()) labels_ = found.vocabulary();
  const Dim before = frame_.before();
  for (Read& read : all) {
    std::vector<std::int32_t> ids;
    std::vector<std::pair<std::int32_t, std::int32_t>> first_tokens;  // place, word
    for (std::size_t w = 0; w < read.sentence.words.size(); ++w) {
      std::vector<std::int32_t> word = frame_.tokenizer().encode_word(read.sentence.words[w]);
      if (word.empty()) {  // a word of control characters: something has to stand for it
        if (const auto unknown = frame_.tokenizer().unknown_token()) word = {*unknown};
      }
      if (!word.empty()) first_tokens.emplace_back(static_cast<std::int32_t>(ids.size()), static_cast<std::int32_t>(w));
      ids.insert(ids.end(), word.begin(), word.end());
    }
    const std::size_t room = static_cast<std::size_t>(frame_.max_length()) - frame_.one({}).ids.size();
    for (const auto& [at, word] : first_tokens) {
      if (static_cast<std::size_t>(at) >= room) break;
      tag_rows_.push_back(at + static_cast<std::int32_t>(before));
      tag_words_.push_back(word);
      const auto w = static_cast<std::size_t>(word);
      tag_classes_.push_back(read.sentence.tags.empty() ? -1 : labels_.index(read.sentence.tags[w], read.place));
    }
    first_tag_.push_back(static_cast<std::int64_t>(tag_rows_.size()));
    add_sequence(frame_.one(std::move(ids)));
    tags_.push_back(std::move(read.sentence.tags));
    end_sample(read.sentence.line, std::move(read.sentence.words));
  }
}

void LabelledData::read_choices(LabelledFiles& files, Dim most) {
  const Tokenizer& tokenizer = frame_.tokenizer();
  const auto open = [&](const std::string& file) {
    return ChoiceReader(open_input(file), {.labels_required = options_.labels_required});
  };
  for (ChoiceExample example; samples() < most && next_example(files, files.choices, example, open);) {
    const std::vector<std::int32_t> context = tokenizer.encode(example.context, SpecialTokens::kAsText);
    std::vector<std::string> texts = {example.context};
    for (const std::string& choice : example.choices) {
      add_sequence(frame_.pair(context, tokenizer.encode(choice, SpecialTokens::kAsText)));
      texts.push_back(choice);
    }
    classes_.push_back(example.label.value_or(-1));
    labelled_ = labelled_ && example.label.has_value();
    end_sample(example.line, std::move(texts));
    if (choices_of(samples() - 1) != choices_of(0)) {
      throw DataError(files.choices->table().name() + ": line " + std::to_string(example.line) +
                      ": every question must have " + std::to_string(choices_of(0)) +
                      " choices as the first one does, got " + std::to_string(choices_of(samples() - 1)));
    }
  }
}

void LabelledData::read_questions(LabelledFiles& files) {
  while (files.opened < files.names.size()) {
    QaData more = read_squad(open_input(files.names[files.opened++]));
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
    add_sequence({window.tokens, window.segments});
    windows_.push_back(std::move(window));
    window_question_.push_back(question);
    end_sample(static_cast<std::int64_t>(question) + 1, {});
  }
}

}  // namespace rapt
