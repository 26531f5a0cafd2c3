// What a model predicts, as files: a table for people and scripts, tags beside their words, SQuAD's JSON.
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

/// Where bytes go: a DurableFile, standard output, a string.
using TextSink = std::function<void(std::string_view)>;

enum class PredictionFormat {
  kTsv,  ///< a header and a row each; tabs, line ends and backslashes in texts become \t, \n, \r and two backslashes
  kCsv,  ///< a header and a row each; cells in quotation marks where RFC 4180 wants them
  kJsonLines,  ///< an object a line
};

/// .jsonl, .ndjson and .json are JSON lines, .csv is CSV; all else is TSV.
PredictionFormat prediction_format_of(std::string_view path);

/// Which columns the rows of one file have.
struct PredictionLayout {
  PredictionFormat format = PredictionFormat::kTsv;
  bool ids = false;                       ///< the first column is "id", which questions have, instead of "line"
  std::vector<std::string> classes = {};  ///< one column "p(<class>)" each; none: no probabilities
  bool probability = false;               ///< that of the prediction stands beside it
  std::size_t top = 0;                    ///< so many of the best labels follow, each with its probability
  bool gold = false;                      ///< the right label stands beside
  std::vector<std::string> texts = {};    ///< columns of texts: "text", "pair"
  std::vector<std::string> others = {};   ///< columns of the data that are passed on
  bool sets = false;                      ///< several labels each: joined by commas in TSV, an array in JSON
};

struct Prediction {
  std::int64_t line = 0;                                ///< of the data
  std::string id = {};                                  ///< where the layout has ids
  std::vector<std::string> labels = {};                 ///< what is predicted: one; with `sets` any number
  std::vector<std::string> gold = {};                   ///< none where it is not known
  std::vector<float> probabilities = {};                ///< one for each class of the layout
  float probability = 0;                                ///< of the prediction, where the layout has it
  std::vector<std::pair<std::string, float>> top = {};  ///< the best labels, the first one first; at most layout.top
  std::vector<std::string> texts = {};                  ///< one for each of the layout's
  std::vector<Json> others = {};                        ///< one for each of the layout's
};

/// Writes rows
///
///     line  prediction  probability  gold  p(0)        p(1)       text
///     2     1           0.9876543    1     0.01234567  0.9876543  it 's a charming and often affecting journey .
///
/// or {"line":2,"prediction":"1","probability":0.9876543,"gold":"1","probabilities":{"0":0.01234567,"1":0.9876543},
/// "text":"it 's ..."}. The best labels are columns "label_2", "probability_2" and so on ("label_1" first where the
/// prediction is no single label), or "top":[{"label":"1","probability":0.9876543},...]. Numbers are the shortest that
/// read back as the same bits. A column of the data that has the name of one of these gets "input_" in front.
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

/// A sentence with its tags, in the format: lines `word TAB gold TAB predicted` (without gold where there is none) and
/// an empty line, which `conlleval -d "\t"` and seqeval's users read; rows `line,word,gold,prediction`, whose header is
/// kTaggedCsvHeader; or {"line":1,"tokens":[...],"gold":[...],"tags":[...]}.
/// JSON has columns that are passed on as well.
/// \throws std::invalid_argument  if there are not as many tags as words
std::string tagged_sentence(PredictionFormat format, std::int64_t line, std::span<const std::string> words,
                            std::span<const std::string> gold, std::span<const std::string> tags,
                            std::span<const std::string> other_names = {}, std::span<const Json> others = {});

inline constexpr std::string_view kTaggedCsvHeader = "line,word,gold,prediction\n";

/// {"<id>": "<answer>", ...}: what SQuAD's evaluation scripts read.
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

/// A cell of a TSV: `\t`, `\n`, `\r` and `\\` for what would break it.
std::string escape_tsv(std::string_view text);

}  // namespace rapt
