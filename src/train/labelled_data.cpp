#include "train/labelled_data.h"

#include <algorithm>
#include <limits>

#include "io/json.h"
#include "tensor/error.h"
#include "text/labelled/choices.h"
#include "text/labelled/glue.h"
#include "text/labelled/tags.h"
#include "text/post_processor.h"
#include "text/tokenizer_files.h"

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

constexpr const char* kDelimiters[] = {"_start_", "_delimiter_", "_classify_"};

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

// --------------------------------------------------------------------------------------------------------- sequences

SequenceFrame::SequenceFrame(std::shared_ptr<const Tokenizer> tokenizer, bool encoder, Dim max_length)
    : tokenizer_(std::move(tokenizer)), encoder_(encoder), max_length_(max_length) {
  if (!encoder_) {
    start_ = tokenizer_->token_id(kDelimiters[0]);
    delimiter_ = tokenizer_->token_id(kDelimiters[1]);
    classify_ = tokenizer_->token_id(kDelimiters[2]);
  }
  const std::size_t frame = pair({}, {}).ids.size();
  if (static_cast<Dim>(frame) >= max_length) {
    throw UsageError("tokens: sequences of " + std::to_string(max_length) + " tokens leave no room for a text beside " +
                     std::to_string(frame) + " special tokens; raise --max-length or --context");
  }
}

TokenSequence SequenceFrame::framed(std::span<const std::int32_t> first,
                                    const std::vector<std::int32_t>* second) const {
  if (encoder_) return second == nullptr ? tokenizer_->frame(first) : tokenizer_->frame(first, *second);
  TokenSequence sequence;
  if (start_) sequence.ids.push_back(*start_);
  sequence.ids.insert(sequence.ids.end(), first.begin(), first.end());
  if (second != nullptr) {
    if (delimiter_) sequence.ids.push_back(*delimiter_);
    sequence.ids.insert(sequence.ids.end(), second->begin(), second->end());
  }
  if (classify_) sequence.ids.push_back(*classify_);
  sequence.segments.assign(sequence.ids.size(), 0);
  return sequence;
}

TokenSequence SequenceFrame::one(std::vector<std::int32_t> text) const {
  const auto room = static_cast<std::size_t>(max_length_) - framed({}, nullptr).ids.size();
  if (text.size() > room) text.resize(room);
  return framed(text, nullptr);
}

TokenSequence SequenceFrame::pair(std::vector<std::int32_t> first, std::vector<std::int32_t> second) const {
  const std::vector<std::int32_t> none;
  const std::size_t frame = framed({}, &none).ids.size();
  const std::size_t room =
      static_cast<std::size_t>(max_length_) > frame ? static_cast<std::size_t>(max_length_) - frame : 0;
  while (first.size() + second.size() > room) (first.size() > second.size() ? first : second).pop_back();
  return framed(first, &second);
}

Dim SequenceFrame::before() const {
  constexpr std::int32_t kMark = 0;
  const std::vector<std::int32_t> mark = {kMark};
  const std::size_t all = framed(mark, nullptr).ids.size(), empty = framed({}, nullptr).ids.size();
  if (all == empty) return 0;
  if (!encoder_) return start_ ? 1 : 0;
  return tokenizer_->class_token() ? 1 : 0;
}

std::shared_ptr<const Tokenizer> with_delimiters(const Tokenizer& tokenizer) {
  Json json = parse_json(tokenizer.to_json(), "tokenizer.json");
  std::int32_t next = tokenizer.vocabulary_size();
  for (const char* name : kDelimiters) {
    if (tokenizer.token_id(name)) continue;
    Json token;
    token["id"] = next++;
    token["content"] = name;
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) token[flag] = false;
    token["special"] = true;
    json["added_tokens"].push_back(std::move(token));
  }
  return tokenizer_from_json(dump_compact(json), "tokenizer.json");
}

// ----------------------------------------------------------------------------------------------------------- reading

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

LabelledData LabelledData::subset(std::span<const Dim> samples) const {
  LabelledData part(frame_, options_);
  part.labels_ = labels_;
  part.labelled_ = labelled_;
  part.file_ = file_;
  part.questions_ = questions_;
  part.contexts_ = contexts_;
  for (const Dim sample : samples) {
    for (Dim s = first_sequence_[index(sample)]; s < first_sequence_[index(sample) + 1]; ++s) {
      const std::int64_t begin = begins_[index(s)], end = begins_[index(s) + 1];
      part.add_sequence(
          {{tokens_.begin() + begin, tokens_.begin() + end}, {segments_.begin() + begin, segments_.begin() + end}});
    }
    if (!classes_.empty()) part.classes_.push_back(class_of(sample));
    if (!values_.empty()) part.values_.push_back(values_[index(sample)]);
    if (task() == Task::kMultilabel) part.sets_.insert(part.sets_.end(), set_of(sample).begin(), set_of(sample).end());
    if (task() == Task::kTag) {
      part.tags_.push_back(tags_of(sample));
      for (auto t = static_cast<std::size_t>(first_tag_[index(sample)]);
           t < static_cast<std::size_t>(first_tag_[index(sample) + 1]); ++t) {
        part.tag_rows_.push_back(tag_rows_[t]);
        part.tag_words_.push_back(tag_words_[t]);
        part.tag_classes_.push_back(tag_classes_[t]);
      }
      part.first_tag_.push_back(static_cast<std::int64_t>(part.tag_rows_.size()));
    }
    if (task() == Task::kQuestion) {
      part.windows_.push_back(window(sample));
      part.window_question_.push_back(question_of(sample));
    }
    part.end_sample(line(sample), texts(sample));
  }
  return part;
}

void LabelledData::add_sequence(const TokenSequence& sequence) {
  tokens_.insert(tokens_.end(), sequence.ids.begin(), sequence.ids.end());
  segments_.insert(segments_.end(), sequence.segments.begin(), sequence.segments.end());
  begins_.push_back(static_cast<std::int64_t>(tokens_.size()));
}

void LabelledData::end_sample(std::int64_t line, std::vector<std::string> texts) {
  lines_.push_back(line);
  texts_.push_back(std::move(texts));
  first_sequence_.push_back(static_cast<Dim>(begins_.size()) - 1);
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

// ----------------------------------------------------------------------------------------------------------- batches

Dim LabelledData::tokens_of(Dim sample) const {
  const Dim first = first_sequence_[index(sample)], end = first_sequence_[index(sample) + 1];
  return static_cast<Dim>(begins_[index(end)] - begins_[index(first)]);
}

std::span<const std::uint8_t> LabelledData::set_of(Dim sample) const {
  return std::span(sets_).subspan(index(sample) * labels_.size(), labels_.size());
}

std::span<const std::int32_t> LabelledData::tagged_words(Dim sample) const {
  const auto begin = static_cast<std::size_t>(first_tag_[index(sample)]);
  return std::span(tag_words_).subspan(begin, static_cast<std::size_t>(first_tag_[index(sample) + 1]) - begin);
}

PlacedTokens LabelledData::context_of(Dim window) const {
  const Context& context = contexts_[questions_.questions[question_of(window)].context];
  return {context.ids, context.spans};
}

Batch LabelledData::batch(std::span<const Dim> samples) const {
  std::vector<Dim> lengths;
  std::vector<std::int32_t> tokens, segments, positions;
  for (const Dim sample : samples) {
    for (Dim s = first_sequence_[index(sample)]; s < first_sequence_[index(sample) + 1]; ++s) {
      const std::int64_t begin = begins_[index(s)], end = begins_[index(s) + 1];
      lengths.push_back(static_cast<Dim>(end - begin));
      tokens.insert(tokens.end(), tokens_.begin() + begin, tokens_.begin() + end);
      segments.insert(segments.end(), segments_.begin() + begin, segments_.begin() + end);
      for (std::int64_t i = begin; i < end; ++i) positions.push_back(static_cast<std::int32_t>(i - begin));
    }
  }
  const auto N = static_cast<Dim>(tokens.size());
  Batch batch;
  batch.layout = pack_lengths(lengths);
  batch.tokens = Tensor::from(tokens, {N});
  batch.positions = Tensor::from(positions, {N});
  batch.segments = Tensor::from(segments, {N});
  add_targets(batch, samples);
  add_labels(batch, samples);
  return batch;
}

// Tags, or the next tokens of a language model that learns beside the task.
void LabelledData::add_targets(Batch& batch, std::span<const Dim> samples) const {
  std::vector<std::int32_t> rows, targets;
  const std::int32_t* const offsets = batch.layout.offsets.data<std::int32_t>();
  if (options_.task == Task::kTag) {
    for (std::size_t b = 0; b < samples.size(); ++b) {
      for (auto t = first_tag_[index(samples[b])]; t < first_tag_[index(samples[b]) + 1]; ++t) {
        rows.push_back(offsets[b] + tag_rows_[static_cast<std::size_t>(t)]);
        targets.push_back(std::max(0, tag_classes_[static_cast<std::size_t>(t)]));
      }
    }
  } else if (options_.language_model) {
    const std::int32_t* const tokens = batch.tokens.data<std::int32_t>();
    for (Dim b = 0; b < batch.layout.sequences(); ++b) {
      for (std::int32_t i = offsets[b]; i + 1 < offsets[b + 1]; ++i) {
        rows.push_back(i);
        targets.push_back(tokens[i + 1]);
      }
    }
  } else {
    return;
  }
  const auto M = static_cast<Dim>(rows.size());
  batch.target_rows = Tensor::from(rows, {M});
  batch.targets = Tensor::from(targets, {M});
}

void LabelledData::add_labels(Batch& batch, std::span<const Dim> samples) const {
  const auto B = static_cast<Dim>(samples.size());
  switch (options_.task) {
    case Task::kTag:
      return;
    case Task::kClassify:
    case Task::kChoice: {
      std::vector<std::int32_t> labels;
      for (const Dim sample : samples) labels.push_back(std::max(0, class_of(sample)));
      batch.labels = Tensor::from(labels, {B});
      return;
    }
    case Task::kRegress: {
      std::vector<float> labels;
      for (const Dim sample : samples) labels.push_back(values_[index(sample)]);
      batch.labels = Tensor::from(labels, {B});
      return;
    }
    case Task::kMultilabel: {
      std::vector<float> labels;
      for (const Dim sample : samples) {
        for (const std::uint8_t yes : set_of(sample)) labels.push_back(yes);
      }
      batch.labels = Tensor::from(labels, {B, static_cast<Dim>(labels_.size())});
      return;
    }
    case Task::kQuestion: {
      std::vector<std::int32_t> labels;
      for (const Dim sample : samples) {
        labels.push_back(static_cast<std::int32_t>(window(sample).start));
        labels.push_back(static_cast<std::int32_t>(window(sample).end));
      }
      batch.labels = Tensor::from(labels, {B, 2});
      return;
    }
  }
}

}  // namespace rapt
