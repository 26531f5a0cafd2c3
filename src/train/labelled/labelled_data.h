// Labelled data as a network takes it: examples read from tables, sentences of tags, SQuAD's JSON or choices, turned
// into token sequences with what they are taught, and batches of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/models/task_network.h"
#include "tensor/batch.h"
#include "text/labelled/labels.h"
#include "text/labelled/qa_windows.h"
#include "text/labelled/sequence_frame.h"
#include "text/labelled/squad.h"
#include "text/labelled/tags.h"
#include "text/labelled/texts.h"

namespace rapt {

struct LabelledOptions {
  Task task = Task::kClassify;
  std::string glue = {};                 ///< a task of GLUE, whose files' columns are known; empty: none
  std::string format = {};               ///< of the files, as --format has it; empty: as they look
  TextColumns columns = {};              ///< named: must exist
  TextColumns usual = {};                ///< of the data that a model learnt from: taken where they are
  std::optional<bool> header = {};       ///< of tables; not set: as they look
  char separator = ',';                  ///< of a set's labels
  bool labels_required = true;           ///< false: to predict
  bool keeps_columns = false;            ///< to predict: keeps what the labels say and what stands in other columns
  bool live = false;                     ///< pieces of standard input are as long as what has come
  std::vector<std::string> labels = {};  ///< those of a network that is there; empty: found in the data
  /// Whether there may be labels that are not among those given, to be counted as wrong.
  bool unknown_labels = false;
  Dim stride = 128;             ///< of the windows of a long text, in tokens
  bool language_model = false;  ///< a GPT is taught to predict the texts as well
};

struct LabelledFiles;  // labelled_reading.cpp

/// What reading came by, to be told before a run trains.
struct ReadingFacts {
  TextColumns columns = {};                          ///< that were taken, of the first file
  bool has_header = true;                            ///< by which they have names
  Dim longest = 0;                                   ///< example in tokens, as it was before it was cut
  std::int64_t cut = 0;                              ///< examples that were longer than a sequence may be
  std::map<std::string, std::int64_t> unknown = {};  ///< labels that are not among those given, and how often
};

/// Examples in memory: 8 bytes a token, and the texts that were read for scores and predictions.
class LabelledData final {
 public:
  /// \throws MissingInputError, DataError, UsageError  as the readers of text/labelled
  static LabelledData read(const std::vector<std::string>& files, const SequenceFrame& frame,
                           const LabelledOptions& options);

  /// Some of the samples, as data of their own.
  LabelledData subset(std::span<const Dim> samples) const;

  Task task() const { return options_.task; }
  const LabelledOptions& options() const { return options_; }
  const LabelVocabulary& labels() const { return labels_; }
  bool labelled() const { return labelled_; }          ///< all samples are
  bool any_labelled() const { return any_labelled_; }  ///< some sample is
  const ReadingFacts& facts() const { return facts_; }
  /// Examples, sentences, windows, or questions of choices: what is drawn at random and put into batches.
  Dim samples() const { return static_cast<Dim>(first_sequence_.size()) - 1; }
  Dim tokens() const { return static_cast<Dim>(tokens_.size()); }
  Dim tokens_of(Dim sample) const;

  Batch batch(std::span<const Dim> samples) const;

  // What scores and predictions ask for, by sample.
  const std::string& file() const { return file_; }  ///< all files, with commas between
  std::int64_t line(Dim sample) const { return lines_[index(sample)]; }
  const std::vector<std::string>& texts(Dim sample) const { return texts_[index(sample)]; }
  /// kClassify, kChoice; negative: there is none, or it is one of unknown_of().
  std::int32_t class_of(Dim sample) const { return classes_[index(sample)]; }
  double value_of(Dim sample) const { return values_[index(sample)]; }  ///< kRegress
  std::span<const std::uint8_t> set_of(Dim sample) const;               ///< kMultilabel, one for each label
  Dim choices_of(Dim sample) const { return first_sequence_[index(sample) + 1] - first_sequence_[index(sample)]; }
  /// kClassify, kMultilabel: labels that are not among labels().
  std::span<const std::string> unknown_of(Dim sample) const;
  const std::vector<std::string>& tags_of(Dim sample) const { return tags_[index(sample)]; }  ///< gold; may be empty
  /// kTag: which words the rows of a sample's logits are about (those whose first token was not cut off).
  std::span<const std::int32_t> tagged_words(Dim sample) const;

  // To predict, where options().keeps_columns.
  const std::vector<std::string>& gold_of(Dim sample) const { return gold_[index(sample)]; }  ///< as the file has it
  const std::vector<Json>& others_of(Dim sample) const { return others_[index(sample)]; }     ///< the other columns'
  const std::vector<std::string>& other_columns() const { return other_columns_; }

  /// kQuestion: a window is a sample, the windows of a question stand side by side.
  const QaData& questions() const { return questions_; }
  std::size_t question_of(Dim window) const { return window_question_[index(window)]; }
  const QaWindow& window(Dim sample) const { return windows_[index(sample)]; }
  PlacedTokens context_of(Dim window) const;

 private:
  friend class LabelledStream;
  LabelledData(const SequenceFrame& frame, LabelledOptions options) : frame_(frame), options_(std::move(options)) {}

  static std::size_t index(Dim i) { return static_cast<std::size_t>(i); }
  void read_texts(LabelledFiles& files, Dim most);
  void read_tags(LabelledFiles& files, Dim most);
  void read_choices(LabelledFiles& files, Dim most);
  void read_questions(LabelledFiles& files);
  void add_windows(std::size_t question);
  void add_sequence(const TokenSequence& sequence);
  void add_text(LabelledText example, const std::string& place);
  void add_sentence(TaggedSentence sentence, const std::string& place);
  void add_length(Dim tokens);
  void keep(const std::vector<std::string>& gold, std::vector<Json> others);
  std::int32_t class_of_tag(const std::string& tag, const std::string& place);
  std::int32_t class_named(const std::string& label, const std::string& place, Dim sample);
  void end_sample(std::int64_t line, std::vector<std::string> texts);
  void add_targets(Batch& batch, std::span<const Dim> samples) const;
  void add_labels(Batch& batch, std::span<const Dim> samples) const;

  SequenceFrame frame_;
  LabelledOptions options_;
  LabelVocabulary labels_;
  bool labelled_ = true, any_labelled_ = false;
  ReadingFacts facts_;
  std::string file_;

  std::vector<std::int32_t> tokens_, segments_;  // of all sequences
  std::vector<std::int64_t> begins_ = {0};       // where sequences begin, and the end
  std::vector<Dim> first_sequence_ = {0};        // of each sample, and the number of sequences

  std::vector<std::int64_t> lines_;
  std::vector<std::vector<std::string>> texts_;
  std::vector<std::int32_t> classes_;
  std::vector<float> values_;
  std::vector<std::uint8_t> sets_;
  std::vector<std::vector<std::string>> tags_;
  std::vector<std::int32_t> tag_rows_, tag_words_, tag_classes_;  // of all labelled words
  std::vector<std::int64_t> first_tag_ = {0};                     // of each sample, and the end
  std::map<Dim, std::vector<std::string>> unknown_;               // of the samples that have some
  std::vector<std::vector<std::string>> gold_;
  std::vector<std::vector<Json>> others_;
  std::vector<std::string> other_columns_;

  QaData questions_;
  struct Context {
    std::vector<std::int32_t> ids;
    std::vector<TokenSpan> spans;
  };
  std::vector<Context> contexts_;
  std::vector<QaWindow> windows_;
  std::vector<std::size_t> window_question_;
};

/// The same files in pieces, in memory bounded by a piece (and SQuAD's JSON, which is one document): for what looks at
/// each example once.
class LabelledStream final {
 public:
  /// \param options  `labels` must be there for tasks that have some, or each piece would find its own
  LabelledStream(std::vector<std::string> files, SequenceFrame frame, LabelledOptions options);
  LabelledStream(LabelledStream&&) noexcept;
  ~LabelledStream();

  /// At most so many samples more, but all windows of all questions at once; nothing after the last.
  /// \throws MissingInputError, DataError, UsageError  as LabelledData::read
  std::optional<LabelledData> next(Dim samples);

 private:
  SequenceFrame frame_;
  LabelledOptions options_;
  std::unique_ptr<LabelledFiles> files_;
  bool any_ = false;
};

}  // namespace rapt
