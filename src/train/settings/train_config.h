// Every setting of a training run, with its default. settings.h names, documents, reads and prints them, one row each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/precision.h"
#include "train/settings/period.h"
#include "train/settings/task_words.h"

namespace rapt {

/// The settings of a run. Choices are stored as the words on the command line; setting_rows_*.cpp list the allowed
/// words.
struct TrainConfig {
  // Task
  std::string task = "lm";          ///< one of task_words()
  std::vector<std::string> labels;  ///< names of the classes, in the order of the outputs; read from the data
  std::vector<std::string> valid_metrics = {"loss"};  ///< of translation and summarisation: loss, and text_metric.h's
  std::string metric;  ///< metric that selects the best checkpoint; empty: the task's default

  std::string glue;  ///< a GLUE task, whose column layout is known: sst2, cola ...

  // Data
  std::vector<std::string> data;      ///< files, folders, `-` for standard input
  std::string text_field = "text";    ///< JSON lines field that holds the text
  std::string text_column;            ///< of labelled data: column of the text; empty: detected
  std::string pair_column;            ///< column of the second text; empty: detected, or none
  std::string label_column;           ///< column of the label; empty: detected
  std::optional<bool> header;         ///< a table's first line holds the column names; empty: detected
  std::string format;                 ///< format of the data files: text, tsv, jsonl ...; empty: detected
  std::string label_separator = ",";  ///< between the labels of one example
  std::string documents = "file";     ///< unit of a document: file, line, paragraph
  std::string validation_data;        ///< a file; empty: the last part of the training data
  double validation_fraction = 0.1;   ///< share of the data that is held out if there is no validation_data
  std::string sampling_order =
      "random";  ///< random: windows anywhere; epoch: each once per pass; documents: each document is a sequence

  // Pairs of texts: translation, summarisation. Tables of pairs are in `data`
  std::vector<std::string> source, target;              ///< line-aligned files, one to one
  std::vector<std::string> valid_source, valid_target;  ///< the same for validation; empty: a part of the pairs
  std::string source_field, target_field;  ///< columns or fields of a table; empty: common names, or columns 1 and 2
  std::int64_t max_source_length = 0;      ///< maximum tokens of a source and its end token; 0: the context
  std::int64_t max_target_length = 0;      ///< maximum tokens of a target and its start token; 0: the context
  double max_length_ratio = 0;             ///< pairs with longer sides, relative to each other, are left out; 0: none
  bool shared_vocabulary = true;           ///< one vocabulary for source and target
  double bpe_dropout = 0;                  ///< probability of leaving out a merge when training texts are tokenised

  double copy_epochs = 0;  ///< passes, first, in which the targets are passages of their sources

  // Pretraining of masked words
  double mlm_probability = 0.15;     ///< share of the tokens that are predicted
  std::int64_t max_predictions = 0;  ///< per sequence; 0: as many as the share gives
  bool whole_word = false;           ///< the tokens of a word are masked together
  std::string masking = "dynamic";   ///< dynamic: new masks in each epoch; static: fixed
  std::int64_t dupe_factor = 10;     ///< number of times each document is cut into different pairs
  std::int64_t document_lines = 32;  ///< paragraphs with fewer lines are joined with the next one into one document
  double short_sequences = 0.1;      ///< share of sequences shorter than the full length

  // Fine-tuning
  bool self_pretrain = true;           ///< from scratch: masked words before labels
  std::int64_t max_length = 0;         ///< maximum tokens per example, longer ones are truncated; 0: the context
  std::int64_t stride = 128;           ///< tokens between the starts of two windows over a long text (qa)
  std::vector<std::string> freeze;     ///< parameters to freeze: embeddings, backbone, blocks (0, 0-3), names with *
  double layer_rate_decay = 1;         ///< learning rate of each block relative to the one above it
  std::int64_t reset_layers = 0;       ///< number of top blocks to reinitialise
  double language_model_weight = 0;    ///< of a GPT's language-model loss beside the task loss
  std::optional<double> head_dropout;  ///< before the head; default: dropout
  std::int64_t lora_rank = 0;          ///< 0: no adapters
  double lora_alpha = 16;
  double lora_dropout = 0;
  std::vector<std::string> lora_targets = {"query", "value"};

  // Tokenizer
  std::string tokenizer = "char";  ///< a file, a kind to train on the data (kTokenizerKinds), or init: that of --init
  bool lowercase = true;           ///< train a lower-case vocabulary, if its kind can be
  std::int64_t min_frequency = 2;  ///< count from which a word is a token, and a pair of symbols is merged
  std::int64_t vocabulary = 8000;  ///< entries of a trained BPE vocabulary, including special tokens

  // Model
  std::string model = "gpt2";  ///< one of the names of a model family: train/models/family.h
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  std::int64_t feed_forward = 0;  ///< 0: four times the width
  std::int64_t context = 256;     ///< maximum sequence length, in tokens
  std::string activation = "gelu-tanh";
  bool bias = true;
  bool tie = true;  ///< the output layer uses the token embeddings
  std::string position = "learned";
  double rotary_base = 10000;              ///< rope: base of the rotation frequencies
  double rotary_share = 1;                 ///< rope: share of each head's columns that are rotated
  bool parallel_residual = false;          ///< attention and feed-forward both take the layer's input, as in GPT-NeoX
  std::int64_t segments = 2;               ///< bert: number of segment types
  std::string attention_start = "random";  ///< bert: initial attention: random or neighbours
  bool pooler = true;                      ///< bert: a layer over the first token, for whole sequences
  double norm_epsilon = 1e-5;
  bool attention_scale = true;         ///< scores by 1/sqrt(head width)
  bool attention_layer_scale = false;  ///< and by 1/(layer + 1)
  double dropout = 0;
  std::optional<double> embedding_dropout;  ///< default: dropout
  std::optional<double> attention_dropout;  ///< default: dropout
  std::optional<double> residual_dropout;   ///< default: dropout
  // Encoder-decoders
  std::int64_t decoder_layers = 0;        ///< 0: as many as `layers`, which then are the encoder's
  std::int64_t decoder_heads = 0;         ///< 0: as many as `heads`
  std::int64_t decoder_feed_forward = 0;  ///< 0: as wide as the encoder's
  std::string norm = "post";              ///< transformer: norms before (pre) or after (post) each sublayer's addition
  bool embedding_norm = false;            ///< transformer: a norm after the embeddings, as in BART
  bool embedding_scale = true;            ///< transformer: token embeddings times sqrt(width)
  std::string embedding_init = "normal";  ///< transformer: new tables: normal, with std 1/sqrt(width), or glorot
  bool tie_source = true;                 ///< one table of tokens for a vocabulary that source and target share
  std::string head_bias = "off";          ///< transformer: bias of the output layer: off, on, fixed (not trained)
  std::int64_t position_offset = 0;       ///< rows of the table of positions before the first position; 2 in BART
  std::int64_t start_token = 0;           ///< id before the first token of a target text
  std::int64_t end_token = 2;             ///< id after the last token of source and target texts
  std::int64_t pad_token = 1;             ///< id of padding, which only other programs use
  std::int64_t forced_first_token = -1;   ///< id that every generated text starts with, after start_token; -1: none
  // Recurrent networks
  std::int64_t embedding_width = 0;  ///< 0: as `width`
  std::string attention = "none";    ///< of a decoder: none, context, additive, dot, general, concat
  bool input_feeding = false;        ///< the decoder's cells also read the attention of the step before
  bool bidirectional = false;        ///< the encoder reads in both directions
  double init_range = 0;             ///< new weights are uniform within +- this; 0: 1 / sqrt(width)
  double init_std = 0;               ///< or normal with this standard deviation, and biases zero; 0: see init_range

  std::optional<double> activation_dropout;  ///< inside the feed-forward layers; default: 0
  std::string init;  ///< start from these weights: run folder, checkpoint or Hugging Face directory

  // Batch
  std::int64_t batch = 12;        ///< sequences per forward pass
  std::int64_t batch_tokens = 0;  ///< maximum tokens per forward pass; 0: use batch
  std::int64_t accumulate = 1;    ///< forward passes per update
  bool recompute = false;         ///< recompute activations in the backward pass: less memory, more time

  // Optimiser
  std::string optimizer = "adamw";
  double learning_rate = 1e-3;
  double min_learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.95;
  std::string optimizer_precision = "f32";  ///< type in which Adam's moments are stored: f32 or bf16
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  bool bias_correction = true;
  double momentum = 0;
  bool nesterov = false;
  double clip = 1;  ///< maximum global gradient norm; 0: no clipping
  double label_smoothing = 0;
  double ema = 0;  ///< decay of a moving average of the weights; 0: none

  // Schedule
  std::string schedule = "cosine";
  Period warmup;                           ///< updates or a share of the run
  Period decay{Period::Unit::kShare, 20};  ///< length of wsd's final decay
  double plateau_factor = 0.5;             ///< plateau: factor of the learning rate ...
  std::int64_t plateau_patience = 1;       ///< ... after this many validations without improvement

  // Length: whichever comes first; 0 means no limit
  std::int64_t steps = 0;
  double epochs = 0;
  double most_epochs = 0;  ///< maximum passes over the data in a run given in minutes; 0: no limit
  std::int64_t tokens = 0;
  double minutes = 0;
  double planned_minutes = 0;      ///< the minutes for which `steps` was chosen
  std::int64_t stretch_start = 0;  ///< update at which the schedule restarted (resume.h)

  // Periods
  Period log_every = Period::updates(10);
  Period eval_every = Period::updates(250);
  std::int64_t eval_tokens = 0;       ///< held-out tokens per validation; 0: all
  std::int64_t last_eval_tokens = 0;  ///< of the last validation; 0: all
  Period save_every = Period::updates(250);
  Period sample_every;
  std::string sample_prompt;
  std::int64_t sample_tokens = 100;
  std::int64_t early_stop = 0;    ///< stop after this many validations in a row without improvement; 0: never
  std::int64_t average_last = 0;  ///< checkpoints whose average is tried at the end; 0: none
  std::int64_t keep_last = 2;     ///< checkpoints kept in addition to the best

  // System
  std::string out;  ///< the run folder; empty: runs/<name of the first data file>
  std::int64_t seed = 1;
  std::int64_t threads = 0;        ///< 0: all cores this process may use
  std::string precision = "f32";   ///< operands of products: f32, bf16, or auto until it is measured
  std::int64_t shards = 1;         ///< parts of an update whose gradients are computed separately; a power of two
  double peer_timeout = 30;        ///< seconds
  std::int64_t check_every = 100;  ///< updates; 0: never
  std::string preset;              ///< origin of the defaults; unused once the settings are written out
  std::string size;                ///< tiny, mini, small, base: sets layers, heads, width and context

  bool operator==(const TrainConfig&) const = default;

  std::int64_t feed_forward_width() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  double embedding_dropout_rate() const { return embedding_dropout.value_or(dropout); }
  double attention_dropout_rate() const { return attention_dropout.value_or(dropout); }
  double activation_dropout_rate() const { return activation_dropout.value_or(0); }
  double residual_dropout_rate() const { return residual_dropout.value_or(dropout); }
  /// The meaning of --task. \throws UsageError  for an unknown word
  Objective objective() const { return find_task_word(task).objective; }
  bool is_labelled() const { return objective() == Objective::kLabels; }
  bool masks_words() const { return rapt::masks_words(objective()); }
  /// \pre precision is not auto
  Precision operands() const { return precision == "bf16" ? Precision::kBf16 : Precision::kF32; }
  /// Whether the model consists of attention blocks; others are recurrent.
  bool has_heads() const { return model != "lstm" && model != "gru"; }
  /// Whether the run learns target texts from source texts: translation, summarisation.
  bool has_source() const { return objective() == Objective::kTargetText; }
  /// The metrics of --valid-metrics that compare texts.
  std::vector<std::string> text_metrics() const;
  /// Whether --tokenizer names a kind to train on the data, and not an existing tokenizer.
  bool learns_tokenizer() const;
  /// Maximum number of tokens per training sequence.
  std::int64_t longest_sequence() const { return max_length > 0 && max_length < context ? max_length : context; }
  std::int64_t longest_source() const { return max_source_length > 0 ? max_source_length : context; }
  std::int64_t longest_target() const { return max_target_length > 0 ? max_target_length : context; }
  /// Files that a run trains on, and those that it validates on: of aligned files, each source before its target.
  std::vector<std::string> training_files() const;
  std::vector<std::string> validation_files() const;
};

/// The kinds of tokenizers that a run can train on its data.
inline constexpr std::array<std::string_view, 8> kTokenizerKinds = {"char",      "byte",          "byte-bpe", "bpe",
                                                                    "wordpiece", "metaspace-bpe", "unigram",  "word"};

/// Checks settings whose value is a name: a tokenizer, a metric, a GLUE task. Needs neither data nor model.
/// \throws UsageError, MissingInputError  with the most similar existing name
void require_known_names(const TrainConfig& config);

/// Checks constraints between settings: the model's structure, and settings that exclude or require each other.
/// \throws UsageError  naming the options, the requirement and a valid value
void validate(const TrainConfig& config);

}  // namespace rapt
