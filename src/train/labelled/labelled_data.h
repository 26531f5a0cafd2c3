// Labelled data for networks: examples read from tables, sentences of tags, SQuAD's JSON or choices, converted to token
// sequences with targets, and batches of them.
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
  std::string glue = {};                 ///< a GLUE task, whose column layout is known; empty: none
  std::string format = {};               ///< format of the files, as in --format; empty: detected
  TextColumns columns = {};              ///< named columns must exist
  TextColumns usual = {};                ///< those of the model's training data: used if present
  std::optional<bool> header = {};       ///< of tables; not set: detected
  char separator = ',';                  ///< between a set's labels
  bool labels_required = true;           ///< false: for prediction
  bool keeps_columns = false;            ///< for prediction: keeps the labels and the cells of the other columns
  bool live = false;                     ///< pieces of standard input are as long as what has arrived
  std::vector<std::string> labels = {};  ///< labels of an existing network; empty: read from the data
  /// Whether labels other than the given ones are accepted, and counted as wrong.
  bool unknown_labels = false;
  Dim stride = 128;             ///< of the windows over a long text, in tokens
  bool language_model = false;  ///< a GPT is also trained to predict the texts
};

struct LabelledFiles;  // labelled_reading.cpp

/// Facts about the data that was read, to report before training.
struct ReadingFacts {
  TextColumns columns = {};                          ///< the columns used, of the first file
  bool has_header = true;                            ///< the columns have names
  Dim longest = 0;                                   ///< longest example in tokens, before truncation
  std::int64_t cut = 0;                              ///< number of truncated examples
  std::map<std::string, std::int64_t> unknown = {};  ///< labels that are not among the given ones, with their counts
};

/// Examples in memory: 8 bytes per token, and the texts that scores and predictions need.
class LabelledData final {
 public:
  /// \throws MissingInputError, DataError, UsageError  as the readers of text/labelled
  static LabelledData read(const std::vector<std::string>& files, const SequenceFrame& frame,
                           const LabelledOptions& options);

  /// A subset of the samples, as separate data.
  LabelledData subset(std::span<const Dim> samples) const;

  Task task() const { return options_.task; }
  const LabelledOptions& options() const { return options_; }
  const LabelVocabulary& labels() const { return labels_; }
  bool labelled() const { return labelled_; }          ///< all samples have labels
  bool any_labelled() const { return any_labelled_; }  ///< some samples have labels
  const ReadingFacts& facts() const { return facts_; }
  /// Examples, sentences, windows, or multiple-choice questions: the units that are shuffled and batched.
  Dim samples() const { return static_cast<Dim>(first_sequence_.size()) - 1; }
  Dim tokens() const { return static_cast<Dim>(tokens_.size()); }
  Dim tokens_of(Dim sample) const;

  Batch batch(std::span<const Dim> samples) const;

  // Data that scores and predictions need, by sample.
  const std::string& file() const { return file_; }  ///< all files, separated by commas
  std::int64_t line(Dim sample) const { return lines_[index(sample)]; }
  const std::vector<std::string>& texts(Dim sample) const { return texts_[index(sample)]; }
  /// kClassify, kChoice; negative: none, or one of unknown_of().
  std::int32_t class_of(Dim sample) const { return classes_[index(sample)]; }
  double value_of(Dim sample) const { return values_[index(sample)]; }  ///< kRegress
  std::span<const std::uint8_t> set_of(Dim sample) const;               ///< kMultilabel, one entry per label
  Dim choices_of(Dim sample) const { return first_sequence_[index(sample) + 1] - first_sequence_[index(sample)]; }
  /// kClassify, kMultilabel: labels that are not among labels().
  std::span<const std::string> unknown_of(Dim sample) const;
  const std::vector<std::string>& tags_of(Dim sample) const { return tags_[index(sample)]; }  ///< gold; may be empty
  /// kTag: the word of each row of a sample's logits (words whose first token was not truncated).
  std::span<const std::int32_t> tagged_words(Dim sample) const;

  // For prediction, if options().keeps_columns.
  const std::vector<std::string>& gold_of(Dim sample) const { return gold_[index(sample)]; }  ///< as in the file
  const std::vector<Json>& others_of(Dim sample) const { return others_[index(sample)]; }     ///< other cells
  const std::vector<std::string>& other_columns() const { return other_columns_; }

  /// kQuestion: a window is a sample, and the windows of a question are consecutive.
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
  Labels labels_of(std::span<const Dim> samples) const;

  SequenceFrame frame_;
  LabelledOptions options_;
  LabelVocabulary labels_;
  bool labelled_ = true, any_labelled_ = false;
  ReadingFacts facts_;
  std::string file_;

  std::vector<std::int32_t> tokens_, segments_;  // of all sequences
  std::vector<std::int64_t> begins_ = {0};       // starts of the sequences, and the end
  std::vector<Dim> first_sequence_ = {0};        // of each sample, and the number of sequences

  std::vector<std::int64_t> lines_;
  std::vector<std::vector<std::string>> texts_;
  std::vector<std::int32_t> classes_;
  std::vector<float> values_;
  std::vector<std::uint8_t> sets_;
  std::vector<std::vector<std::string>> tags_;
  std::vector<std::int32_t> tag_rows_, tag_words_, tag_classes_;  // of all labelled words
  std::vector<std::int64_t> first_tag_ = {0};                     // of each sample, and the end
  std::map<Dim, std::vector<std::string>> unknown_;               // of the samples that have any
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

/// The same files in pieces, in memory bounded by a piece (except SQuAD's JSON, which is one document): for a single
/// pass over the examples.
class LabelledStream final {
 public:
  /// \param options  must have `labels` for tasks with labels; otherwise each piece would find its own
  LabelledStream(std::vector<std::string> files, SequenceFrame frame, LabelledOptions options);
  LabelledStream(LabelledStream&&) noexcept;
  ~LabelledStream();

  /// Up to this many more samples, but all windows of all questions at once; nothing after the last.
  /// \throws MissingInputError, DataError, UsageError  as LabelledData::read
  std::optional<LabelledData> next(Dim samples);

 private:
  SequenceFrame frame_;
  LabelledOptions options_;
  std::unique_ptr<LabelledFiles> files_;
  bool any_ = false;
};

}  // namespace rapt
