// Writes a model's predictions to files: a table for people and scripts, tags beside their words, SQuAD's JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json.h"

namespace rapt {

/// Where bytes are written: a DurableFile, standard output, a string.
using TextSink = std::function<void(std::string_view)>;

enum class PredictionFormat {
  kTsv,  ///< a header and one row each; tabs, line ends and backslashes in texts become \t, \n, \r and two backslashes
  kCsv,  ///< a header and one row each; cells are quoted where RFC 4180 requires it
  kJsonLines,  ///< one object per line
};

/// .jsonl, .ndjson and .json are JSON lines, .csv is CSV; everything else is TSV.
PredictionFormat prediction_format_of(std::string_view path);

/// The columns of one file.
struct PredictionLayout {
  PredictionFormat format = PredictionFormat::kTsv;
  bool ids = false;                       ///< the first column is "id", for questions, instead of "line"
  std::vector<std::string> classes = {};  ///< one column "p(<class>)" each; none: no probabilities
  bool probability = false;               ///< the probability of the prediction is a column
  std::size_t top = 0;                    ///< number of the best labels that follow, each with its probability
  bool gold = false;                      ///< the correct label is a column
  std::vector<std::string> texts = {};    ///< columns of texts: "text", "pair"
  std::vector<std::string> others = {};   ///< columns of the data that are copied
  bool sets = false;                      ///< several labels per example: joined by commas in TSV, an array in JSON
};

struct Prediction {
  std::int64_t line = 0;                                ///< in the data
  std::string id = {};                                  ///< if the layout has ids
  std::vector<std::string> labels = {};                 ///< the prediction: one label; with `sets` any number
  std::vector<std::string> gold = {};                   ///< empty if it is not known
  std::vector<float> probabilities = {};                ///< one per class of the layout
  float probability = 0;                                ///< of the prediction, if the layout has it
  std::vector<std::pair<std::string, float>> top = {};  ///< the best labels, best first; at most layout.top
  std::vector<std::string> texts = {};                  ///< one per text column of the layout
  std::vector<Json> others = {};                        ///< one per copied column of the layout
};

/// Writes rows
///
///     line  prediction  probability  gold  p(0)        p(1)       text
///     2     1           0.9876543    1     0.01234567  0.9876543  it 's a charming and often affecting journey .
///
/// or {"line":2,"prediction":"1","probability":0.9876543,"gold":"1","probabilities":{"0":0.01234567,"1":0.9876543},
/// "text":"it 's ..."}. The best labels are columns "label_2", "probability_2" and so on ("label_1" first if the
/// prediction is not a single label), or "top":[{"label":"1","probability":0.9876543},...]. Numbers have the fewest
/// digits that read back as the same bits. A data column with the same name as one of these gets the prefix "input_".
class PredictionWriter final {
 public:
  /// Writes the header of a TSV.
  PredictionWriter(PredictionLayout layout, TextSink sink);
  /// \throws std::invalid_argument  if it does not fit the layout
  void write(const Prediction& prediction);

 private:
  std::vector<std::string> header() const;
  std::vector<std::string> cells_of(const Prediction& prediction) const;
  std::string json_line(const Prediction& prediction) const;

  PredictionLayout layout_;
  TextSink sink_;
};

/// A sentence with its tags, in the given format: lines `word TAB gold TAB predicted` (without gold if it is not known)
/// and an empty line, as read by `conlleval -d "\t"` and users of seqeval; rows `line,word,gold,prediction` with the
/// header kTaggedCsvHeader; or {"line":1,"tokens":[...],"gold":[...],"tags":[...]}. JSON also has the copied columns.
/// \throws std::invalid_argument  if the numbers of tags and words differ
std::string tagged_sentence(PredictionFormat format, std::int64_t line, std::span<const std::string> words,
                            std::span<const std::string> gold, std::span<const std::string> tags,
                            std::span<const std::string> other_names = {}, std::span<const Json> others = {});

inline constexpr std::string_view kTaggedCsvHeader = "line,word,gold,prediction\n";

/// {"<id>": "<answer>", ...}: the format of SQuAD's evaluation scripts.
class SquadPredictionWriter final {
 public:
  explicit SquadPredictionWriter(TextSink sink) : sink_(std::move(sink)) {}
  void write(const std::string& id, const std::string& answer);
  void finish();

 private:
  TextSink sink_;
  bool begun_ = false;
};

/// A row of a table with its line end.
std::string table_row(PredictionFormat format, std::span<const std::string> cells);

/// A cell of a TSV: `\t`, `\n`, `\r` and `\\` replace characters that would break it.
std::string escape_tsv(std::string_view text);

}  // namespace rapt
