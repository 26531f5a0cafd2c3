// Settings of the task, its data and its tokenizer.
#include "train/settings/setting_kinds.h"
#include "train/settings/setting_rows.h"

namespace rapt {

using namespace setting_kinds;
using Config = TrainConfig;

// "embed" is a network without anything to train.
static Texts trained_task_words() {
  Texts names;
  for (const TaskWord& word : task_words()) {
    if (word.objective != Objective::kNone) names.emplace_back(word.name);
  }
  return names;
}

void add_task(SettingTable& t) {
  t.group("task");
  t.common(choice("task", &Config::task, trained_task_words(),
                  "training objective: next token, target texts from source texts, masked words, masked words and next "
                  "sentence, or labels",
                  {{"classification", "classify"},
                   {"regression", "regress"},
                   {"multi-label", "multilabel"},
                   {"ner", "tag"},
                   {"tokens", "tag"},
                   {"token-classification", "tag"},
                   {"question-answering", "qa"},
                   {"multiple-choice", "choice"},
                   {"clm", "lm"},
                   {"causal-lm", "lm"},
                   {"masked-lm", "mlm"},
                   {"translation", "translate"},
                   {"summarization", "summarize"},
                   {"summarise", "summarize"},
                   {"seq2seq", "translate"},
                   {"embed", "embed"}}),  // the task in checkpoints of models without a head
           {"objective", "task-name"});
  t.group(
      "task", [](const Config& c) { return c.is_labelled(); }, "labelled tasks");
  t.add(list("labels", &Config::labels, "NAME",
             "class names in the order of the outputs; read from the data if not given"),
        {"label-names"});
  t.add(text("metric", &Config::metric, "NAME", "metric that selects the best checkpoint"),
        {"metric-for-best-model", "valid-metric"});
  t.group(
      "task", [](const Config& c) { return c.has_source(); }, "--task translate and summarize");
  t.add(
      words("valid-metrics", &Config::valid_metrics, "NAME",
            "metrics of validations: loss, bleu, chrf, rouge-l and so on; the first one selects the best checkpoint"));
}

static void add_pairs(SettingTable& t) {
  t.group(
      "pairs of texts", [](const Config& c) { return c.has_source(); }, "--task translate and summarize");
  t.common_free(
      list("source", &Config::source, "FILE", "source texts, one per line; line n belongs to line n of --target"),
      {"train-source", "source-file", "src", "train-src"});
  t.common_free(list("target", &Config::target, "FILE", "target texts, one per line"),
                {"train-target", "target-file", "tgt", "train-tgt"});
  t.common_free(list("valid-source", &Config::valid_source, "FILE", "source texts for validation"),
                {"validation-source", "valid-src", "dev-source"});
  t.common_free(list("valid-target", &Config::valid_target, "FILE", "target texts for validation"),
                {"validation-target", "valid-tgt", "dev-target"});
  t.add(text("source-field", &Config::source_field, "NAME|N",
             "column or JSON field of the source; default: common names, or column 1"),
        {"source-column", "text-column-source"});
  t.add(text("target-field", &Config::target_field, "NAME|N", "column or JSON field of the target"),
        {"target-column", "summary-column"});
  t.add(whole("max-source-length", &Config::max_source_length, 0,
              "maximum tokens of a source, with its end token; longer ones are truncated; 0: the context"));
  t.add(whole("max-target-length", &Config::max_target_length, 0,
              "maximum tokens of a target, with its start token; longer ones are truncated; 0: the context"));
  t.add(number("max-length-ratio", &Config::max_length_ratio, kNotNegative,
               "leave out pairs with more than X times as many tokens on one side as on the other; 0: none"));
  t.add(on_off("shared-vocabulary", &Config::shared_vocabulary, "one vocabulary for source and target"),
        {"joint-vocabulary", "joined-dictionary", "share-vocab"});
  t.add(number("bpe-dropout", &Config::bpe_dropout, kRate,
               "leave out each merge with this probability when training texts are tokenised, anew in each epoch"));
  t.add(number("copy-epochs", &Config::copy_epochs, kNotNegative,
               "passes over the data, before the others, in which each target is a passage of its source, so that the "
               "network learns to copy words"));
}

void add_data(SettingTable& t) {
  t.group("data");
  t.common_free(list("data", &Config::data, "FILE",
                     "training text: files, folders, JSON lines, .gz, .bin, .h5, or - for standard input"),
                {"input", "train-data", "train-file", "train", "text"});
  t.free(choice("format", &Config::format, {"text", "lines", "tsv", "csv", "jsonl", "json", "conll", "trec"},
                "format of the data files; detected from their names and first lines if not given",
                {{"txt", "text"}, {"ndjson", "jsonl"}, {"squad", "json"}, {"iob", "conll"}, {"bio", "conll"}}),
         {"data-format", "file-format"});
  t.add(text("text-field", &Config::text_field, "NAME", "JSON lines field that holds the text"), {"json-field"});
  t.add(choice("documents", &Config::documents, {"file", "line", "paragraph"}, "unit of text that is one document"),
        {"document"});
  t.common_free(text("validation-data", &Config::validation_data, "FILE",
                     "validation text, instead of the end of the training data"),
                {"valid", "val-data", "validation-file", "valid-file", "eval-data"});
  t.add(number("validation-fraction", &Config::validation_fraction, kRate, "share of the data held out for validation"),
        {"val-fraction", "validation-split"});
  t.add(choice("sampling-order", &Config::sampling_order, {"random", "epoch", "documents"},
               "random windows, every window once per epoch, or each document as one sequence"),
        {"order"});
  t.group(
      "labelled data", [](const Config& c) { return c.is_labelled(); }, "labelled tasks");
  t.add(text("text-column", &Config::text_column, "NAME|N",
             "column or field that holds the text; detected from the header if not given"),
        {"text-column-name", "sentence1-key"});
  t.add(text("pair-column", &Config::pair_column, "NAME|N", "column of the second text of a pair"), {"sentence2-key"});
  t.add(text("label-column", &Config::label_column, "NAME|N", "column of the label"),
        {"label-column-name", "label-field"});
  t.add(text("glue", &Config::glue, "NAME", "GLUE task whose column layout to use: sst2, cola, stsb and so on"));
  Setting& header = t.add(
      on_off("header", &Config::header, "the first line of a table holds the column names; detected if not given"));
  header.applies = [](const Config& c) { return c.is_labelled() || c.has_source(); };
  header.applies_to = "labelled tasks, translate and summarize";
  t.add(text("label-separator", &Config::label_separator, "TEXT", "separator between the labels of one example"));
  add_pairs(t);
  t.group(
      "masked words", [](const Config& c) { return c.masks_words(); }, "--task mlm and mlm-nsp");
  t.add(number("mlm-probability", &Config::mlm_probability, kRate, "share of tokens to predict"),
        {"masked-lm-prob", "mlm-prob"});
  t.add(whole("max-predictions", &Config::max_predictions, 0,
              "maximum number of predicted tokens per sequence; 0: no maximum"),
        {"max-predictions-per-seq"});
  t.add(on_off("whole-word", &Config::whole_word, "mask all tokens of a word together"),
        {"whole-word-mask", "whole-word-masking", "do-whole-word-mask"});
  t.add(choice("masking", &Config::masking, {"dynamic", "static"}, "new masks each epoch, or the same masks always"),
        {"mask"});
  t.add(
      whole("dupe-factor", &Config::dupe_factor, 1, "number of times each document is cut into different pairs", 1000));
  t.add(whole("document-lines", &Config::document_lines, 1,
              "join paragraphs with fewer lines than this with the next one", 1 << 20));
  t.add(number("short-sequences", &Config::short_sequences, kRate,
               "share of sequences that are shorter than the context"),
        {"short-seq-prob"});
  t.group("tokenizer");
  t.common_free(text("tokenizer", &Config::tokenizer, "FILE|KIND",
                     "tokenizer file, or the kind to train on the data: char, byte, byte-bpe, bpe, wordpiece, "
                     "metaspace-bpe, unigram, word"),
                {"tokenizer-name", "tokenizer-file"});
  t.group(
      "tokenizer", [](const Config& c) { return c.learns_tokenizer(); }, "tokenizers that are trained on the data");
  t.common(
      whole("vocab", &Config::vocabulary, 1, "maximum vocabulary size of a tokenizer trained on the data", 1 << 20),
      {"vocabulary", "vocab-size", "vocabulary-size"});
  t.add(whole("min-frequency", &Config::min_frequency, 1,
              "count from which a word is in the vocabulary, or a pair of symbols is merged"),
        {"min-freq", "word-min-count"});
  t.add(on_off("lowercase", &Config::lowercase,
               "train a lower-case vocabulary; default on for wordpiece, off for others"),
        {"do-lower-case", "uncased"});
}

}  // namespace rapt
