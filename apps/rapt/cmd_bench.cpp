// rapt bench gemm, step: times matrix products and whole updates of a GPT, and compares them with the machine's peak.
#include <fmt/format.h>

#include <optional>

#include "bench_updates.h"
#include "commands.h"
#include "io/json.h"
#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "terminal.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/optimise/trainer.h"
#include "train/settings/presets.h"
#include "train/tasks/machine.h"

namespace rapt::app {
namespace {

// ------------------------------------------------------------------------------------------------------------- gemm

struct Product {
  const char* name;
  Dim M, N, K;
  Transpose a, b;
};

constexpr Transpose kNo = Transpose::kNo, kYes = Transpose::kYes;

// The products of an update: forward (NT), gradient of the input (NN) and of the weight (TN), by workload.
constexpr Product kProducts[] = {
    {"width 128, 768 rows, forward", 768, 384, 128, kNo, kYes},
    {"width 128, 768 rows, input", 768, 128, 384, kNo, kNo},
    {"width 128, 768 rows, weight", 384, 128, 768, kYes, kNo},
    {"width 384, 4096 rows, forward", 4096, 1152, 384, kNo, kYes},
    {"width 384, 4096 rows, weight", 1152, 384, 4096, kYes, kNo},
    {"width 768, 256 rows, forward", 256, 2304, 768, kNo, kYes},
    {"width 768, 256 rows, input", 256, 768, 3072, kNo, kNo},
    {"width 768, 256 rows, weight", 3072, 768, 256, kYes, kNo},
    {"width 768, 1024 rows, forward", 1024, 3072, 768, kNo, kYes},
    {"head, 256 rows, forward", 256, 50257, 768, kNo, kYes},
    {"head, 256 rows, input", 256, 768, 50257, kNo, kNo},
    {"head, 256 rows, weight", 50257, 768, 256, kYes, kNo},
    {"one row (decoding)", 1, 2304, 768, kNo, kYes},
    {"sixteen rows (decoding)", 16, 2304, 768, kNo, kYes},
};

double product_seconds(const Product& p) {
  const Tensor a = Tensor::full({p.M * p.K}, 0.5), b = Tensor::full({p.K * p.N}, 0.25);
  Tensor c = Tensor::empty({p.M, p.N});
  const Matrix<const float> A =
      p.a == kYes ? Matrix<const float>(a.data<float>(), p.K, p.M) : Matrix<const float>(a.data<float>(), p.M, p.K);
  const Matrix<const float> B =
      p.b == kYes ? Matrix<const float>(b.data<float>(), p.N, p.K) : Matrix<const float>(b.data<float>(), p.K, p.N);
  const auto once = [&] { matmul<float>({c.data<float>(), p.M, p.N}, A, p.a, B, p.b, Write::kAssign); };
  once();
  std::vector<double> times;
  const Clock::time_point start = Clock::now();
  while (times.size() < 5 || (seconds_since(start) < 0.2 && times.size() < 2000)) {
    const Clock::time_point began = Clock::now();
    once();
    times.push_back(seconds_since(began));
  }
  return median(times);
}

int run_bench_gemm(const Arguments& arguments) {
  const bool json = arguments.has("json");
  const double peak = measure_sgemm_peak();
  if (!json) {
    out(fmt::format("{}\n{} threads, sgemm peak {:.1f} GFLOP/s, memory {:.1f} GB/s\n\n", matmul_provider(),
                    thread_count(), peak * 1e-9, measure_read_bandwidth() * 1e-9));
  }
  Json rows = Json::array();
  for (const Product& p : kProducts) {
    const double seconds = product_seconds(p);
    const double rate = 2.0 * static_cast<double>(p.M * p.N * p.K) / seconds;
    if (!json) {
      out(fmt::format("{:<32}{:>6} x {:>5} x {:>5}  {:>8.3f} ms {:>8.1f} GFLOP/s {:>4.0f} % of peak\n", p.name, p.M,
                      p.N, p.K, seconds * 1e3, rate * 1e-9, 100 * rate / peak));
    }
    rows.push_back(
        {{"name", p.name}, {"m", p.M}, {"n", p.N}, {"k", p.K}, {"ms", seconds * 1e3}, {"gflops", rate * 1e-9}});
  }
  if (json) {
    Json all;
    all["provider"] = matmul_provider();
    all["threads"] = thread_count();
    all["peak_gflops"] = peak * 1e-9;
    all["products"] = rows;
    out(all.dump() + "\n");
  }
  return 0;
}

// ------------------------------------------------------------------------------------------------------------- step

// Batches of random tokens, as in ../shared/bench/gpt_step.py.
TrainingData random_data(const TrainConfig& config, Dim vocabulary) {
  TrainingData data;
  data.train = [=](std::int64_t first, Dim count) {
    const Dim T = config.context;
    std::vector<std::int32_t> tokens, targets;
    for (Dim b = 0; b < count; ++b) {
      Rng rng(random_key(1, Purpose::kText, static_cast<std::uint64_t>(first + b)));
      const auto draw = [&] { return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocabulary))); };
      std::int32_t next = draw();
      for (Dim i = 0; i < T; ++i) {
        tokens.push_back(next);
        next = draw();
        targets.push_back(next);
      }
    }
    const std::vector<Dim> lengths(static_cast<std::size_t>(count), T);
    return Batch{.input = make_stream(lengths, tokens),
                 .targets = {.rows = all_rows(count * T), .ids = Tensor::from(targets, {count * T})}};
  };
  return data;
}

int run_bench_step(const Arguments& arguments) {
  check_matmul_provider();
  const std::string name = arguments.text("preset", "char-cpu");
  std::vector<FlagValue> flags;
  for (const auto& [setting, value] : find_bench_preset(name).settings) flags.push_back({setting, {value}});
  for (const FlagValue& flag : arguments.settings()) {
    if (flag.name != "preset" && flag.name != "steps") flags.push_back(flag);
  }
  const TrainConfig config = layer_config("", "", flags).values;
  validate(config);
  const std::int64_t steps = arguments.whole("steps", 8, 1), warmup = arguments.whole("warm", 2, 0);
  const double peak = measure_sgemm_peak();
  release_unused_memory();

  Initializer init(static_cast<std::uint64_t>(config.seed));
  AnyNetwork network(network_config(config, config.vocabulary), init);
  Trainer trainer(config, network.network(), random_data(config, config.vocabulary), warmup + steps);
  std::optional<Profile> profile;
  if (arguments.has("profile")) profile.emplace();
  const UpdateTimes times = time_updates(trainer, warmup, steps, profile ? &*profile : nullptr);
  print_updates(report_updates(fmt::format("gpt {} B{} T{}", name, config.batch, config.context), times,
                               model_size(config, config.vocabulary).flop_per_token, peak),
                profile ? &*profile : nullptr, arguments.has("json"));
  return 0;
}

}  // namespace

Command bench_gemm_command() {
  return {.name = "bench gemm",
          .summary = "time the matrix products of training against the machine's peak",
          .examples = {"rapt bench gemm", "rapt bench gemm --threads 1"},
          .options = {{.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"}},
          .run = run_bench_gemm};
}

Command bench_step_command() {
  std::vector<Option> options =
      setting_options({"preset", "batch", "context", "steps", "layers", "heads", "width", "vocabulary", "dropout",
                       "accumulate", "recompute", "optimizer-precision", "seed"});
  for (Option& option : options) option.group.clear();
  for (Option& option : update_options()) options.push_back(std::move(option));
  return {.name = "bench step",
          .summary = "time updates of a GPT on random tokens; presets char-cpu, char, gpt2, gpt2-dropout",
          .examples = {"rapt bench step --preset gpt2 --batch 4 --context 64 --steps 8 --json"},
          .options = options,
          .run = run_bench_step};
}

}  // namespace rapt::app
