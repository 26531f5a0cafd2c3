// Masked-word pretraining and fine-tuning: a run that is interrupted anywhere and resumed, on one thread or two, ends
// with the same bits as an uninterrupted one.
#include <doctest/doctest.h>

#include "support/run_checks.h"
#include "support/thread_counts.h"
#include "support/with_precision.h"
#include "tensor/error.h"
#include "text/corpus/stories.h"
#include "train/files/checkpoint.h"
#include "train/files/pretrained.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

std::vector<FlagValue> with(std::vector<FlagValue> flags, const std::vector<FlagValue>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

// Masked words and next sentences, with every feature that could break exactness.
RunRequest masked_words(const TemporaryFolder& folder, const std::string& out,
                        const std::vector<FlagValue>& more = {}) {
  const std::string text = folder / "stories.txt";
  if (!std::filesystem::exists(text)) write_plainly(text, generate_stories(1, 30000));
  return run_of(with({{"data", {text}},
                      {"out", {folder / out}},
                      {"model", {"bert"}},
                      {"vocab", {"120"}},
                      {"layers", {"2"}},
                      {"heads", {"2"}},
                      {"width", {"16"}},
                      {"context", {"32"}},
                      {"dupe-factor", {"2"}},
                      {"document-lines", {"2"}},
                      {"batch", {"3"}},
                      {"accumulate", {"2"}},
                      {"dropout", {"0.1"}},
                      {"learning-rate", {"1e-2"}},
                      {"warmup", {"4"}},
                      {"steps", {"18"}},
                      {"log-every", {"3"}},
                      {"eval-every", {"8"}},
                      {"save-every", {"5"}}},
                     more));
}

// A classifier that starts from a pretrained network, or from scratch.
RunRequest classifier(const TemporaryFolder& folder, const std::string& out, const std::vector<FlagValue>& more) {
  const std::string table = folder / "a.tsv";
  if (!std::filesystem::exists(table)) {
    std::string text = "text\tlabel\n";
    for (int i = 0; i < 80; ++i) {
      text += std::string(i % 2 ? "the cat was happy and went home" : "a dog") + (i % 3 ? "" : " and the bird saw it") +
              (i % 2 ? "\tcat\n" : "\tdog\n");
    }
    write_plainly(table, text);
  }
  return run_of(with({{"data", {table}},
                      {"out", {folder / out}},
                      {"task", {"classify"}},
                      {"batch", {"5"}},
                      {"accumulate", {"2"}},
                      {"dropout", {"0.2"}},
                      {"learning-rate", {"1e-2"}},
                      {"warmup", {"3"}},
                      {"steps", {"18"}},
                      {"log-every", {"3"}},
                      {"eval-every", {"8"}},
                      {"save-every", {"5"}}},
                     more));
}

using Start = std::function<RunRequest(const std::string& out)>;

// Runs to the end on two threads; then on one thread; then interrupted at the n-th report, on one, and resumed on two.
void check_exact(const TemporaryFolder& folder, const std::string& name, const Start& start,
                 const std::vector<int>& interruptions) {
  const std::string whole = name + "-whole", alone = name + "-alone";
  const WithThreads two(2);
  REQUIRE(run(start(whole)).finished);
  on_threads(1, [&] { return run(start(alone)); });
  check_same(folder / whole, folder / alone);
  for (const int n : interruptions) {
    CAPTURE(n);
    const std::string out = name + std::to_string(n);
    const RunResult stopped = on_threads(1, [&] { return run_interrupted(start(out), n); });
    if (!stopped.finished) {
      CHECK(stopped.reason == "SIGTERM");
      CHECK(run(start(out)).finished);
    }
    check_same(folder / whole, folder / out);
  }
}

}  // namespace

TEST_CASE("masked words and next sentences: the same bits interrupted, resumed and on other numbers of threads") {
  const TemporaryFolder folder;
  check_exact(folder, "mlm", [&](const std::string& out) { return masked_words(folder, out); }, {2, 4, 5, 7, 9});
}

TEST_CASE("in bf16: the same bits interrupted, resumed and on other numbers of threads, and nearly the loss of f32") {
  const TemporaryFolder folder;
  const WithPrecision f32(Precision::kF32);  // restores it; runs set their own
  const std::vector<FlagValue> bf16 = {{"precision", {"bf16"}}, {"optimizer-precision", {"bf16"}}};
  check_exact(folder, "bf16", [&](const std::string& out) { return masked_words(folder, out, bf16); }, {2, 5, 7});
  REQUIRE(run(masked_words(folder, "f32")).finished);
  const CheckpointFile narrow(folder / "bf16-whole/last.h5"), wide(folder / "f32/last.h5");
  const double loss = narrow.state_number("best_loss"), wide_loss = wide.state_number("best_loss");
  CHECK(loss != wide_loss);
  CHECK(loss == doctest::Approx(wide_loss).epsilon(0.02));
  CHECK(config_of(narrow).precision == "bf16");
  const auto type_of = [](const CheckpointFile& file, const char* name) { return file.find_tensor(name)->dtype; };
  CHECK(type_of(narrow, "optimizer/m/backbone.tokens.weight") == DType::kBF16);
  CHECK(type_of(narrow, "optimizer/v/backbone.tokens.weight") == DType::kBF16);
  CHECK(type_of(narrow, "model/backbone.tokens.weight") == DType::kF32);
  CHECK(type_of(wide, "optimizer/v/backbone.tokens.weight") == DType::kF32);
}

TEST_CASE("masked words alone, of whole words, masked once") {
  const TemporaryFolder folder;
  const std::vector<FlagValue> more = {{"task", {"mlm"}}, {"whole-word", {"on"}}, {"masking", {"static"}},
                                       {"steps", {"10"}}, {"recompute", {"on"}},  {"batch-tokens", {"80"}}};
  check_exact(folder, "mlm", [&](const std::string& out) { return masked_words(folder, out, more); }, {4, 6});
}

TEST_CASE("fine-tuning a pretrained encoder: the same bits interrupted, resumed and on other numbers of threads") {
  const TemporaryFolder folder;
  REQUIRE(run(masked_words(folder, "pretrained", {{"steps", {"5"}}})).finished);
  const FlagValue init{"init", {folder / "pretrained"}};
  check_exact(folder, "sequences", [&](const std::string& out) { return classifier(folder, out, {init}); },
              {1, 3, 4, 6, 8});
  const std::vector<FlagValue> by_tokens = {
      init, {"batch-tokens", {"60"}}, {"epochs", {"3"}}, {"steps", {"1000"}}, {"freeze", {"embeddings,0"}}};
  check_exact(folder, "tokens", [&](const std::string& out) { return classifier(folder, out, by_tokens); }, {3, 5});
  const std::vector<FlagValue> adapters = {
      init, {"lora-rank", {"2"}}, {"lora-dropout", {"0.2"}}, {"layer-rate-decay", {"0.9"}}};
  check_exact(folder, "lora", [&](const std::string& out) { return classifier(folder, out, adapters); }, {3, 5});
}

TEST_CASE("a GPT's classifier with its language-model loss: the same bits") {
  const TemporaryFolder folder;
  const std::vector<FlagValue> gpt = {{"model", {"gpt1"}}, {"layers", {"1"}},    {"heads", {"2"}},
                                      {"width", {"16"}},   {"context", {"24"}},  {"vocab", {"60"}},
                                      {"lambda", {"0.5"}}, {"save-every", {"4"}}};
  check_exact(folder, "gpt", [&](const std::string& out) { return classifier(folder, out, gpt); }, {3, 6});
}

TEST_CASE("batches of tokens hold as many sequences as fit, and never none") {
  const TemporaryFolder folder;
  const std::vector<FlagValue> words = {{"batch-tokens", {"100"}}, {"accumulate", {"1"}}, {"steps", {"6"}}};
  run(masked_words(folder, "words", words));
  const std::int64_t word_tokens = CheckpointFile(folder / "words/last.h5").state_integer("tokens");
  CHECK(word_tokens <= 600);
  CHECK(word_tokens > 400);
  const std::vector<FlagValue> small = {{"layers", {"1"}}, {"heads", {"1"}},      {"width", {"8"}},
                                        {"vocab", {"60"}}, {"accumulate", {"1"}}, {"steps", {"6"}}};
  const auto tokens_after = [&](const char* out, const char* most) {
    run(classifier(folder, out, with(small, {{"batch-tokens", {most}}})));
    const CheckpointFile file(folder / (std::string(out) + "/last.h5"));
    return std::pair(file.state_integer("tokens"), file.state_integer("samples"));
  };
  const auto [few, one_each] = tokens_after("a", "1");
  CHECK(one_each == 6);
  const auto [many, samples] = tokens_after("b", "100");
  CHECK(many <= 600);
  CHECK(many > 400);
  CHECK(samples > 6 * 4);
}

TEST_CASE("moving averages, a plateau and the average of checkpoints: the same bits interrupted and resumed") {
  const TemporaryFolder folder;
  const std::vector<FlagValue> more = {{"task", {"mlm"}},           {"ema", {"0.9"}},        {"schedule", {"plateau"}},
                                       {"plateau-factor", {"0.5"}}, {"average-last", {"3"}}, {"learning-rate", {"0.3"}},
                                       {"eval-every", {"2"}},       {"save-every", {"3"}}};
  check_exact(folder, "ema", [&](const std::string& out) { return masked_words(folder, out, more); }, {3, 7, 10});
  const CheckpointFile last(folder / "ema-whole/last.h5");
  CHECK(last.find_tensor("optimizer/average/backbone.tokens.weight") != nullptr);
  CHECK(last.state_number("rate_factor") < 1);  // a rate of 0.3 gets worse at once
  const std::string metrics = metrics_without_clock(folder / "ema-whole");
  CHECK(metrics.find("\"averaged\":3") != std::string::npos);

  // A model that is opened has the moving average.
  const Pretrained model = open_pretrained(folder / "ema-whole/last.h5");
  std::vector<float> average(static_cast<std::size_t>(last.find_tensor("model/backbone.tokens.weight")->count()));
  last.read_into<float>("optimizer/average/backbone.tokens.weight", average);
  for (const NamedParameter& p : parameters_of(model.network->module())) {
    if (p.name != "backbone.tokens.weight") continue;
    const auto ours = p.variable.value().span<float>();
    CHECK(std::vector<float>(ours.begin(), ours.end()) == average);
  }
}
