#include "train/settings/train_config.h"

#include <algorithm>
#include <bit>
#include <filesystem>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"
#include "text/labelled/glue.h"
#include "train/metrics/metric.h"
#include "train/metrics/text_metric.h"
#include "train/settings/numbers.h"

namespace rapt {

static void require(bool holds, const std::string& message) {
  if (!holds) throw UsageError(message);
}

static std::string n(std::int64_t value) { return std::to_string(value); }

static void validate_heads(const TrainConfig& c) {
  if (!c.has_heads()) return;
  if (c.width % c.heads != 0) {
    const std::int64_t below = c.width / c.heads * c.heads, above = below + c.heads;
    throw UsageError("--width " + n(c.width) + " must be a multiple of --heads " + n(c.heads) + "; try --width " +
                     (below > 0 ? n(below) + " or " : "") + n(above));
  }
  const std::int64_t head_width = c.width / c.heads;
  const auto turned = static_cast<std::int64_t>(static_cast<double>(head_width) * c.rotary_share);
  require(c.position != "rope" || c.rotary_share < 1 || head_width % 2 == 0,
          "--position rope needs an even width of each head, got " + n(head_width) + " (--width " + n(c.width) +
              " / --heads " + n(c.heads) + "); try --width " + n(c.width + c.heads));
  require(c.position == "rope" || (c.rotary_share == 1 && c.rotary_base == 10000),
          "--rotary-share and --rotary-base require --position rope, got --position " + c.position);
  require(c.position != "rope" || (turned >= 2 && turned % 2 == 0),
          "--rotary-share must give an even number of each head's " + n(head_width) + " columns, got " + n(turned) +
              "; try --rotary-share 1");
  require(c.position != "sinusoidal" || c.width % 2 == 0,
          "--position sinusoidal needs an even --width, got " + n(c.width) + "; try --width " + n(c.width + 1));
}

static void validate_optimizer(const TrainConfig& c) {
  require(c.min_learning_rate <= c.learning_rate, "--min-learning-rate " + print_number(c.min_learning_rate) +
                                                      " must not be above --learning-rate " +
                                                      print_number(c.learning_rate));
  require(!c.nesterov || c.momentum > 0, "--nesterov needs --momentum above 0; try --momentum 0.9");
  require(c.optimizer == "sgd" || (c.momentum == 0 && !c.nesterov),
          "--momentum requires --optimizer sgd, got --optimizer " + c.optimizer + "; set --beta1 instead");
  require(c.optimizer != "sgd" || c.optimizer_precision == "f32",
          "--optimizer-precision bf16 requires --optimizer adamw or adam, got --optimizer sgd; leave it out");
}

static void validate_length(const TrainConfig& c) {
  const std::int64_t steps = c.steps - c.stretch_start;
  if (steps > 0 && c.warmup.unit == Period::Unit::kUpdates)
    require(c.warmup.amount <= static_cast<double>(steps),
            "--warmup " + to_string(c.warmup) + " must not be longer than the run, got --steps " + n(c.steps));
  if (steps > 0 && c.schedule == "wsd") {
    const std::int64_t warmup = length_in_updates(c.warmup, steps), decay = length_in_updates(c.decay, steps);
    require(warmup + decay <= steps, "--warmup " + to_string(c.warmup) + " and --decay " + to_string(c.decay) +
                                         " together must not be longer than the run, got --steps " + n(c.steps));
  }
}

static void validate_validation(const TrainConfig& c) {
  const bool validates = !c.validation_files().empty() || c.validation_fraction > 0;
  const std::vector<std::string> files = c.training_files();
  const bool reads_data = std::ranges::find(files, "-") != files.end();
  require(c.validation_data != "-" || !reads_data,
          "--validation-data - and the data cannot both be standard input; give a file for one of them");
  require(c.early_stop == 0 || validates,
          "--early-stop needs validation data; give --validation-data FILE or --validation-fraction above 0");
  require(c.schedule != "plateau" || (validates && !c.eval_every.never()),
          "--schedule plateau needs validation data and --eval-every; give --validation-data FILE or "
          "--validation-fraction above 0");
  require(c.average_last == 0 || !c.save_every.never(),
          "--average-last averages checkpoints, so it needs --save-every; try --save-every 250");
  require(c.early_stop == 0 || !c.eval_every.never(), "--early-stop needs --eval-every; try --eval-every 250");
}

static void validate_pairs(const TrainConfig& c) {
  if (!c.has_source()) return;
  require(c.valid_source.empty() || c.validation_data.empty(),
          "--valid-source and --validation-data exclude each other; give one of them");
  require(c.copy_epochs == 0 || c.shared_vocabulary,
          "--copy-epochs needs one vocabulary, because passages of the sources become targets; leave it out, or give "
          "--shared-vocabulary on");
  for (const auto& [name, longest] : {std::pair{"source", c.max_source_length}, {"target", c.max_target_length}}) {
    require(longest <= c.context, "--max-" + std::string(name) + "-length must be at most the context, which is " +
                                      n(c.context) + ", got " + n(longest) + "; raise --context");
    require(longest != 1,
            "--max-" + std::string(name) + "-length must be at least 2, for a token and a special token, got 1");
  }
}

static void validate_adapters(const TrainConfig& c) {
  if (c.lora_rank == 0) return;
  require(!c.init.empty(),
          "--lora-rank needs --init MODEL, because only the adapters are trained; give one, or leave --lora-rank out");
  require(c.reset_layers == 0,
          "--reset-layers and --lora-rank exclude each other: all weights of a reinitialised block must be trained");
}

std::vector<std::string> TrainConfig::text_metrics() const {
  std::vector<std::string> names;
  if (has_source())
    std::ranges::copy_if(valid_metrics, std::back_inserter(names), [](const auto& n) { return n != "loss"; });
  return names;
}

bool TrainConfig::learns_tokenizer() const {
  return std::ranges::find(kTokenizerKinds, tokenizer) != kTokenizerKinds.end();
}

// Aligned files in turns, and then the tables.
static std::vector<std::string> in_turns(const std::vector<std::string>& sources,
                                         const std::vector<std::string>& targets, std::vector<std::string> tables) {
  std::vector<std::string> files;
  for (std::size_t i = 0; i < std::min(sources.size(), targets.size()); ++i) {
    files.insert(files.end(), {sources[i], targets[i]});
  }
  files.insert(files.end(), tables.begin(), tables.end());
  return files;
}

std::vector<std::string> TrainConfig::training_files() const { return in_turns(source, target, data); }

std::vector<std::string> TrainConfig::validation_files() const {
  return in_turns(valid_source, valid_target,
                  validation_data.empty() ? std::vector<std::string>{} : std::vector{validation_data});
}

static void require_tokenizer_name(const TrainConfig& c) {
  if (c.learns_tokenizer() || std::filesystem::exists(c.tokenizer)) return;
  if (c.tokenizer == "init") {
    return require(!c.init.empty(),
                   "--tokenizer init means the tokenizer of --init, which is not given; give --init MODEL");
  }
  const bool is_path = c.tokenizer.find_first_of("./") != std::string::npos;
  if (is_path) throw MissingInputError(escape_for_terminal(c.tokenizer) + ": no such file (--tokenizer)");
  const std::vector<std::string> kinds(kTokenizerKinds.begin(), kTokenizerKinds.end());
  throw UsageError("--tokenizer must be a file or one of " + joined(kTokenizerKinds) + ", got " +
                   in_quotes(c.tokenizer) + did_you_mean(c.tokenizer, kinds));
}

void require_known_names(const TrainConfig& config) {
  require_tokenizer_name(config);
  if (!config.metric.empty() && config.metric != "loss") static_cast<void>(metric_info(config.metric));
  if (!config.glue.empty()) static_cast<void>(glue_task(config.glue));
  for (const std::string& name : config.text_metrics()) static_cast<void>(make_text_metric(name));
}

static void validate_task(const TrainConfig& c) {
  require(c.objective() != Objective::kNone,
          "--task embed names a model without a head, which has nothing to train; give another --task, or use rapt "
          "embed MODEL for embeddings");
}

static void validate_shards(const TrainConfig& c) {
  require(std::has_single_bit(static_cast<std::uint64_t>(c.shards)),
          "--shards must be a power of two, got " + n(c.shards) + "; the nearest is " +
              n(static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(c.shards)))));
}

void validate(const TrainConfig& config) {
  validate_task(config);
  validate_shards(config);
  validate_heads(config);
  validate_optimizer(config);
  validate_length(config);
  validate_validation(config);
  validate_pairs(config);
  validate_adapters(config);
}

}  // namespace rapt
