#include "train/settings/settings.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "io/escape.h"
#include "train/settings/numbers.h"
#include "train/settings/setting_kinds.h"
#include "train/settings/setting_table.h"

namespace rapt {
namespace {

constexpr double kNoEnd = std::numeric_limits<double>::infinity();
constexpr Range kPositive{0, kNoEnd, false, true};
constexpr Range kNotNegative{0, kNoEnd, true, true};
constexpr Range kRate{0, 1, true, false};

using namespace setting_kinds;
using Config = TrainConfig;

void set_betas(Config& c, const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos)
    throw std::invalid_argument("must be two numbers separated by a comma, got " + in_quotes(text));
  c.beta1 = parse_number(text.substr(0, comma), kRate);
  c.beta2 = parse_number(text.substr(comma + 1), kRate);
}

void set_warmup_ratio(Config& c, const std::string& text) {
  const double share = parse_number(text, {0, 1});
  c.warmup = share == 0 ? Period{} : Period{Period::Unit::kShare, share * 100};
}

// "embed" is a network without anything to train.
Texts trained_task_words() {
  Texts names;
  for (const TaskWord& word : task_words()) {
    if (word.objective != Objective::kNone) names.emplace_back(word.name);
  }
  return names;
}

void add_task(SettingTable& t) {
  t.group("task");
  t.common(choice("task", &Config::task, trained_task_words(),
                  "training objective: next token, masked words, masked words and next sentence, or labels",
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
                   {"embed", "embed"}}),  // the task in checkpoints of models without a head
           {"objective", "task-name"});
  t.group(
      "task", [](const Config& c) { return c.is_labelled(); }, "labelled tasks");
  t.add(list("labels", &Config::labels, "NAME",
             "class names in the order of the outputs; read from the data if not given"),
        {"label-names"});
  t.add(text("metric", &Config::metric, "NAME", "metric that selects the best checkpoint"),
        {"metric-for-best-model", "valid-metric", "valid-metrics"});
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
  t.add(on_off("header", &Config::header, "the first line of a table holds the column names; detected if not given"));
  t.add(text("label-separator", &Config::label_separator, "TEXT", "separator between the labels of one example"));
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
                     "tokenizer file, or the kind to train on the data: char, byte, byte-bpe, bpe, wordpiece"),
                {"tokenizer-name", "tokenizer-file"});
  t.group(
      "tokenizer", [](const Config& c) { return c.learns_tokenizer(); }, "tokenizers that are trained on the data");
  t.common(
      whole("vocab", &Config::vocabulary, 1, "maximum vocabulary size of a tokenizer trained on the data", 1 << 20),
      {"vocabulary", "vocab-size", "vocabulary-size"});
  t.add(on_off("lowercase", &Config::lowercase, "train a lower-case WordPiece vocabulary"),
        {"do-lower-case", "uncased"});
}

void add_model(SettingTable& t) {
  t.group("model");
  t.common(choice("model", &Config::model, {"gpt2", "gpt1", "bert"}, "GPT-2 (pre-norm), GPT-1 (post-norm) or BERT",
                  {{"openai-gpt", "gpt1"}, {"gpt", "gpt2"}}),
           {"model-type", "arch"});
  t.common(whole("layers", &Config::layers, 1, "transformer blocks", 10000),
           {"n-layer", "n-layers", "num-layers", "num-hidden-layers", "depth"});
  t.common(whole("heads", &Config::heads, 1, "attention heads per block", 10000),
           {"n-head", "n-heads", "num-heads", "num-attention-heads", "transformer-heads"});
  t.common(whole("width", &Config::width, 1, "size of the hidden states; a multiple of --heads", 1 << 20),
           {"n-embd", "d-model", "hidden-size", "dim-emb", "embedding-size"});
  t.add(whole("feed-forward", &Config::feed_forward, 0, "inner size of the feed-forward layers; 0: four times --width",
              1 << 24),
        {"ffn", "n-inner", "d-ff", "intermediate-size", "transformer-dim-ffn"});
  t.common(
      whole("context", &Config::context, 1, "tokens per training sequence; also the longest sequence the model accepts",
            1 << 24),
      {"block-size", "n-ctx", "n-positions", "context-length", "max-seq-length", "max-seq-len", "seq-len", "max-len"});
  t.add(
      choice("activation", &Config::activation, {"gelu", "gelu-tanh", "relu", "silu", "tanh", "sigmoid", "quick-gelu"},
             "activation of the feed-forward layers; gelu is the exact erf form",
             {{"gelu-new", "gelu-tanh"}, {"swish", "silu"}}),
      {"act", "activation-function", "hidden-act"});
  t.add(on_off("bias", &Config::bias, "bias terms in linear layers and norms"), {"use-bias"});
  t.add(on_off("tie", &Config::tie, "share the weights of the output layer with the token embeddings"),
        {"tie-word-embeddings", "tie-weights"});
  t.add(choice("position", &Config::position, {"learned", "rope", "sinusoidal"}, "position encoding"),
        {"pos", "positions", "position-embedding-type"});
  t.add(number("rotary-base", &Config::rotary_base, kPositive, "rope: base of the rotation frequencies"),
        {"rope-theta", "rotary-emb-base"});
  t.add(number("rotary-share", &Config::rotary_share, {0, 1, false, true},
               "rope: share of each head's columns that are rotated"),
        {"rotary-pct", "partial-rotary-factor"});
  t.add(on_off("parallel-residual", &Config::parallel_residual,
               "attention and feed-forward both take the layer's input, as in GPT-NeoX"),
        {"use-parallel-residual"});
  t.add(whole("segments", &Config::segments, 1, "bert: number of segment types", 1 << 16), {"type-vocab-size"});
  t.add(on_off("pooler", &Config::pooler, "bert: add a dense layer over the first token for tasks on whole texts"));
  t.add(choice("attention-start", &Config::attention_start, {"random", "neighbours"},
               "bert: initial attention: random, or two heads that attend to neighbouring tokens"));
  t.add(number("norm-epsilon", &Config::norm_epsilon, kPositive, "constant added to the variance in norms"),
        {"norm-eps", "layer-norm-epsilon", "layer-norm-eps"});
  t.add(on_off("attention-scale", &Config::attention_scale,
               "divide attention scores by the square root of the head width"),
        {"scale-attn-weights"});
  t.add(on_off("attention-layer-scale", &Config::attention_layer_scale,
               "also divide them by the layer index, as GPT-2's scale_attn_by_inverse_layer_idx"),
        {"scale-attn-by-inverse-layer-idx"});
  t.common(number("dropout", &Config::dropout, kRate, "share of activations dropped during training"),
           {"dropout-rate", "drop"});
  t.add(
      number("embedding-dropout", &Config::embedding_dropout, kRate, "dropout after the embeddings; default --dropout"),
      {"emb-dropout", "embd-pdrop"});
  t.add(
      number("attention-dropout", &Config::attention_dropout, kRate, "dropout of attention weights; default --dropout"),
      {"attn-dropout", "attn-pdrop", "attention-probs-dropout-prob"});
  t.add(number("residual-dropout", &Config::residual_dropout, kRate,
               "dropout of each block's residual branches; default --dropout"),
        {"resid-dropout", "resid-pdrop", "hidden-dropout-prob"});
  t.add(number("head-dropout", &Config::head_dropout, kRate, "dropout before the task head; default --dropout"),
        {"classifier-dropout", "clf-dropout", "clf-pdrop"});
  t.common_free(text("init", &Config::init, "MODEL",
                     "start from the weights of this run folder, checkpoint or Hugging Face directory"),
                {"init-from", "init-checkpoint", "pretrained-model", "model-name-or-path", "finetune-from-model"});
}

void add_fine_tuning(SettingTable& t) {
  t.group(
      "training from scratch", [](const Config& c) { return c.is_labelled() && c.init.empty(); },
      "labelled tasks without --init");
  t.add(on_off("self-pretrain", &Config::self_pretrain,
               "spend part of --minutes on masked words of the texts before training on labels"));
  t.group(
      "fine-tuning", [](const Config& c) { return c.is_labelled() || !c.init.empty(); },
      "labelled tasks and runs with --init");
  Setting& max_length =
      t.add(whole("max-length", &Config::max_length, 0,
                  "maximum tokens per training sequence; longer examples are truncated; 0: the context"));
  max_length.applies = [](const Config& c) { return c.is_labelled() || c.masks_words() || !c.init.empty(); };
  max_length.applies_to = "labelled tasks, masked words and runs with --init";
  t.add(whole("stride", &Config::stride, 1, "qa: tokens between the starts of two windows over a long text"),
        {"doc-stride"});
  t.add(words("freeze", &Config::freeze, "WHAT",
              "parameters to freeze: embeddings, backbone, blocks (0 or 0-3), names with *"));
  t.add(number("layer-rate-decay", &Config::layer_rate_decay, {0, 1, false, true},
               "learning rate of each block relative to the block above it"),
        {"layer-lr-decay", "layerwise-lr-decay", "llrd"});
  t.add(whole("reset-layers", &Config::reset_layers, 0, "number of top blocks to reinitialise with random weights",
              10000),
        {"reinit-layers", "reinit-top-layers"});
  t.add(number("language-model-weight", &Config::language_model_weight, kNotNegative,
               "weight of the language-model loss added to the task loss; 0.5 in GPT-1's paper"),
        {"aux-lm", "lm-coef", "lambda"});
  t.add(whole("lora-rank", &Config::lora_rank, 0, "train low-rank adapters of this rank instead of the weights; 0: off",
              4096),
        {"lora-r"});
  t.add(number("lora-alpha", &Config::lora_alpha, kPositive, "scale of the adapters; divided by the rank"));
  t.add(number("lora-dropout", &Config::lora_dropout, kRate, "dropout of the adapters' inputs"));
  t.add(words("lora-targets", &Config::lora_targets, "NAME",
              "matrices with adapters: query, key, value, output, up, down"),
        {"lora-target-modules"});
}

void add_optimiser(SettingTable& t) {
  t.group("batch");
  t.common(whole("batch", &Config::batch, 1, "sequences per forward pass", 1 << 24),
           {"batch-size", "train-batch-size", "per-device-train-batch-size", "mini-batch"});
  t.add(whole("batch-tokens", &Config::batch_tokens, 0,
              "maximum tokens per forward pass, instead of --batch; 0: use --batch"),
        {"max-tokens-per-batch", "mini-batch-words"});
  t.common(whole("accumulate", &Config::accumulate, 1, "forward passes per update", 1 << 24),
           {"gradient-accumulation-steps", "grad-accum", "update-freq", "optimizer-delay"});
  t.add(on_off("recompute", &Config::recompute, "recompute activations in the backward pass to save memory"),
        {"gradient-checkpointing", "activation-checkpointing"});
  t.group("optimiser");
  t.add(choice("optimizer", &Config::optimizer, {"adamw", "adam", "sgd"}, "optimiser",
               {{"adamw-torch", "adamw"}, {"adamw-hf", "adamw"}}),
        {"optim", "optimiser"});
  t.common(number("learning-rate", &Config::learning_rate, kPositive, "peak learning rate"),
           {"lr", "learn-rate", "max-lr"});
  t.common(
      number("min-learning-rate", &Config::min_learning_rate, kNotNegative, "learning rate at the end of the schedule"),
      {"min-lr", "end-learning-rate"});
  t.add(number("beta1", &Config::beta1, kRate, "Adam: decay rate of the mean gradient"), {"adam-beta1"});
  t.add(number("beta2", &Config::beta2, kRate, "Adam: decay rate of the mean squared gradient"), {"adam-beta2"});
  t.add(shorthand("betas", "X,X", "beta1 and beta2 in one option: 0.9,0.95", set_betas),
        {"adam-betas", "optimizer-params"});
  t.add(number("epsilon", &Config::epsilon, kPositive, "Adam: constant added to the denominator"),
        {"eps", "adam-epsilon", "adam-eps"});
  t.common(number("weight-decay", &Config::weight_decay, kNotNegative,
                  "weight decay of matrices; biases and norms are not decayed"),
           {"wd"});
  t.add(on_off("bias-correction", &Config::bias_correction, "Adam: bias correction of both means"), {"correct-bias"});
  t.add(number("momentum", &Config::momentum, kRate, "momentum of --optimizer sgd"));
  t.add(on_off("nesterov", &Config::nesterov, "Nesterov momentum, with --optimizer sgd"));
  t.common(number("clip", &Config::clip, kNotNegative, "maximum global gradient norm; 0: no clipping"),
           {"grad-clip", "max-grad-norm", "clip-norm", "gradient-clip-val"});
  t.add(number("label-smoothing", &Config::label_smoothing, kRate,
               "share of the target probability spread over all tokens"),
        {"label-smoothing-factor"});
}

void add_schedule(SettingTable& t) {
  t.group("schedule");
  t.common(choice("schedule", &Config::schedule, {"constant", "linear", "cosine", "inverse-sqrt", "noam", "wsd"},
                  "learning-rate schedule after the warm-up",
                  {{"inv-sqrt", "inverse-sqrt"}, {"warmup-stable-decay", "wsd"}}),
           {"lr-scheduler-type", "lr-scheduler", "lr-schedule"});
  t.common(period("warmup", &Config::warmup, PeriodKind::kLength,
                  "length of the warm-up: updates (100) or share of the run (10%)"),
           {"warmup-steps", "warmup-iters", "num-warmup-steps", "lr-warmup", "warmup-updates"});
  t.add(shorthand("warmup-ratio", "X", "--warmup as a share of the run: 0.1", set_warmup_ratio));
  t.add(period("decay", &Config::decay, PeriodKind::kLength, "length of the final decay of --schedule wsd"),
        {"wsd-decay", "cooldown"});
  t.group("length");
  t.common(whole("steps", &Config::steps, 0, "stop after N updates"),
           {"max-steps", "max-iters", "iterations", "updates", "max-updates", "num-iterations"});
  t.common(number("epochs", &Config::epochs, kNotNegative, "stop after X passes over the data"),
           {"num-train-epochs", "max-epochs", "n-epochs"});
  t.add(number("most-epochs", &Config::most_epochs, kNotNegative,
               "maximum passes over the data in a run given in minutes; 0: no maximum"));
  t.add(whole("tokens", &Config::tokens, 0, "stop after N tokens (500M)"), {"max-train-tokens", "train-tokens"});
  t.common(number("minutes", &Config::minutes, kNotNegative, "stop after X minutes; 5 if no other length is given"),
           {"time-budget", "max-minutes"});
  t.free(number("planned-minutes", &Config::planned_minutes, kNotNegative,
                "minutes from which a run chose its number of updates; written by rapt"));
  t.free(whole("stretch-start", &Config::stretch_start, 0,
               "update at which the schedule restarted in an extended run; written by rapt"));
}

void add_periods(SettingTable& t) {
  const auto recurring = PeriodKind::kRecurring;
  t.group("periods");
  t.common(period("log-every", &Config::log_every, recurring,
                  "interval of progress lines and metrics: 10 (updates), 1e, 1Mt, 30s"),
           {"log-interval", "logging-steps", "disp-freq"});
  t.common(period("eval-every", &Config::eval_every, recurring, "interval of validation"),
           {"eval-interval", "eval-steps", "valid-freq", "validate-every"});
  t.add(whole("eval-tokens", &Config::eval_tokens, 0, "held-out tokens per validation, the same each time; 0: all"));
  t.add(whole("last-eval-tokens", &Config::last_eval_tokens, 0, "held-out tokens of the last validation; 0: all"));
  t.common_free(period("save-every", &Config::save_every, recurring, "interval of checkpoints"),
                {"save-steps", "save-interval", "save-freq", "checkpoint-every"});
  t.add(period("sample-every", &Config::sample_every, recurring, "interval of samples of generated text"),
        {"sample-interval"});
  t.add(text("sample-prompt", &Config::sample_prompt, "TEXT", "prompt of samples"));
  t.add(whole("sample-tokens", &Config::sample_tokens, 1, "maximum tokens of a sample", 1 << 20));
  t.common(whole("early-stop", &Config::early_stop, 0, "stop after N validations without improvement; 0: never"),
           {"patience", "early-stopping-patience", "early-stopping"});
  t.free(whole("keep-last", &Config::keep_last, 2, "number of latest checkpoints to keep in addition to the best",
               1000000),
         {"save-total-limit", "keep", "keep-last-n"});
}

void add_system(SettingTable& t) {
  t.group("system");
  t.common_free(text("out", &Config::out, "FOLDER", "run folder; default runs/<name of the data>"),
                {"output-dir", "out-dir", "save-dir", "model-dir", "output", "run"});
  t.common(whole("seed", &Config::seed, 0, "random seed"), {"random-seed"});
  t.common_free(
      whole("threads", &Config::threads, 0, "number of threads; 0: all cores. Results do not depend on it", 4096),
      {"cpu-threads", "num-threads"});
  t.common_free(
      text("preset", &Config::preset, "NAME", "use the settings of a known recipe; rapt params lists the recipes"),
      {"recipe"});
  t.common(choice("size", &Config::size, {"tiny", "mini", "small", "base"},
                  "set layers, heads, width and context by one word"));
}

// The settings that --resume may change: the run's length, and how it trains from there on.
constexpr std::string_view kOnRequest[] = {
    "learning-rate", "min-learning-rate", "clip",      "schedule", "warmup", "decay", "steps", "epochs",
    "tokens",        "minutes",           "early-stop"};

// The settings that give a run's length; 0 means not given.
constexpr std::string_view kEnds[] = {"steps", "epochs", "tokens", "minutes", "planned-minutes", "stretch-start"};

std::vector<Setting> make_settings() {
  SettingTable table;
  add_task(table);
  add_data(table);
  add_model(table);
  add_fine_tuning(table);
  add_optimiser(table);
  add_schedule(table);
  add_periods(table);
  add_system(table);
  std::vector<Setting> rows = table.take();
  for (Setting& row : rows) {
    if (std::ranges::find(kOnRequest, row.name) != std::end(kOnRequest)) row.resuming = Resuming::kOnRequest;
    row.zero_is_unset = std::ranges::find(kEnds, row.name) != std::end(kEnds);
  }
  return rows;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

const Setting* find_setting(std::string_view name) {
  std::string kebab(name);
  std::replace(kebab.begin(), kebab.end(), '_', '-');
  for (const Setting& s : settings())
    if (s.name == kebab || std::find(s.aliases.begin(), s.aliases.end(), kebab) != s.aliases.end()) return &s;
  return nullptr;
}

const std::vector<std::string>& setting_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Setting& s : settings()) all.push_back(s.name);
    for (const Setting& s : settings()) all.insert(all.end(), s.aliases.begin(), s.aliases.end());
    return all;
  }();
  return names;
}

}  // namespace rapt
