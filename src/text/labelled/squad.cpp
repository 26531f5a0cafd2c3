#include "text/labelled/squad.h"

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/corpus/line_reader.h"
#include "text/corpus/table.h"
#include "text/corpus/text_reader.h"
#include "text/labelled/undecided_error.h"
#include "text/utf8.h"

namespace rapt {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

// The byte at which each character of the text starts, and the text's end.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  std::size_t at = 0;
  while (at < text.size()) {
    starts.push_back(at);
    at += read_utf8(text.data() + at, text.data() + text.size()).length;
  }
  starts.push_back(at);
  return starts;
}

class Reader {
 public:
  Reader(std::string name, bool answers) : name_(std::move(name)), wants_answers_(answers) {}

  void read_document(const Json& document) {
    if (document.is_array()) return read_entries(document, "");
    const JsonFields root(document, name_);
    read_version(root);
    read_entries(root.array("data"), "data");
  }

  void read_entries(const Json& entries, const std::string& path) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const JsonFields entry(entries[i], name_, path + "[" + std::to_string(i) + "]");
      if (entry.has("paragraphs")) {
        read_article(entry);
      } else {
        read_flat_question(entry);
      }
    }
  }

  // One line of a list: its fields' names start with the line.
  void read_line(const Json& object, const std::string& where) { read_flat_question(JsonFields(object, where)); }

  QaData take() {
    if (data_.questions.empty()) throw DataError(escape_for_terminal(name_) + ": must hold questions, got none");
    if (flat_unanswered_ && flat_answered_) data_.may_be_unanswerable = true;
    return std::move(data_);
  }

 private:
  void read_version(const JsonFields& root) {
    if (!root.has_value("version")) return;
    const Json& version = root.at("version");
    const std::string text = version.is_string() ? version.get<std::string>() : version.dump();
    data_.may_be_unanswerable = text.starts_with("v2") || text.starts_with("2");
  }

  // "qas" may come before "context".
  void read_article(const JsonFields& article) {
    const Json& paragraphs = article.array("paragraphs");
    for (std::size_t p = 0; p < paragraphs.size(); ++p) {
      const JsonFields paragraph(paragraphs[p], name_, article.path_of("paragraphs[" + std::to_string(p) + "]"));
      const std::size_t context = add_context(paragraph.string("context"));
      const Json& questions = paragraph.array("qas");
      for (std::size_t q = 0; q < questions.size(); ++q) {
        read_question(JsonFields(questions[q], name_, paragraph.path_of("qas[" + std::to_string(q) + "]")), context);
      }
    }
  }

  void read_question(const JsonFields& fields, std::size_t context) {
    QaQuestion question = begin_question(fields, context);
    const bool impossible = fields.boolean_or("is_impossible", false);
    if (fields.has("is_impossible")) data_.may_be_unanswerable = true;
    if (wants_answers_ && !impossible && fields.has_value("answers")) {
      const Json& answers = fields.array("answers");
      for (std::size_t a = 0; a < answers.size(); ++a) {
        const JsonFields answer(answers[a], fields.name(), fields.path_of("answers[" + std::to_string(a) + "]"));
        std::optional<std::int64_t> start;
        if (answer.has_value("answer_start")) start = answer.integer("answer_start");
        add_answer(question, answer.string("text"), start, answer, "answer_start");
      }
    }
    data_.questions.push_back(std::move(question));
  }

  // The form of Hugging Face's scripts. Equal contexts are stored once, because every question of a paragraph repeats
  // them.
  void read_flat_question(const JsonFields& fields) {
    std::string text = fields.string("context");
    const auto [known, is_new] = flat_contexts_.try_emplace(text, data_.contexts.size());
    const std::size_t context = is_new ? add_context(std::move(text)) : known->second;
    QaQuestion question = begin_question(fields, context);
    if (wants_answers_ && fields.has_value("answers")) {
      const JsonFields answers = fields.object("answers");
      const std::vector<std::string> texts = answers.strings("text");
      const bool placed = answers.has_value("answer_start");
      if (placed && answers.array("answer_start").size() != texts.size()) {
        answers.refuse("answer_start", "an array of " + std::to_string(texts.size()) + ", one for each text");
      }
      for (std::size_t i = 0; i < texts.size(); ++i) {
        std::optional<std::int64_t> start;
        if (placed) {
          const Json& value = answers.array("answer_start")[i];
          if (!value.is_number_integer()) answers.refuse("answer_start", "an array of integers");
          start = value.get<std::int64_t>();
        }
        add_answer(question, texts[i], start, answers, "answer_start");
      }
      (texts.empty() ? flat_unanswered_ : flat_answered_) = true;
    }
    data_.questions.push_back(std::move(question));
  }

  QaQuestion begin_question(const JsonFields& fields, std::size_t context) {
    QaQuestion question;
    question.id = fields.string("id");
    question.question = fields.string("question");
    question.context = context;
    if (!ids_.insert(question.id).second) {
      throw DataError(escape_for_terminal(fields.name()) + ": " + in_quotes(fields.path_of("id")) +
                      " must be one question's alone, got " + in_quotes(question.id) + " again");
    }
    return question;
  }

  void add_answer(QaQuestion& question, std::string text, std::optional<std::int64_t> start, const JsonFields& fields,
                  const char* key) {
    QaAnswer answer{std::move(text), std::nullopt};
    if (answer.text.empty()) {
      throw DataError(escape_for_terminal(fields.name()) + ": " + in_quotes(fields.path_of("text")) +
                      " must not be empty (question " + in_quotes(question.id, 40) + ")");
    }
    if (start) {
      const std::string& context = data_.contexts[question.context];
      answer.begin = byte_of_character(question.context, *start);
      if (!answer.begin || context.compare(*answer.begin, answer.text.size(), answer.text) != 0) {
        const std::string_view there =
            answer.begin ? std::string_view(context).substr(*answer.begin, answer.text.size()) : "";
        throw DataError(escape_for_terminal(fields.name()) + ": " + in_quotes(fields.path_of(key)) +
                        " must be the character of the context at which " + in_quotes(answer.text, 40) +
                        " begins, got " + std::to_string(*start) +
                        (answer.begin ? ", where " + in_quotes(utf8_lossy(there), 40) + " stands"
                                      : ", which is outside the context") +
                        " (question " + in_quotes(question.id, 40) + ")");
      }
    }
    question.answers.push_back(std::move(answer));
  }

  // Questions about one context are consecutive, so its characters are counted once.
  std::optional<std::size_t> byte_of_character(std::size_t context, std::int64_t character) {
    if (starts_of_ != context) {
      starts_ = character_starts(data_.contexts[context]);
      starts_of_ = context;
    }
    if (character < 0 || static_cast<std::uint64_t>(character) >= starts_.size()) return std::nullopt;
    return starts_[static_cast<std::size_t>(character)];
  }

  std::size_t add_context(std::string text) {
    data_.contexts.push_back(std::move(text));
    return data_.contexts.size() - 1;
  }

  std::string name_;
  bool wants_answers_;
  QaData data_;
  std::set<std::string> ids_;
  std::map<std::string, std::size_t> flat_contexts_;
  bool flat_answered_ = false, flat_unanswered_ = false;
  std::optional<std::size_t> starts_of_;  // which context starts_ belongs to
  std::vector<std::size_t> starts_;
};

// One object per line: by the name, or because the first line is a question with its own context.
bool is_list_of_lines(const Input& input) {
  std::string_view path = input.name();
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".jsonl") || path.ends_with(".ndjson")) return true;
  try {
    const std::vector<std::string> lines = first_lines(input, 1);
    if (lines.empty() || !trimmed(lines[0]).starts_with('{')) return false;
    return parse_json_line(lines[0], "").contains("question");
  } catch (const DataError&) {  // it spans several lines, or is a large document
    return false;
  }
}

void refuse_other_kinds(const Input& input) {
  const std::string must = escape_for_terminal(input.name()) + ": must be SQuAD's JSON: questions about texts; got ";
  const DataKind kind = data_kind_of(input);
  const bool records = kind == DataKind::kTable && !fields_of(input).empty();  // the reader names their fields
  if (kind != DataKind::kText && kind != DataKind::kQuestions && !records) {
    const std::string task = "--task " + std::string(task_for(kind));
    throw UndecidedError(must + std::string(name_of(kind)) + "; use " + task, task);
  }
  const std::string beginning = beginning_of(input);
  const std::size_t at = beginning.find_first_not_of(" \t\n");
  if (at == std::string::npos) {
    if (beginning.size() < input.bytes()) return;  // not text; the reader reports it
    throw DataError(escape_for_terminal(input.name()) + ": must hold text, got an empty file");
  }
  const std::string_view first = std::string_view(beginning).substr(at, beginning.find('\n', at) - at);
  if (!first.starts_with('{') && !first.starts_with('[')) throw DataError(must + in_quotes(first, 40));
}

}  // namespace

QaData read_squad(const Input& input, bool answers) {
  refuse_other_kinds(input);
  Reader reader(input.name(), answers);
  if (is_list_of_lines(input)) {
    LineReader lines(input);
    std::string line;
    while (lines.next(line)) {
      if (!trimmed(line).empty()) reader.read_line(parse_json_line(line, lines.where()), lines.where());
    }
    return reader.take();
  }
  TextReader bytes(input);
  std::string text;
  while (bytes.read(text)) {
    if (text.size() > kMostBytes) {
      throw DataError(escape_for_terminal(bytes.name()) + ": must be at most 1 GiB of JSON, got more");
    }
  }
  const Json document = parse_json(text, bytes.name(), {.bytes = kMostBytes});
  text = {};
  reader.read_document(document);
  return reader.take();
}

}  // namespace rapt
