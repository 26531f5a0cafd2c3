// Every setting of a training run, with its default. settings.h names, explains, reads and prints them, one row each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/period.h"

namespace rapt {

/// The settings that a run is made of. Choices are kept as the words that people type; settings.cpp lists which words
/// there are.
struct TrainConfig {
  // Data
  std::vector<std::string> data;     ///< files, folders, `-` for standard input
  std::string text_field = "text";   ///< which field of JSON lines holds the text
  std::string documents = "file";    ///< what one document is: file, line, paragraph
  std::string validation_data;       ///< a file; empty: the last part of the training data
  double validation_fraction = 0.1;  ///< how much of the data is held out when there is no validation_data
  std::string sampling_order =
      "random";  ///< random: windows anywhere; epoch: each once a pass; documents: each document a sequence

  // Tokenizer
  std::string tokenizer = "char";  ///< a file to load, or a kind to train on the data: char, byte, byte-bpe, bpe
  std::int64_t vocabulary = 8000;  ///< entries of a trained BPE vocabulary, special tokens included

  // Model
  std::string model = "gpt2";  ///< gpt2 (pre-norm) or gpt1 (post-norm)
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  std::int64_t feed_forward = 0;  ///< 0: four times the width
  std::int64_t context = 256;     ///< longest sequence, in tokens
  std::string activation = "gelu-tanh";
  bool bias = true;
  bool tie = true;  ///< the output layer uses the token embeddings
  std::string position = "learned";
  double norm_epsilon = 1e-5;
  bool attention_scale = true;         ///< scores by 1/sqrt(head width)
  bool attention_layer_scale = false;  ///< and by 1/(layer + 1)
  double dropout = 0;
  std::optional<double> embedding_dropout;  ///< as dropout unless set
  std::optional<double> attention_dropout;  ///< as dropout unless set
  std::optional<double> residual_dropout;   ///< as dropout unless set
  std::string init;  ///< start from these weights: run folder, checkpoint or Hugging Face directory

  // Batch
  std::int64_t batch = 12;      ///< sequences in one forward pass
  std::int64_t accumulate = 1;  ///< forward passes in one update
  bool recompute = false;       ///< keep one activation a block and compute the others again: less memory, more time

  // Optimiser
  std::string optimizer = "adamw";
  double learning_rate = 1e-3;
  double min_learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  bool bias_correction = true;
  double momentum = 0;
  bool nesterov = false;
  double clip = 1;  ///< largest global gradient norm; 0: no clipping
  double label_smoothing = 0;

  // Schedule
  std::string schedule = "cosine";
  Period warmup;                           ///< updates or a share of the run
  Period decay{Period::Unit::kShare, 20};  ///< how long wsd falls at the end

  // Length: whichever comes first; 0 is no limit
  std::int64_t steps = 0;
  double epochs = 0;
  std::int64_t tokens = 0;
  double minutes = 0;

  // What happens how often
  Period log_every = Period::updates(10);
  Period eval_every = Period::updates(250);
  Period save_every = Period::updates(250);
  Period sample_every;
  std::string sample_prompt;
  std::int64_t sample_tokens = 100;
  std::int64_t early_stop = 0;  ///< stop after so many validations in a row without a new best; 0: never
  std::int64_t keep_last = 2;   ///< checkpoints kept besides the best

  // System
  std::string out;  ///< the run folder; empty: runs/<name of the first data file>
  std::int64_t seed = 1;
  std::int64_t threads = 0;  ///< 0: all cores this process may use
  std::string preset;        ///< where the defaults came from; says nothing once the settings are written out
  std::string size;          ///< tiny, mini, small, base: layers, heads, width and context in one word

  bool operator==(const TrainConfig&) const = default;

  std::int64_t feed_forward_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  double embedding_dropout_rate() const { return embedding_dropout.value_or(dropout); }
  double attention_dropout_rate() const { return attention_dropout.value_or(dropout); }
  double residual_dropout_rate() const { return residual_dropout.value_or(dropout); }
};

/// Checks what no single setting can see: the model's structure and settings that exclude or need each other.
/// \throws UsageError  naming the flags, what must hold and a value that would do
void validate(const TrainConfig& config);

}  // namespace rapt
