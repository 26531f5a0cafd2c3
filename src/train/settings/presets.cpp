#include "train/settings/presets.h"

#include "io/names.h"
#include "text/labelled/glue.h"

namespace rapt {

using Settings = std::vector<std::pair<std::string, std::string>>;

static Settings operator+(Settings a, const Settings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

static Settings shape(const char* layers, const char* heads, const char* width, const char* context) {
  return {{"model", "gpt2"}, {"layers", layers}, {"heads", heads}, {"width", width}, {"context", context}};
}

// karpathy/nanoGPT, config/train_shakespeare_char.py and README.md: shared by the two character recipes.
static Settings shakespeare() {
  return {{"tokenizer", "char"},
          {"activation", "gelu"},
          {"bias", "off"},
          {"optimizer", "adamw"},
          {"learning-rate", "1e-3"},
          {"min-learning-rate", "1e-4"},
          {"schedule", "cosine"},
          {"warmup", "100"},
          {"beta1", "0.9"},
          {"beta2", "0.99"},
          {"weight-decay", "0.1"},
          {"clip", "1"},
          {"validation-fraction", "0.1"},
          {"sampling-order", "random"},
          {"eval-every", "250"},
          {"save-every", "250"}};
}

// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", for the shape; karpathy/nanoGPT,
// train.py, for the recipe, because the paper gives none. About half a million tokens per update.
static Settings gpt2(const char* layers, const char* heads, const char* width, const char* learning_rate,
                     const char* lowest) {
  return shape(layers, heads, width, "1024") + Settings{{"tokenizer", "byte-bpe"},
                                                        {"vocab", "50257"},
                                                        {"activation", "gelu-tanh"},
                                                        {"bias", "on"},
                                                        {"tie", "on"},
                                                        {"dropout", "0"},
                                                        {"batch", "12"},
                                                        {"accumulate", "40"},
                                                        {"optimizer", "adamw"},
                                                        {"learning-rate", learning_rate},
                                                        {"min-learning-rate", lowest},
                                                        {"schedule", "cosine"},
                                                        {"warmup", "2000"},
                                                        {"beta1", "0.9"},
                                                        {"beta2", "0.95"},
                                                        {"weight-decay", "0.1"},
                                                        {"clip", "1"},
                                                        {"steps", "600000"},
                                                        {"eval-every", "1000"},
                                                        {"save-every", "500"}};
}

// Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 4.1; clipping from the
// authors' code.
static Settings gpt1() {
  return {{"model", "gpt1"},      {"layers", "12"},
          {"heads", "12"},        {"width", "768"},
          {"context", "512"},     {"tokenizer", "bpe"},
          {"vocab", "40478"},     {"activation", "gelu-tanh"},
          {"dropout", "0.1"},     {"batch", "64"},
          {"optimizer", "adamw"}, {"learning-rate", "2.5e-4"},
          {"schedule", "cosine"}, {"min-learning-rate", "0"},
          {"warmup", "2000"},     {"beta1", "0.9"},
          {"beta2", "0.999"},     {"weight-decay", "0.01"},
          {"clip", "1"},          {"epochs", "100"}};
}

static Settings bench(const char* vocabulary, const char* dropout, const char* batch) {
  return {{"vocab", vocabulary},    {"dropout", dropout}, {"batch", batch},       {"activation", "gelu-tanh"},
          {"bias", "on"},           {"tie", "on"},        {"optimizer", "adamw"}, {"learning-rate", "3e-4"},
          {"schedule", "constant"}, {"warmup", "off"},    {"beta1", "0.9"},       {"beta2", "0.999"},
          {"weight-decay", "0.1"},  {"clip", "1"}};
}

// google-research/bert, README.md and create_pretraining_data.py: the shapes of Turc et al. 2019 with the recipe of
// run_pretraining.py, and a learning rate and batch size that suit small networks.
static Settings bert(const char* layers, const char* width, const char* heads, const char* learning_rate) {
  return {{"model", "bert"},
          {"task", "mlm-nsp"},
          {"layers", layers},
          {"width", width},
          {"heads", heads},
          {"context", "512"},
          {"max-length", "128"},
          {"activation", "gelu"},
          {"norm-epsilon", "1e-12"},
          {"dropout", "0.1"},
          {"tokenizer", "wordpiece"},
          {"documents", "paragraph"},
          {"batch", "64"},
          {"optimizer", "adamw"},
          {"bias-correction", "off"},
          {"learning-rate", learning_rate},
          {"min-learning-rate", "0"},
          {"schedule", "linear"},
          {"warmup", "10%"},
          {"beta1", "0.9"},
          {"beta2", "0.999"},
          {"epsilon", "1e-6"},
          {"weight-decay", "0.01"},
          {"clip", "1"}};
}

// Small networks learn from little text in minutes or hours. They need other initial weights, more and smaller updates,
// and no dropout: docs/decisions/neighbours-first.md.
static Settings small_bert(const char* layers, const char* width, const char* heads, const char* learning_rate) {
  return bert(layers, width, heads, learning_rate) + Settings{{"attention-start", "neighbours"},
                                                              {"batch", "16"},
                                                              {"warmup", "20%"},
                                                              {"dropout", "0"},
                                                              {"weight-decay", "0.1"}};
}

static Settings encoder_decoder(const char* layers, const char* heads, const char* width, const char* feed_forward) {
  return {{"model", "transformer"},   {"task", "translate"}, {"layers", layers},
          {"heads", heads},           {"width", width},      {"feed-forward", feed_forward},
          {"activation", "relu"},     {"norm", "post"},      {"embedding-scale", "on"},
          {"attention-dropout", "0"}, {"weight-decay", "0"}, {"clip", "0"},
          {"optimizer", "adam"},      {"beta1", "0.9"},      {"beta2", "0.98"}};
}

// Vaswani et al. 2017, "Attention Is All You Need", sections 3, 5.1 to 5.4 and table 3. About 25,000 source and as many
// target tokens per update.
static Settings vaswani(const char* heads, const char* width, const char* feed_forward, const char* dropout,
                        const char* steps, const char* average) {
  return encoder_decoder("6", heads, width, feed_forward) +
         Settings{{"position", "sinusoidal"}, {"tokenizer", "bpe"},
                  {"vocab", "37000"},         {"shared-vocabulary", "on"},
                  {"dropout", dropout},       {"label-smoothing", "0.1"},
                  {"batch-tokens", "6250"},   {"accumulate", "8"},
                  {"epsilon", "1e-9"},        {"learning-rate", "1"},
                  {"schedule", "noam"},       {"warmup", "4000"},
                  {"steps", steps},           {"eval-every", "1000"},
                  {"save-every", "1000"},     {"average-last", average}};
}

// Wu, Kong, Bi, Li, Kao 2021, "Good for Misconceived Reasons: An Empirical Revisiting on the Need for Visual Context in
// Multimodal Machine Translation", arXiv 2105.14462, and LividWo/Revisit-MMT, README-baseline.md. fairseq counts the
// 4,096 tokens of a batch on the larger side, and two processors shared an update.
static Settings transformer_tiny() {
  return encoder_decoder("4", "4", "128", "256") +
         Settings{{"position", "sinusoidal"},   {"tokenizer", "bpe"}, {"vocab", "10000"},
                  {"shared-vocabulary", "on"},  {"dropout", "0.3"},   {"label-smoothing", "0.1"},
                  {"batch-tokens", "8192"},     {"accumulate", "2"},  {"learning-rate", "5e-3"},
                  {"schedule", "inverse-sqrt"}, {"warmup", "2000"},   {"steps", "8000"},
                  {"eval-every", "1e"},         {"save-every", "1e"}, {"early-stop", "10"},
                  {"average-last", "10"}};
}

// bentrevett/pytorch-seq2seq, notebook 6, "Attention is All You Need", on Multi30k. Its words are spaCy's.
static Settings multi30k() {
  return encoder_decoder("3", "8", "256", "512") + Settings{{"position", "learned"},
                                                            {"embedding-init", "glorot"},
                                                            {"context", "100"},
                                                            {"tie", "off"},
                                                            {"head-bias", "on"},
                                                            {"tokenizer", "word"},
                                                            {"vocab", "50000"},
                                                            {"min-frequency", "2"},
                                                            {"lowercase", "on"},
                                                            {"shared-vocabulary", "off"},
                                                            {"dropout", "0.1"},
                                                            {"attention-dropout", "0.1"},
                                                            {"activation-dropout", "0.1"},
                                                            {"label-smoothing", "0"},
                                                            {"batch", "128"},
                                                            {"batch-tokens", "0"},
                                                            {"beta2", "0.999"},
                                                            {"learning-rate", "5e-4"},
                                                            {"schedule", "constant"},
                                                            {"warmup", "off"},
                                                            {"clip", "1"},
                                                            {"epochs", "10"},
                                                            {"eval-every", "1e"},
                                                            {"save-every", "1e"}};
}

// Fine-tuning on a GLUE task as in google-research/bert, run_classifier.py.
static Preset glue_preset(const GlueTask& task) {
  const std::string kind = task.labels == LabelKind::kValue ? "regress" : "classify";
  return {"glue/" + std::string(task.name),
          "GLUE: " + std::string(task.about),
          {{"glue", std::string(task.name)},
           {"task", kind},
           {"metric", std::string(task.metrics.front())},
           {"epochs", "3"},
           {"batch", "32"},
           {"learning-rate", "5e-5"},
           {"schedule", "linear"},
           {"warmup", "10%"},
           {"min-learning-rate", "0"},
           {"dropout", "0.1"},
           {"beta1", "0.9"},
           {"beta2", "0.999"},
           {"weight-decay", "0.01"},
           {"clip", "1"},
           {"eval-every", "1e"},
           {"save-every", "1e"}}};
}

// bentrevett/pytorch-seq2seq, notebooks 1 to 3: recurrent translators of Multi30k. There, a decoder reads its own words
// half of the time during training; here it always reads the right ones.
static Settings seq2seq(const char* cell, const char* layers, const char* attention) {
  return {{"model", cell},
          {"task", "translate"},
          {"layers", layers},
          {"width", "512"},
          {"embedding-width", "256"},
          {"attention", attention},
          {"bidirectional", "off"},
          {"tie", "off"},
          {"dropout", "0.5"},
          {"tokenizer", "word"},
          {"vocab", "50000"},
          {"min-frequency", "2"},
          {"lowercase", "on"},
          {"shared-vocabulary", "off"},
          {"label-smoothing", "0"},
          {"batch", "128"},
          {"batch-tokens", "0"},
          {"optimizer", "adam"},
          {"learning-rate", "1e-3"},
          {"schedule", "constant"},
          {"warmup", "off"},
          {"beta1", "0.9"},
          {"beta2", "0.999"},
          {"weight-decay", "0"},
          {"clip", "1"},
          {"epochs", "10"},
          {"eval-every", "1e"},
          {"save-every", "1e"}};
}

const std::vector<Preset>& presets() {
  static const std::vector<Preset> table = {
      {"shakespeare-char-cpu", "nanoGPT's character model for CPUs: 0.8M parameters, minutes",
       shape("4", "4", "128", "64") + shakespeare() + Settings{{"batch", "12"}, {"dropout", "0"}, {"steps", "2000"}}},
      {"shakespeare-char", "nanoGPT's character model: 10.6M parameters, hours",
       shape("6", "6", "384", "256") + shakespeare() +
           Settings{{"batch", "64"}, {"dropout", "0.2"}, {"steps", "5000"}}},
      {"gpt1", "the first GPT: 117M parameters", gpt1()},
      {"gpt2", "GPT-2, 124M parameters", gpt2("12", "12", "768", "6e-4", "6e-5")},
      {"gpt2-medium", "GPT-2, 355M parameters", gpt2("24", "16", "1024", "3e-4", "3e-5")},
      {"gpt2-large", "GPT-2, 774M parameters", gpt2("36", "20", "1280", "2.5e-4", "2.5e-5")},
      {"gpt2-xl", "GPT-2, 1,558M parameters", gpt2("48", "25", "1600", "2e-4", "2e-5")},
      {"bert-tiny", "BERT with 2 layers of width 128", small_bert("2", "128", "2", "1e-3")},
      {"bert-mini", "BERT with 4 layers of width 256", small_bert("4", "256", "4", "7e-4")},
      {"bert-small", "BERT with 4 layers of width 512", small_bert("4", "512", "8", "5e-4")},
      {"bert-medium", "BERT with 8 layers of width 512", small_bert("8", "512", "8", "3e-4")},
      {"bert-base", "BERT with 12 layers of width 768", bert("12", "768", "12", "1e-4")},
      {"lstm-seq2seq", "LSTM encoder-decoder without attention (Sutskever et al. 2014), Multi30k",
       seq2seq("lstm", "2", "none") + Settings{{"init-range", "0.08"}}},
      {"gru-seq2seq", "GRU encoder-decoder with a context vector (Cho et al. 2014), Multi30k",
       seq2seq("gru", "1", "context") + Settings{{"init-std", "0.01"}}},
      {"gru-bahdanau", "GRU encoder-decoder with additive attention (Bahdanau et al. 2014), Multi30k",
       seq2seq("gru", "1", "additive") + Settings{{"bidirectional", "on"}, {"init-std", "0.01"}}},
      {"lstm-luong", "LSTM encoder-decoder with attention and input feeding (Luong et al. 2015), Multi30k",
       seq2seq("lstm", "2", "general") +
           Settings{{"bidirectional", "on"}, {"input-feeding", "on"}, {"dropout", "0.2"}, {"init-range", "0.1"}}},
      {"transformer-base", "the encoder-decoder of Attention Is All You Need: 63M parameters",
       vaswani("8", "512", "2048", "0.1", "100000", "5")},
      {"transformer-big", "the large one: 214M parameters", vaswani("16", "1024", "4096", "0.3", "300000", "20")},
      {"transformer-tiny", "4 + 4 layers of width 128, for Multi30k's 29,000 pairs", transformer_tiny()},
      {"multi30k", "3 + 3 layers of width 256 over words, for Multi30k", multi30k()},
  };
  static const std::vector<Preset> all = [] {
    std::vector<Preset> presets = table;
    for (const GlueTask& task : glue_tasks()) presets.push_back(glue_preset(task));
    return presets;
  }();
  return all;
}

const std::vector<Preset>& bench_presets() {
  static const std::vector<Preset> table = {
      {"char-cpu", "nanoGPT's character recipe for CPUs", shape("4", "4", "128", "64") + bench("65", "0", "12")},
      {"char", "nanoGPT's character recipe", shape("6", "6", "384", "256") + bench("65", "0.2", "16")},
      {"gpt2", "GPT-2, 124M parameters", shape("12", "12", "768", "64") + bench("50257", "0", "4")},
      {"gpt2-dropout", "GPT-2 with dropout 0.1", shape("12", "12", "768", "64") + bench("50257", "0.1", "4")},
  };
  return table;
}

// One dial: depth and width grow together; heads are 32 to 64 wide.
static const std::vector<Preset>& sizes() {
  static const std::vector<Preset> table = {
      {"tiny", "0.2M parameters and the embeddings", shape("2", "4", "96", "64")},
      {"mini", "0.8M", shape("4", "4", "128", "128")},
      {"small", "10.6M", shape("6", "6", "384", "256")},
      {"base", "85M", shape("12", "12", "768", "512")},
  };
  return table;
}

const Preset& find_preset(std::string_view name) { return find_named(name, presets(), &Preset::name, "--preset"); }
const Preset& find_bench_preset(std::string_view name) {
  return find_named(name, bench_presets(), &Preset::name, "--preset");
}
const Preset& find_size(std::string_view name) { return find_named(name, sizes(), &Preset::name, "--size"); }

}  // namespace rapt
