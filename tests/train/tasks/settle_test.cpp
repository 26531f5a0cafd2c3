#include "train/tasks/settle.h"

#include <doctest/doctest.h>

#include "nn/models/gpt.h"
#include "tensor/error.h"
#include "train/models/networks.h"

using namespace rapt;

namespace {

/// A made-up machine, text and model.
struct MadeUp final : Facts {
  StartFacts start_facts = {.network = {.backbone = GptConfig{}}, .config = {}};
  std::optional<CorpusInfo> text_facts =
      CorpusInfo{.documents = 1, .bytes = 1'000'000, .characters = 1'000'000, .different_characters = 60};
  std::optional<MaskingOptions> proposed = {};
  DataFacts data_facts = {.validation_tokens = 40'000, .examples = 5'452};
  BatchFacts batch_facts = {
      .samples_per_epoch = 3'000, .tokens_per_sample = 128, .validation_tokens = 40'000, .parameters = 1'000'000};
  Pace pace_facts = {.update = 0.01, .token = 1e-5, .look = 3e-6};
  double operations = 1e11;  // per second
  double bf16 = 0;           // the time of an update in bf16, as a share of that in f32; 0: no instructions
  std::string asked;         // the requested facts, in order

  StartFacts start(const TrainConfig&) override { return asked += "start ", start_facts; }
  std::optional<CorpusInfo> text(const TrainConfig&) override { return asked += "text ", text_facts; }
  std::optional<MaskingOptions> masking(const TrainConfig&) override { return proposed; }
  DataFacts data(const TrainConfig&, Start) override { return asked += "data ", data_facts; }
  double peak() override { return asked += "peak ", operations; }
  BatchFacts batches(const TrainConfig&) override { return asked += "batches ", batch_facts; }
  bool has_bf16() override { return bf16 > 0; }
  Pace pace(const TrainConfig& config) override {
    asked += "pace ";
    const double share = config.precision == "bf16" ? bf16 : 1;
    return {.update = share * pace_facts.update, .token = share * pace_facts.token, .look = share * pace_facts.look};
  }
};

LayeredConfig asked_for(const std::vector<FlagValue>& flags) { return layer_config("", "", flags); }

TrainConfig settled(const std::vector<FlagValue>& flags, MadeUp& facts) {
  return settle(asked_for(flags), facts, [](const std::string&) {}).values;
}

TrainConfig settled(const std::vector<FlagValue>& flags) {
  MadeUp facts;
  return settled(flags, facts);
}

/// The facts of a run from a BERT with two layers of width 32.
MadeUp with_bert() {
  MadeUp facts;
  facts.start_facts.config = asked_for({{"model", {"bert"}},
                                        {"task", {"mlm"}},
                                        {"layers", {"2"}},
                                        {"heads", {"2"}},
                                        {"width", {"32"}},
                                        {"context", {"64"}},
                                        {"tokenizer", {"wordpiece"}}})
                                 .values;
  facts.start_facts.network = network_config(facts.start_facts.config, 500);
  facts.start_facts.has_tokenizer = true;
  return facts;
}

}  // namespace

TEST_CASE(
    "for a text alone, the tokenizer follows from its size, the network from the minutes, the length from the speed") {
  MadeUp facts;
  const TrainConfig c = settled({{"data", {"my.txt"}}}, facts);
  CHECK(facts.asked == "text data peak batches pace ");
  CHECK(c.tokenizer == "byte-bpe");
  CHECK(c.vocabulary == 512);
  CHECK(c.layers == 4);  // 0.6 * 1e11 * 300 seconds = 1.8e13 operations
  CHECK(c.width == 128);
  CHECK(c.position == "rope");
  // 300 seconds, 3 % of them for the start, ten validations of 0.12 seconds each.
  CHECK(c.steps == 28'980);
  CHECK(c.planned_minutes == 5);
  CHECK(c.minutes == 0);  // a resumed run does not depend on the clock
  CHECK(c.eval_every == Period::updates(2'898));
  CHECK(c.min_learning_rate == doctest::Approx(c.learning_rate / 20));
  // 28,980 updates of 1,000 tokens are 75 passes over 3,000 samples of 128 tokens.
  CHECK(c.dropout == 0.1);
}

TEST_CASE("without a length, the faster precision is measured; otherwise only if it is asked for") {
  MadeUp facts;
  const std::vector<FlagValue> alone = {{"data", {"my.txt"}}};
  CHECK(settled(alone, facts).precision == "f32");
  facts.bf16 = 0.5;
  const TrainConfig faster = settled(alone, facts);
  CHECK(faster.precision == "bf16");
  CHECK(faster.steps > 2 * 28'980);  // validations are faster, too
  facts.bf16 = 1.1;
  const TrainConfig slower = settled(alone, facts);
  CHECK(slower.precision == "f32");
  CHECK(slower.steps == 28'980);
  facts.bf16 = 0.5;
  CHECK(settled({{"data", {"my.txt"}}, {"precision", {"f32"}}}, facts).precision == "f32");
  CHECK(settled({{"data", {"my.txt"}}, {"preset", {"shakespeare-char-cpu"}}}, facts).precision == "f32");
  CHECK(settled({{"data", {"my.txt"}}, {"steps", {"70"}}}, facts).precision == "f32");
  facts.asked.clear();
  CHECK(settled({{"data", {"my.txt"}}, {"steps", {"70"}}, {"precision", {"auto"}}}, facts).precision == "bf16");
  CHECK(facts.asked == "text data pace pace ");
}

TEST_CASE("the network grows with the minutes and the machine, and its context stays within the held-out text") {
  MadeUp facts;
  CHECK(settled({{"data", {"my.txt"}}, {"minutes", {"1"}}}, facts).width == 128);
  facts.operations = 1e9;
  CHECK(settled({{"data", {"my.txt"}}, {"minutes", {"1"}}}, facts).width == 64);
  facts.operations = 1e12;
  CHECK(settled({{"data", {"my.txt"}}, {"minutes", {"60"}}}, facts).width == 384);
  facts.data_facts.validation_tokens = 100;
  CHECK(settled({{"data", {"my.txt"}}, {"minutes", {"60"}}}, facts).context == 50);
  facts.data_facts.validation_tokens = 0;  // nothing is held out
  CHECK(settled({{"data", {"my.txt"}}, {"minutes", {"60"}}}, facts).context == 256);
}

TEST_CASE("requested settings are kept, and with --steps neither cores nor clock are used") {
  MadeUp facts;
  const TrainConfig c =
      settled({{"data", {"my.txt"}}, {"steps", {"70"}}, {"layers", {"3"}}, {"tokenizer", {"char"}}}, facts);
  CHECK(facts.asked == "text data ");
  CHECK(c.steps == 70);
  CHECK(c.layers == 3);
  CHECK(c.width == TrainConfig{}.width);
  CHECK(c.tokenizer == "char");
  const TrainConfig timed = settled({{"data", {"my.txt"}}, {"layers", {"3"}}, {"learning-rate", {"7e-4"}}});
  CHECK(timed.layers == 3);
  CHECK(timed.learning_rate == 7e-4);
}

TEST_CASE("more examples get fewer passes, and no run more than --most-epochs") {
  const std::vector<FlagValue> flags = {{"data", {"a.tsv"}}, {"task", {"classify"}}};
  MadeUp facts;
  facts.data_facts.labels = {"no", "yes"};
  facts.data_facts.columns = {.text = "text", .pair = "", .label = "label"};
  TrainConfig c = settled(flags, facts);
  CHECK(c.most_epochs == 10);
  CHECK(c.labels == std::vector<std::string>{"no", "yes"});
  CHECK(c.text_column == "text");
  CHECK(c.label_column == "label");
  facts.data_facts.examples = 20'000;
  CHECK(settled(flags, facts).most_epochs == 3);
  facts.data_facts.examples = 1'000'000;
  CHECK(settled(flags, facts).most_epochs == 1);
  facts.batch_facts.most_updates = 123;
  CHECK(settled(flags, facts).steps == 123);
}

TEST_CASE("each kind of start has its recipe") {
  const TrainConfig from_scratch = settled({{"data", {"a.tsv"}}, {"task", {"classify"}}});
  CHECK(from_scratch.model == "bert");
  CHECK(from_scratch.layers == 2);
  CHECK(from_scratch.dropout == 0.3);
  CHECK(from_scratch.learning_rate == 1e-3);

  MadeUp facts = with_bert();
  const TrainConfig tuned = settled({{"data", {"a.tsv"}}, {"task", {"classify"}}, {"init", {"runs/b"}}}, facts);
  CHECK(facts.asked == "start data ");
  CHECK(tuned.epochs == 3);
  CHECK(tuned.learning_rate == 5e-5);
  CHECK(tuned.batch == 32);
  CHECK(tuned.width == 32);  // the model's
  CHECK(tuned.tokenizer == "init");

  LayeredConfig own_words = asked_for({{"data", {"a.tsv"}}, {"task", {"classify"}}});
  own_words.values.init = "runs/a-classify/words";
  own_words.origin["init"] = Origin::kChosen;
  CHECK(start_of(own_words) == Start::kOwnWords);
  MadeUp words = with_bert();
  const TrainConfig after_words = settle(own_words, words, [](const std::string&) {}).values;
  CHECK(after_words.dropout == 0.1);
  CHECK(after_words.learning_rate == 1e-3);
  CHECK(after_words.tokenizer == "wordpiece");  // as requested for stage 1
  CHECK(after_words.most_epochs == 10);

  const TrainConfig masked = settled({{"data", {"my.txt"}}, {"model", {"bert"}}, {"steps", {"10"}}});
  CHECK(masked.task == "mlm-nsp");
  CHECK(masked.layers == 2);  // bert-tiny
  CHECK(masked.attention_start == "neighbours");
  CHECK(masked.context == 128);
}

TEST_CASE("settings that cannot take effect with the model of --init are rejected") {
  MadeUp facts = with_bert();
  const auto refuses = [&](const std::vector<FlagValue>& more, const char* message) {
    std::vector<FlagValue> flags = {{"data", {"a.tsv"}}, {"task", {"classify"}}, {"init", {"runs/b"}}};
    flags.insert(flags.end(), more.begin(), more.end());
    CAPTURE(message);
    CHECK_THROWS_WITH_AS(settled(flags, facts), message, UsageError);
  };
  refuses({{"layers", {"4"}}}, "--layers 4 cannot take effect: the model of --init runs/b has 2; leave it out");
  refuses({{"context", {"32"}}},
          "--context 32 cannot take effect: the model of --init runs/b has 64; for shorter sequences give --max-length "
          "32");
  refuses({{"tokenizer", {"other.json"}}},
          "--tokenizer other.json cannot take effect: the model of --init runs/b has its own tokenizer; leave it out");
  facts.start_facts.same_tokenizer = true;
  CHECK(
      settled({{"data", {"a.tsv"}}, {"task", {"classify"}}, {"init", {"runs/b"}}, {"tokenizer", {"same.json"}}}, facts)
          .tokenizer == "init");
}

TEST_CASE("a token store's masking options are the defaults unless others are requested") {
  MadeUp facts;
  facts.text_facts.reset();
  facts.proposed = MaskingOptions{.probability = 0.3, .most = 20, .whole_words = true, .dynamic = false};
  const std::vector<FlagValue> flags = {
      {"data", {"tokens.h5"}}, {"task", {"mlm"}}, {"model", {"bert"}}, {"steps", {"5"}}};
  TrainConfig c = settled(flags, facts);
  CHECK(c.mlm_probability == 0.3);
  CHECK(c.max_predictions == 20);
  CHECK(c.whole_word);
  CHECK(c.masking == "static");
  std::vector<FlagValue> given = flags;
  given.push_back({"mlm-probability", {"0.2"}});
  c = settled(given, facts);
  CHECK(c.mlm_probability == 0.2);
  CHECK(c.max_predictions == 20);
}

TEST_CASE("a settled configuration is complete: settling it again as a file changes nothing") {
  MadeUp facts;
  for (const char* task : {"lm", "mlm", "classify"}) {
    CAPTURE(task);
    std::vector<FlagValue> flags = {{"data", {"my.txt"}}, {"task", {task}}};
    if (std::string(task) == "mlm") flags.push_back({"model", {"bert"}});
    const TrainConfig once = settled(flags, facts);
    LayeredConfig again = layer_config(to_toml(once), "config.toml", {});
    CHECK(to_toml(settle(again, facts, [](const std::string&) {}).values) == to_toml(once));
  }
}

static MadeUp with_pairs() {
  MadeUp facts;
  facts.text_facts = CorpusInfo{.documents = 29'000, .bytes = 4'000'000, .characters = 0, .different_characters = 90};
  facts.data_facts = {.examples = 29'000, .frame = FrameTokens{.start = 0, .end = 2, .pad = 1}};
  facts.batch_facts = {
      .samples_per_epoch = 29'000, .tokens_per_sample = 32, .validation_tokens = 32'000, .parameters = 2'000'000};
  return facts;
}

TEST_CASE("for two files alone, everything about a translation run is chosen") {
  MadeUp facts = with_pairs();
  const TrainConfig c = settled({{"source", {"a.en"}}, {"target", {"a.de"}}, {"minutes", {"15"}}}, facts);
  CHECK(facts.asked == "text data peak batches pace ");
  CHECK(c.task == "translate");
  CHECK(c.model == "transformer");
  CHECK(c.tokenizer == "bpe");
  CHECK(c.vocabulary == 8000);
  CHECK_FALSE(c.lowercase);
  CHECK(c.shared_vocabulary);
  CHECK(c.layers == 3);  // 0.6 * 1e11 * 900 seconds = 5.4e13 operations
  CHECK(c.width == 128);
  CHECK(c.norm == "pre");
  CHECK(c.position == "sinusoidal-halves");
  CHECK(c.context == 256);
  CHECK(c.batch_tokens == 2048);
  CHECK(c.label_smoothing == 0.1);
  CHECK(c.schedule == "cosine");
  CHECK(c.steps > 80'000);
  CHECK(c.dropout == 0.3);  // many passes over the pairs
  CHECK(c.start_token == 0);
  CHECK(c.end_token == 2);
  facts.operations = 1e12;
  CHECK(settled({{"source", {"a"}}, {"target", {"b"}}, {"minutes", {"60"}}}, facts).width == 256);
}

TEST_CASE("a summariser learns to copy first, from larger updates") {
  MadeUp facts = with_pairs();
  const std::vector<FlagValue> flags = {{"data", {"mails.jsonl"}}, {"task", {"summarize"}}, {"minutes", {"15"}}};
  const TrainConfig c = settled(flags, facts);
  CHECK(c.batch_tokens == 8192);
  CHECK(c.width == 256);
  CHECK(c.vocabulary == 4032);  // twice the square root of four million bytes, in 64s
  const double samples = static_cast<double>(c.steps) * facts.pace_facts.update /
                         (facts.pace_facts.token * facts.batch_facts.tokens_per_sample);
  CHECK(c.copy_epochs == doctest::Approx(0.5 * samples / 29'000).epsilon(0.01));
  std::vector<FlagValue> separate = flags;
  separate.push_back({"shared-vocabulary", {"off"}});
  CHECK(settled(separate, facts).copy_epochs == 0);
  std::vector<FlagValue> none = flags;
  none.push_back({"copy-epochs", {"0"}});
  CHECK(settled(none, facts).copy_epochs == 0);
  CHECK(settled({{"source", {"a.en"}}, {"target", {"a.de"}}, {"minutes", {"15"}}}, facts).copy_epochs == 0);
}

TEST_CASE("source texts mean translation, with a recurrent network, too") {
  MadeUp facts = with_pairs();
  const TrainConfig c =
      settled({{"source", {"a.en"}}, {"target", {"a.de"}}, {"model", {"gru"}}, {"minutes", {"1"}}}, facts);
  CHECK(c.task == "translate");
  CHECK(c.model == "gru");
}

TEST_CASE("what is given for a translation run is not chosen") {
  MadeUp facts = with_pairs();
  const TrainConfig c = settled({{"data", {"a.tsv"}},
                                 {"task", {"translate"}},
                                 {"tokenizer", {"unigram"}},
                                 {"vocab", {"500"}},
                                 {"batch", {"16"}},
                                 {"dropout", {"0"}},
                                 {"steps", {"10"}}},
                                facts);
  CHECK(facts.asked == "text data ");
  CHECK(c.tokenizer == "unigram");
  CHECK_FALSE(c.lowercase);
  CHECK(c.vocabulary == 500);
  CHECK(c.batch == 16);
  CHECK(c.batch_tokens == 0);
  CHECK(c.dropout == 0);
  CHECK(settled({{"data", {"a.jsonl"}}, {"task", {"summarize"}}, {"steps", {"10"}}}, facts).context == 512);
  CHECK(settled({{"data", {"a.tsv"}}, {"task", {"translate"}}, {"tokenizer", {"word"}}}, facts).vocabulary == 50'000);
}
