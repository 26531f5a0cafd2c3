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

namespace rapt {

/// Where bytes go: a DurableFile, standard output, a string.
using TextSink = std::function<void(std::string_view)>;

enum class PredictionFormat {
  kTsv,  ///< a header and a row each; tabs, line ends and backslashes in texts become \t, \n, \r and two backslashes
  kJsonLines,  ///< an object a line
};

/// .jsonl, .ndjson and .json are JSON lines; all else is TSV.
PredictionFormat prediction_format_of(std::string_view path);

/// Which columns the rows of one file have.
struct PredictionLayout {
  PredictionFormat format = PredictionFormat::kTsv;
  bool ids = false;                       ///< the first column is "id", which questions have, instead of "line"
  std::vector<std::string> classes = {};  ///< one column "p(<class>)" each; none: no probabilities
  bool gold = false;                      ///< the right label stands beside
  std::vector<std::string> texts = {};    ///< columns of texts: "text", "pair"
  bool sets = false;                      ///< several labels each: joined by commas in TSV, an array in JSON
};

struct Prediction {
  std::int64_t line = 0;                  ///< of the data
  std::string id = {};                    ///< where the layout has ids
  std::vector<std::string> labels = {};   ///< what is predicted: one; with `sets` any number
  std::vector<std::string> gold = {};     ///< none where it is not known
  std::vector<float> probabilities = {};  ///< one for each class of the layout
  std::vector<std::string> texts = {};    ///< one for each of the layout's
};

/// Writes rows
///
///     line  prediction  gold  p(0)        p(1)       text
///     2     1           1     0.01234567  0.9876543  it 's a charming and often affecting journey .
///
/// or {"line":2,"prediction":"1","gold":"1","probabilities":{"0":0.01234567,"1":0.9876543},"text":"it 's ..."}.
/// Numbers are the shortest that read back as the same bits.
class PredictionWriter final {
 public:
  /// Writes the header of a TSV.
  PredictionWriter(PredictionLayout layout, TextSink sink);
  /// \throws std::invalid_argument  if it does not fit the layout
  void write(const Prediction& prediction);

 private:
  std::string tsv_line(const Prediction& prediction) const;
  std::string json_line(const Prediction& prediction) const;

  PredictionLayout layout_;
  TextSink sink_;
};

/// A sentence with its tags, in the format: lines `word TAB gold TAB predicted` (without gold where there is none) and
/// an empty line, which `conlleval -d "\t"` and seqeval's users read; or
/// {"line":1,"tokens":[...],"gold":[...],"tags":[...]}.
/// \throws std::invalid_argument  if there are not as many tags as words
std::string tagged_sentence(PredictionFormat format, std::int64_t line, std::span<const std::string> words,
                            std::span<const std::string> gold, std::span<const std::string> tags);

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

/// A cell of a TSV: `\t`, `\n`, `\r` and `\\` for what would break it.
std::string escape_tsv(std::string_view text);

}  // namespace rapt
