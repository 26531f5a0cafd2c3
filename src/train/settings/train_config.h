// Every setting of a training run, with its default. settings.h names, explains, reads and prints them, one row each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/period.h"

namespace rapt {

/// The settings that a run is made of. Choices are kept as the words that people type; settings.cpp lists which words
/// there are.
struct TrainConfig {
  // Task
  std::string task = "lm";  ///< lm, mlm, mlm-nsp, classify, regress, multilabel, tag, qa, choice; embed: no head
  std::vector<std::string> labels;  ///< names of the classes, in the order of the outputs; found in the data
  std::string metric;               ///< what decides which checkpoint is the best; empty: the task's own

  std::string glue;  ///< a task of GLUE, whose files' columns are known: sst2, cola ...

  // Data
  std::vector<std::string> data;      ///< files, folders, `-` for standard input
  std::string text_field = "text";    ///< which field of JSON lines holds the text
  std::string text_column;            ///< of labelled data: which column holds the text; empty: by the header
  std::string pair_column;            ///< of the second text; empty: by the header, or none
  std::string label_column;           ///< of the label; empty: by the header
  std::optional<bool> header;         ///< a table's first line names its columns; empty: as the lines look
  std::string format;                 ///< what data files are: text, tsv, jsonl ...; empty: as they look
  std::string label_separator = ",";  ///< between the labels of one example
  std::string documents = "file";     ///< what one document is: file, line, paragraph
  std::string validation_data;        ///< a file; empty: the last part of the training data
  double validation_fraction = 0.1;   ///< how much of the data is held out when there is no validation_data
  std::string sampling_order =
      "random";  ///< random: windows anywhere; epoch: each once a pass; documents: each document a sequence

  // Pretraining of masked words
  double mlm_probability = 0.15;     ///< share of the tokens that are predicted
  std::int64_t max_predictions = 0;  ///< a sequence; 0: as many as the share gives
  bool whole_word = false;           ///< a word's tokens are masked together
  std::string masking = "dynamic";   ///< dynamic: anew each epoch; static: once
  std::int64_t dupe_factor = 10;     ///< how often a document is cut into other pairs of segments
  std::int64_t document_lines = 32;  ///< paragraphs of fewer lines are joined with the next into one document
  double short_sequences = 0.1;      ///< share of sequences of less than the full length

  // Fine-tuning
  bool self_pretrain = true;           ///< from scratch: masked words before labels
  std::int64_t max_length = 0;         ///< longest example in tokens, longer ones are cut; 0: the context
  std::int64_t stride = 128;           ///< tokens from one window of a long text to the next (qa)
  std::vector<std::string> freeze;     ///< what keeps its weights: embeddings, backbone, blocks (0, 0-3), names with *
  double layer_rate_decay = 1;         ///< each block learns this much slower than the one above it
  std::int64_t reset_layers = 0;       ///< how many of the top blocks begin from random weights
  double language_model_weight = 0;    ///< of a GPT's language-model loss beside that of the task
  std::optional<double> head_dropout;  ///< before the head; as dropout unless set
  std::int64_t lora_rank = 0;          ///< 0: no adapters
  double lora_alpha = 16;
  double lora_dropout = 0;
  std::vector<std::string> lora_targets = {"query", "value"};

  // Tokenizer
  std::string tokenizer =
      "char";             ///< a file to load, a kind to train on the data (kTokenizerKinds), or init: that of --init
  bool lowercase = true;  ///< of a WordPiece vocabulary learnt from the data
  std::int64_t vocabulary = 8000;  ///< entries of a trained BPE vocabulary, special tokens included

  // Model
  std::string model = "gpt2";  ///< gpt2 (pre-norm), gpt1 (post-norm) or bert
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  std::int64_t feed_forward = 0;  ///< 0: four times the width
  std::int64_t context = 256;     ///< longest sequence, in tokens
  std::string activation = "gelu-tanh";
  bool bias = true;
  bool tie = true;  ///< the output layer uses the token embeddings
  std::string position = "learned";
  double rotary_base = 10000;              ///< rope: base of the rotation frequencies
  double rotary_share = 1;                 ///< rope: share of each head's columns that are rotated
  bool parallel_residual = false;          ///< attention and feed-forward both see the layer's input, as GPT-NeoX's
  std::int64_t segments = 2;               ///< bert: kinds of segments
  std::string attention_start = "random";  ///< bert: what fresh attention looks at: random or neighbours
  bool pooler = true;                      ///< bert: whole sequences are judged by a layer over the first token
  double norm_epsilon = 1e-5;
  bool attention_scale = true;         ///< scores by 1/sqrt(head width)
  bool attention_layer_scale = false;  ///< and by 1/(layer + 1)
  double dropout = 0;
  std::optional<double> embedding_dropout;  ///< as dropout unless set
  std::optional<double> attention_dropout;  ///< as dropout unless set
  std::optional<double> residual_dropout;   ///< as dropout unless set
  std::string init;  ///< start from these weights: run folder, checkpoint or Hugging Face directory

  // Batch
  std::int64_t batch = 12;        ///< sequences in one forward pass
  std::int64_t batch_tokens = 0;  ///< as many sequences as have at most so many tokens; 0: by --batch
  std::int64_t accumulate = 1;    ///< forward passes in one update
  bool recompute = false;         ///< keep one activation a block and compute the others again: less memory, more time

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
  double most_epochs = 0;  ///< at which the updates that fit into the minutes end; 0: no limit
  std::int64_t tokens = 0;
  double minutes = 0;
  double planned_minutes = 0;      ///< what `steps` was chosen to fill
  std::int64_t stretch_start = 0;  ///< update after which the schedule began anew (resume.h)

  // What happens how often
  Period log_every = Period::updates(10);
  Period eval_every = Period::updates(250);
  std::int64_t eval_tokens = 0;       ///< held-out tokens that a validation reads; 0: all
  std::int64_t last_eval_tokens = 0;  ///< the last one; 0: all
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
  double head_dropout_rate() const { return head_dropout.value_or(dropout); }
  /// Whether it learns from labels, and not from text alone.
  bool is_labelled() const { return task != "lm" && !masks_words() && task != "embed"; }
  bool masks_words() const { return task == "mlm" || task == "mlm-nsp"; }
  /// Whether --tokenizer names a kind that is trained on the data, and not a tokenizer that exists.
  bool learns_tokenizer() const;
  /// Tokens of a training sequence at most.
  std::int64_t longest_sequence() const { return max_length > 0 && max_length < context ? max_length : context; }
};

/// Kinds of tokenizers that a run can train on its data.
inline constexpr std::array<std::string_view, 5> kTokenizerKinds = {"char", "byte", "byte-bpe", "bpe", "wordpiece"};

/// Checks settings whose value is a name: of a tokenizer, a metric, a task of GLUE. Needs neither data nor model.
/// \throws UsageError, MissingInputError  with the nearest name there is
void require_known_names(const TrainConfig& config);

/// Checks what no single setting can see: the model's structure and settings that exclude or need each other.
/// \throws UsageError  naming the flags, what must hold and a value that would do
void validate(const TrainConfig& config);

}  // namespace rapt
