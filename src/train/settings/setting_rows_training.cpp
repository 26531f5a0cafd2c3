// Settings of the optimiser, the schedule, the length of a run, its periods, and the system.
#include <stdexcept>

#include "io/escape.h"
#include "train/settings/setting_kinds.h"
#include "train/settings/setting_rows.h"

namespace rapt {

using namespace setting_kinds;
using Config = TrainConfig;

static void set_betas(Config& c, const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos)
    throw std::invalid_argument("must be two numbers separated by a comma, got " + in_quotes(text));
  c.beta1 = parse_number(text.substr(0, comma), kRate);
  c.beta2 = parse_number(text.substr(comma + 1), kRate);
}

static void set_warmup_ratio(Config& c, const std::string& text) {
  const double share = parse_number(text, {0, 1});
  c.warmup = share == 0 ? Period{} : Period{Period::Unit::kShare, share * 100};
}

void add_optimiser(SettingTable& t) {
  t.group("batch");
  t.common(whole("batch", &Config::batch, 1, "sequences per forward pass", 1 << 24),
           {"batch-size", "train-batch-size", "per-device-train-batch-size", "mini-batch"});
  t.add(whole("batch-tokens", &Config::batch_tokens, 0,
              "maximum tokens per forward pass, instead of --batch; 0: use --batch"),
        {"max-tokens-per-batch", "mini-batch-words"});
  t.add(whole("accumulate", &Config::accumulate, 1, "forward passes per update", 1 << 24),
        {"gradient-accumulation-steps", "grad-accum", "update-freq", "optimizer-delay"});
  Setting& recompute =
      t.add(on_off("recompute", &Config::recompute, "recompute activations in the backward pass to save memory"),
            {"gradient-checkpointing", "activation-checkpointing"});
  recompute.applies = [](const Config& c) { return c.has_heads(); };
  recompute.applies_to = "--model gpt2, gpt1, bert and transformer";
  t.group("optimiser");
  t.add(choice("optimizer", &Config::optimizer, {"adamw", "adam", "sgd"}, "optimiser",
               {{"adamw-torch", "adamw"}, {"adamw-hf", "adamw"}}),
        {"optim", "optimiser"});
  t.common(number("learning-rate", &Config::learning_rate, kPositive, "peak learning rate"),
           {"lr", "learn-rate", "max-lr"});
  t.add(
      number("min-learning-rate", &Config::min_learning_rate, kNotNegative, "learning rate at the end of the schedule"),
      {"min-lr", "end-learning-rate"});
  t.add(number("beta1", &Config::beta1, kRate, "Adam: decay rate of the mean gradient"), {"adam-beta1"});
  t.add(number("beta2", &Config::beta2, kRate, "Adam: decay rate of the mean squared gradient"), {"adam-beta2"});
  t.add(choice("optimizer-precision", &Config::optimizer_precision, {"f32", "bf16"},
               "Adam: type in which its moments are stored; bf16 takes 4 bytes less per parameter"));
  t.add(shorthand("betas", "X,X", "beta1 and beta2 in one option: 0.9,0.95", set_betas),
        {"adam-betas", "optimizer-params"});
  t.add(number("epsilon", &Config::epsilon, kPositive, "Adam: constant added to the denominator"),
        {"eps", "adam-epsilon", "adam-eps"});
  t.add(number("weight-decay", &Config::weight_decay, kNotNegative,
               "weight decay of matrices; biases and norms are not decayed"),
        {"wd"});
  t.add(on_off("bias-correction", &Config::bias_correction, "Adam: bias correction of both means"), {"correct-bias"});
  t.add(number("momentum", &Config::momentum, kRate, "momentum of --optimizer sgd"));
  t.add(on_off("nesterov", &Config::nesterov, "Nesterov momentum, with --optimizer sgd"));
  t.add(number("clip", &Config::clip, kNotNegative, "maximum global gradient norm; 0: no clipping"),
        {"grad-clip", "max-grad-norm", "clip-norm", "gradient-clip-val"});
  t.add(number("ema", &Config::ema, kRate,
               "decay of a moving average of the weights, which is validated and exported: 0.999; 0: none"),
        {"exponential-smoothing", "ema-decay"});
  t.add(number("label-smoothing", &Config::label_smoothing, kRate,
               "share of the target probability spread over all tokens"),
        {"label-smoothing-factor"});
}

void add_schedule(SettingTable& t) {
  t.group("schedule");
  t.common(
      choice("schedule", &Config::schedule, {"constant", "linear", "cosine", "inverse-sqrt", "noam", "plateau", "wsd"},
             "learning-rate schedule after the warm-up",
             {{"inv-sqrt", "inverse-sqrt"}, {"reduce-lr-on-plateau", "plateau"}, {"warmup-stable-decay", "wsd"}}),
      {"lr-scheduler-type", "lr-scheduler", "lr-schedule"});
  t.common(period("warmup", &Config::warmup, PeriodKind::kLength,
                  "length of the warm-up: updates (100) or share of the run (10%)"),
           {"warmup-steps", "warmup-iters", "num-warmup-steps", "lr-warmup", "warmup-updates"});
  t.add(shorthand("warmup-ratio", "X", "--warmup as a share of the run: 0.1", set_warmup_ratio));
  t.add(period("decay", &Config::decay, PeriodKind::kLength, "length of the final decay of --schedule wsd"),
        {"wsd-decay", "cooldown"});
  t.group(
      "schedule", [](const Config& c) { return c.schedule == "plateau"; }, "--schedule plateau");
  t.add(number("plateau-factor", &Config::plateau_factor, {0, 1, false, false},
               "factor of the learning rate after --plateau-patience validations without improvement"),
        {"lr-shrink"});
  t.add(whole("plateau-patience", &Config::plateau_patience, 1,
              "validations without improvement before --schedule plateau lowers the learning rate"),
        {"lr-patience"});
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
  t.add(whole("average-last", &Config::average_last, 0,
              "at the end, also try the average of the last N checkpoints; 0: no average", 1000),
        {"avg-last", "average-checkpoints"});
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
  t.common(choice("precision", &Config::precision, {"f32", "bf16", "auto"},
                  "type of the operands of products; bf16 is faster with AVX512-BF16 or AMX; auto: the faster one"));
  t.common_free(
      text("preset", &Config::preset, "NAME", "use the settings of a known recipe; rapt params lists the recipes"),
      {"recipe"});
  t.add(
      whole("shards", &Config::shards, 1,
            "parts of each update whose gradients are computed separately, a power of two; a run has the same bits on "
            "any number of processes up to this. Default under mpirun: the number of processes",
            1 << 16));
  t.free(number("peer-timeout", &Config::peer_timeout, kPositive,
                "seconds after which a process of the run that is not heard of counts as lost"));
  t.free(whole("check-every", &Config::check_every, 0,
               "updates between comparisons of the weights of all processes; 0: never"));
  t.add(choice("size", &Config::size, {"tiny", "mini", "small", "base"},
               "set layers, heads, width and context by one word"));
}

}  // namespace rapt
