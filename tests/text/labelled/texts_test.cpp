#include "text/labelled/texts.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "text/labelled/glue.h"
#include "text/labelled/labels.h"
#include "text/labelled/undecided_error.h"
#include "text/text_fixture.h"

using namespace rapt;
using Names = std::vector<std::string>;

static LabelledTextReader reader(const std::string& name, const std::string& text, LabelledTextOptions options = {}) {
  return LabelledTextReader(Input::from_memory(name, text), std::move(options));
}

static std::vector<LabelledText> all_of(LabelledTextReader from) {
  std::vector<LabelledText> examples;
  LabelledText example;
  while (from.next(example)) examples.push_back(example);
  return examples;
}

// ------------------------------------------------------------------------------------------------------------- columns

TEST_CASE("a class, a text and the line of each row") {
  const std::vector<LabelledText> examples =
      all_of(reader("a.tsv", "label\ttext_a\n 1 \tgood \n0\tbad\n", {.columns = {.text = "text_a", .label = "label"}}));
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].text == "good ");  // unchanged
  CHECK(examples[0].labels == Names{"1"});
  CHECK(examples[0].labelled);
  CHECK(examples[0].line == 2);
  CHECK_FALSE(examples[0].pair.has_value());
  CHECK(examples[1].text == "bad");
}

TEST_CASE("columns by number, without a header, with a second text") {
  const std::vector<LabelledText> examples = all_of(reader(
      "a.csv", "\"one, two\",three,yes\n", {.header = false, .columns = {.text = "1", .pair = "2", .label = "3"}}));
  REQUIRE(examples.size() == 1);
  CHECK(examples[0].text == "one, two");
  CHECK(examples[0].pair == "three");
  CHECK(examples[0].labels == Names{"yes"});
}

static TextColumns found(const std::string& header, LabelKind labels = LabelKind::kClass, bool required = true,
                         TextColumns named = {}) {
  const ColumnWishes wishes{.named = named, .usual = {}, .labels = labels, .labels_required = required};
  return find_columns(read_sample(Input::from_memory("a.tsv", header + "\n"), TableFormat::kTsv, {}, wishes), wishes);
}

TEST_CASE("columns that are not given are found by common names") {
  const auto check = [](const TextColumns& columns, const char* text, const char* pair, const char* label) {
    CHECK(columns.text == text);
    CHECK(columns.pair == pair);
    CHECK(columns.label == label);
  };
  check(found("label\ttext"), "text", "", "label");
  check(found("id\tsentence1\tsentence2\tscore"), "sentence1", "sentence2", "score");
  check(found("premise\thypothesis\tgold_label"), "premise", "hypothesis", "gold_label");
  check(found("question\tsentence\tlabel"), "question", "sentence", "label");
  check(found("label\tphrase"), "phrase", "", "label");  // the other of two
  check(found("text\tkind"), "text", "", "kind");
  check(found("phrase\tlabel", LabelKind::kNone, true, {.text = "1"}), "1", "", "");
  check(found("text\tnumber", LabelKind::kClass, false), "text", "", "");  // never guessed if it may be missing
  check(found("sentence1\tsentence2\tlabel", LabelKind::kClass, true, {.text = "sentence1"}), "sentence1", "", "label");
  check(found("words", LabelKind::kNone), "words", "", "");
  check(found("ID\tText\tLabel"), "Text", "", "Label");  // in any case
  CHECK(message_of<UndecidedError>([] { found("a\tb\tlabel"); }) ==
        "a.tsv: cannot tell which column holds the text (columns: \"a\", \"b\", \"label\"); use --text-column");
  CHECK(message_of<UndecidedError>([] { found("a\ttext\tb"); }) ==
        "a.tsv: cannot tell which column holds the label (columns: \"a\", \"text\", \"b\"); use --label-column");
  CHECK(message_of<DataError>([] { reader("a.tsv", "text\tlabel\n", {.columns = {.text = "txt"}}); }) ==
        "a.tsv: there is no column \"txt\", the columns are \"text\", \"label\"; did you mean text?");
}

static std::vector<LabelledText> found_by_values(const std::string& name, const std::string& text, TextColumns& columns,
                                                 LabelKind kind = LabelKind::kClass) {
  LabelledTextReader from = reader(name, text, {.labels = kind});
  columns = from.columns();
  return all_of(std::move(from));
}

TEST_CASE(
    "without common names, columns are found by their values: labels repeat, texts have words, row numbers count up") {
  TextColumns columns;
  found_by_values("a.csv",
                  "kind,what was said,row\nspam,win a prize today,1\nham,see you at noon,2\nspam,free money for "
                  "you,3\nham,are you at home,4\n",
                  columns);
  CHECK(columns.text == "what was said");
  CHECK(columns.label == "kind");
  // Of two columns, the one with repeated values, although its values are longer.
  found_by_values("a.tsv", "first\tsecond\nAnna\tGerman name\nOtto\tGerman name\nJean\tFrench name\nLuc\tFrench name\n",
                  columns);
  CHECK(columns.text == "first");
  CHECK(columns.label == "second");
  found_by_values("a.tsv", "row\tsaid\tstars\n1\ta good film\t4.5\n2\ta bad film\t1\n3\tthe worst film\t0\n", columns,
                  LabelKind::kValue);
  CHECK(columns.text == "said");
  CHECK(columns.label == "stars");
  CHECK(message_of<UndecidedError>([&] {
          found_by_values("a.csv", "a,b,c\none two three,four five six,x\nseven eight nine,ten eleven twelve,x\n",
                          columns);
        }) == "a.csv: cannot tell which column holds the text (columns: \"a\", \"b\", \"c\"); use --text-column");
  try {
    found_by_values("a.csv", "a,b,c\none two three,four five six,x\nseven eight nine,ten eleven twelve,x\n", columns);
  } catch (const UndecidedError& error) {
    CHECK(error.option() == "--text-column b");  // the longest
  }
}

TEST_CASE("a first row that looks like the others is not a header") {
  TextColumns columns;
  const auto count = [&](const std::string& text, LabelKind kind = LabelKind::kClass) {
    return found_by_values("a.csv", text, columns, kind).size();
  };
  CHECK(count("a fine film,good\na dull film,bad\nthe best film,good\nthe worst film,bad\n") == 4);
  CHECK(columns.label == "2");
  CHECK(count("A plane.,5.0\nA dog.,1.5\nA cat.,2\n", LabelKind::kValue) == 3);
  CHECK(count("said,kind\na fine film,good\na dull film,bad\nthe best film,good\nthe worst film,bad\n") == 4);
  CHECK(columns.label == "kind");
  CHECK(count("text,label\ntext,label\na,label\nb,label\n") == 3);  // common names are a header
  CHECK(all_of(reader("a.csv", "a fine film,good\na dull film,bad\nthe best film,good\nthe worst film,bad\n",
                      {.header = true, .columns = {.text = "1", .label = "2"}}))
            .size() == 3);
}

TEST_CASE("columns of the model's own data are used if they exist, and detected otherwise") {
  const LabelledTextOptions options{.usual = {.text = "said", .label = "kind"}, .labels_required = false};
  CHECK(reader("a.tsv", "text\tsaid\tkind\na\tb\tc\n", options).columns().text == "said");
  CHECK(reader("a.tsv", "text\tother\na\tb\n", options).columns().text == "text");
  CHECK(reader("a.tsv", "whatever\na b\n", options).columns().text == "whatever");
}

TEST_CASE("prediction copies other columns, and no label is an error") {
  const std::vector<LabelledText> table =
      all_of(reader("a.csv", "id,text,label\n7,good,\n8,bad,x\n", {.labels_required = false}));
  CHECK(table[0].others == std::vector<Json>{"7"});
  CHECK_FALSE(table[0].labelled);
  CHECK(table[1].labels == Names{"x"});
  LabelledTextReader json = reader("a.jsonl", "{\"id\": 7, \"text\": \"a\", \"label\": [1, {}], \"more\": [2]}\n",
                                   {.labels_required = false});
  CHECK(json.other_columns() == Names{"id", "more"});
  LabelledText example;
  REQUIRE(json.next(example));
  CHECK(example.others == std::vector<Json>{7, Json::array({2})});
  CHECK(example.labels == Names{"[1,{}]"});
  CHECK(all_of(reader("a.tsv", "text\tscore\na\tn/a\n", {.labels = LabelKind::kValue, .labels_required = false}))[0]
            .labels == Names{"n/a"});
}

TEST_CASE("data of another task is rejected with the name of that task") {
  const auto option_of = [](const std::string& name, const std::string& text) -> std::string {
    try {
      reader(name, text);
    } catch (const UndecidedError& error) {
      return error.what() + std::string(" | ") + error.option();
    }
    return "none";
  };
  CHECK(option_of("a.conll", "EU B-ORG\nsays O\n\nPeter B-PER\n") ==
        "a.conll: must be a table with one text per row and its label, got words with tags; use --task tag | "
        "--task tag");
  CHECK(option_of("a.json", "{\"data\": [{\"paragraphs\": []}]}")
            .ends_with("got questions about texts; use --task qa | --task qa"));
  CHECK(option_of("a.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,1\n").ends_with("| --task choice"));
}

// -------------------------------------------------------------------------------------------------------------- labels

TEST_CASE("numbers are read completely or rejected") {
  CHECK(parse_value("2.5") == 2.5);
  CHECK(parse_value(" -1e-3 ") == -1e-3);
  CHECK(parse_value("+4") == 4);
  for (const char* bad : {"", "x", "1x", "1 2", "nan", "inf", "1e999", "+-1", "0x10"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_value(bad).has_value());
  }
  const std::vector<LabelledText> examples =
      all_of(reader("a.tsv", "text\tscore\na\t4.25\n", {.labels = LabelKind::kValue}));
  CHECK(examples[0].value == 4.25);
  CHECK(examples[0].labels == Names{"4.25"});  // for display
  CHECK(message_of<DataError>([] {
          all_of(reader("a.tsv", "text\tscore\na\tbad\n", {.labels = LabelKind::kValue}));
        }) == "a.tsv: line 2: \"score\" must be a number, got \"bad\"");
}

TEST_CASE("label sets: separated texts, or a JSON array") {
  const LabelledTextOptions options = {.labels = LabelKind::kSet, .separator = '|'};
  std::vector<LabelledText> examples = all_of(reader("a.tsv", "text\tlabels\na\tx| y |x\nb\t\nc\tz\n", options));
  CHECK(examples[0].labels == Names{"x", "y"});
  CHECK(examples[1].labels.empty());
  CHECK(examples[1].labelled);
  CHECK(examples[2].labels == Names{"z"});
  examples = all_of(
      reader("a.jsonl", "{\"text\": \"a\", \"labels\": [\"x,1\", 2]}\n{\"text\": \"b\", \"labels\": []}\n", options));
  CHECK(examples[0].labels == Names{"x,1", "2"});
  CHECK(examples[1].labels.empty());
  CHECK(message_of<DataError>([&] { all_of(reader("a.jsonl", "{\"text\": \"a\", \"labels\": null}\n", options)); }) ==
        "a.jsonl: line 1: \"labels\" is missing");
}

TEST_CASE("a missing label is an error in training and allowed in prediction") {
  const std::string text = "text\tlabel\na\t1\nb\t\n";
  CHECK(message_of<DataError>([&] { all_of(reader("a.tsv", text)); }) ==
        "a.tsv: line 3: there must be a label in column \"label\", got nothing");
  const std::vector<LabelledText> examples = all_of(reader("a.tsv", text, {.labels_required = false}));
  CHECK(examples[0].labelled);
  CHECK_FALSE(examples[1].labelled);
  LabelledTextReader none =
      reader("a.tsv", "index\tsentence\n0\ta\n", {.usual = {.label = "label"}, .labels_required = false});
  CHECK_FALSE(none.has_labels());
  CHECK_FALSE(all_of(std::move(none))[0].labelled);
}

TEST_CASE("classes are sorted: numbers as numbers, words by their bytes") {
  CHECK(LabelVocabulary::sorted({"10", "9", "-1"}).names() == Names{"-1", "9", "10"});
  CHECK(LabelVocabulary::sorted({"10", "9", "x"}).names() == Names{"10", "9", "x"});
  CHECK(LabelVocabulary::sorted({"neutral", "entailment", "contradiction"}).names() ==
        Names{"contradiction", "entailment", "neutral"});
  const LabelVocabulary labels(Names{"b", "a"});
  CHECK(labels.find("a") == 1);
  CHECK_FALSE(labels.find("c").has_value());
  CHECK(labels.index("b", "f: line 1") == 0);
  CHECK(message_of<DataError>([] {
          LabelVocabulary(Names{"positive", "negative"}).index("postive", "f.tsv: line 7");
        }) ==
        "f.tsv: line 7: the label must be one of \"positive\", \"negative\", got \"postive\"; did you mean positive?");
  CHECK_THROWS_AS(LabelVocabulary(Names{"a", "a"}), std::invalid_argument);
}

TEST_CASE("too many distinct labels are an error") {
  LabelCollector collector;
  for (int i = 0; i < 10'000; ++i) collector.add(std::to_string(i), "f");
  collector.add("0", "f");
  CHECK(collector.vocabulary().size() == 10'000);
  CHECK(message_of<DataError>([&] { collector.add("x", "f.tsv: line 10002"); }) ==
        "f.tsv: line 10002: a data set must have at most 10000 different labels, got more; is this the label column? "
        "To predict numbers, use --task regress");
}

// ---------------------------------------------------------------------------------------------------------------- GLUE

static LabelledText first(const char* task, const std::string& name, const std::string& text) {
  const Input input = Input::from_memory(name, text);
  LabelledTextReader from(input, glue_options(glue_task(task), input));
  LabelledText example;
  REQUIRE(from.next(example));
  return example;
}

TEST_CASE("GLUE's files are read by their header, files without one by GLUE's positions") {
  struct Case {
    const char *task, *text, *expected_text, *expected_pair, *expected_label;
  };
  const std::vector<Case> cases = {
      {"sst2", "sentence\tlabel\na good one \t1\n", "a good one ", "", "1"},
      {"sst2", "label\ttext_a\n1\ta good one\n", "a good one", "", "1"},
      {"sst2", "a good one\t1\n", "a good one", "", "1"},
      {"cola", "gj04\t1\t\tThe sailors rode.\n", "The sailors rode.", "", "1"},
      {"mrpc", "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t7\t8\tone \"a\tb\" two\n", "one \"a",
       "b\" two", "0"},
      {"mrpc", "1\t7\t8\tone\ttwo\n", "one", "two", "1"},
      {"stsb",
       "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\ta\tb\tc\td\te\tf\tA "
       "plane.\tAn air plane.\t5.000\n",
       "A plane.", "An air plane.", ""},
      {"stsb", "A plane.\tAn air plane.\t5.0\n", "A plane.", "An air plane.", ""},
      {"qqp", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\thow\twhy\t0\n", "how", "why", "0"},
      {"mnli", "0\ta\tb\tc\td\te\tf\tg\tit rains\tit is wet\tx\tneutral\n", "it rains", "it is wet", "neutral"},
      {"mnli", "premise\thypothesis\tlabel\np\th\t2\n", "p", "h", "2"},
      {"qnli", "index\tquestion\tsentence\tlabel\n0\twhat\tthis\tnot_entailment\n", "what", "this", "not_entailment"},
      {"rte", "0\tone\ttwo\tentailment\n", "one", "two", "entailment"},
      {"stsb", "0\ta\tb\tc\td\te\tf\tone\ttwo\t2.5\n", "one", "two", ""},
      {"qqp", "1\t2\t3\thow\twhy\t0\n", "how", "why", "0"},
      {"mnli", "0\t1\t2\t3\t4\t5\t6\t7\tone\ttwo\ta\tb\tc\td\te\tneutral\n", "one", "two", "neutral"},
      {"qnli", "0\twhat\tthis\tentailment\n", "what", "this", "entailment"},
      {"wnli", "0\tone\ttwo\t1\n", "one", "two", "1"},
      {"wnli", "index\tsentence1\tsentence2\tlabel\n0\tone\ttwo\t1\n", "one", "two", "1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.task);
    CAPTURE(c.text);
    const LabelledText example = first(c.task, "a.tsv", c.text);
    CHECK(example.text == c.expected_text);
    CHECK(example.pair.value_or("") == c.expected_pair);
    if (!example.value) CHECK((example.labels.empty() ? "" : example.labels[0]) == c.expected_label);
    CHECK(example.value.has_value() == (std::string(c.task) == "stsb"));
  }
}

TEST_CASE("GLUE's test sets have no labels, and broken lines are skipped only in QQP") {
  const Input test = Input::from_memory("test.tsv", "index\tsentence\n0\tBill slept.\n");
  LabelledTextReader from(test, glue_options(glue_task("glue/cola"), test, false));
  CHECK_FALSE(from.has_labels());
  CHECK(message_of<DataError>([&] { glue_options(glue_task("cola"), test); }) ==
        "test.tsv: glue/cola must have the columns \"sentence\" and \"label\", or without a header 4 cells a row, got "
        "none "
        "named \"label\"; for other files name the columns with --text-column and --label-column");

  const std::string rows = "a\tb\tc\twhat\twhy\t0\nbroken\n";
  const Input qqp = Input::from_memory("q.tsv", rows);
  LabelledTextReader lenient(qqp, glue_options(glue_task("qqp"), qqp));
  LabelledText example;
  CHECK(lenient.next(example));
  CHECK_FALSE(lenient.next(example));
  CHECK(lenient.table().skipped() == 1);
}

TEST_CASE("a task or a file that is not GLUE's is rejected with the existing ones") {
  CHECK(message_of<UsageError>([] { glue_task("glue/sst-2"); }) ==
        "glue: the task must be one of cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, got \"sst-2\"; did you mean "
        "glue/sst2?");
  const Input input = Input::from_memory("a.tsv", "a\tb\n");
  CHECK(
      message_of<DataError>([&] { glue_options(glue_task("stsb"), input); }) ==
      "a.tsv: glue/stsb must have the columns \"sentence1\", \"sentence2\" and \"score\", or without a header 10 or 3 "
      "cells a row, got 2 cells and no such header; for other files name the columns with --text-column and "
      "--label-column");
  CHECK(glue_tasks().size() == 9);
}

TEST_CASE("MRPC's F1 is that of the class \"equivalent\", whatever its index") {
  CHECK(positive_class(glue_task("mrpc"), LabelVocabulary(Names{"0", "1"})) == 1);
  CHECK(positive_class(glue_task("mrpc"), LabelVocabulary(Names{"equivalent", "not_equivalent"})) == 0);
  CHECK(positive_class(glue_task("sst2"), LabelVocabulary(Names{"0", "1"})) == -1);
}

// ------------------------------------------------------------------------------------------------------ files out
// there

struct Summary {
  std::int64_t examples = 0;
  std::map<std::string, int> labels;
  double sum = 0;
  std::string first, last;
};

static Summary summary(const std::string& path, const LabelledTextOptions& options) {
  LabelledTextReader from(Input::from_file(path), options);
  Summary result;
  LabelledText example;
  while (from.next(example)) {
    ++result.examples;
    for (const std::string& label : example.labels) ++result.labels[label];
    result.sum += example.value.value_or(0);
    if (result.examples == 1) result.first = example.text;
    result.last = example.text + (example.pair ? " / " + *example.pair : "");
  }
  return result;
}

static Summary glue_summary(const std::string& task, const std::string& path) {
  return summary(path, glue_options(glue_task(task), Input::from_file(path)));
}

TEST_CASE("the classification sets are read whole") {
  const std::string folder = shared_data("data/classification");
  if (folder.empty()) return;
  Summary s = glue_summary("sst2", folder + "/sst2/train.tsv.gz");
  CHECK(s.examples == 67'349);
  CHECK(s.labels == std::map<std::string, int>{{"0", 29'780}, {"1", 37'569}});
  CHECK(s.first == "hide new secretions from the parental units ");
  CHECK(glue_summary("sst2", folder + "/sst2/dev.tsv.gz").labels == std::map<std::string, int>{{"0", 428}, {"1", 444}});
  CHECK(glue_summary("sst2", folder + "/sst2/test.tsv.gz").examples == 1'821);
  s = glue_summary("cola", folder + "/cola/in_domain_train.tsv.gz");
  CHECK(s.examples == 8'551);
  CHECK(s.labels == std::map<std::string, int>{{"0", 2'528}, {"1", 6'023}});
  CHECK(s.first == "Our friends won't buy this analysis, let alone the next one we propose.");
  CHECK(glue_summary("cola", folder + "/cola/in_domain_dev.tsv.gz").examples == 527);
  CHECK(glue_summary("cola", folder + "/cola/out_of_domain_dev.tsv.gz").examples == 516);
  s = glue_summary("stsb", folder + "/stsb/stsb-en-train.csv.gz");
  CHECK(s.examples == 5'749);
  CHECK(s.first == "A plane is taking off.");
  CHECK(glue_summary("stsb", folder + "/stsb/stsb-en-dev.csv.gz").examples == 1'500);
  CHECK(glue_summary("stsb", folder + "/stsb/stsb-en-test.csv.gz").examples == 1'379);
  s = summary(folder + "/trec/TREC.train.gz", {});
  CHECK(s.examples == 5'452);
  CHECK(s.labels == std::map<std::string, int>{
                        {"ABBR", 86}, {"DESC", 1'162}, {"ENTY", 1'250}, {"HUM", 1'223}, {"LOC", 835}, {"NUM", 896}});
  s = summary(folder + "/trec/TREC.train.gz", {.columns = {.label = "fine_label"}});
  CHECK(s.labels.size() == 50);
  CHECK(summary(folder + "/trec/TREC.test.gz", {}).examples == 500);
}

TEST_CASE("MRPC has the same sentences in GLUE's format and as CSV") {
  const std::string folder = shared_data("data/fixtures/hf-samples/MRPC");
  if (folder.empty()) return;
  const Summary tsv = glue_summary("mrpc", folder + "/train.tsv"), csv = glue_summary("mrpc", folder + "/train.csv");
  CHECK(tsv.examples == 6);
  CHECK(csv.examples == 6);
  CHECK(tsv.last == csv.last);
  CHECK(tsv.labels.find("1")->second == csv.labels.find("equivalent")->second);
}
