#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/little_bert.h"
#include "io/json.h"

using namespace rapt;

namespace {

std::vector<Json> objects_of(const std::string& lines) {
  std::vector<Json> objects;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    objects.push_back(Json::parse(lines.substr(begin, end - begin)));
    begin = end + 1;
  }
  return objects;
}

/// The floats after the header of an .npy file.
std::vector<float> npy_values(const std::string& bytes) {
  std::vector<float> values((bytes.size() - 128) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + 128, values.size() * sizeof(float));
  return values;
}

}  // namespace

TEST_CASE("masked words and next sentences are evaluated on text and on the output of data build") {
  const Workshop& shop = little_bert();
  const ProgramResult text = shop.rapt({"eval", "runs/b", "--data", "text.txt", "--json"});
  CAPTURE(text.err);
  REQUIRE(text.code == 0);
  const Json json = Json::parse(text.out);
  for (const char* key : {"loss", "mlm_loss", "nsp_loss"}) CHECK(json[key].get<double>() > 0);
  for (const char* key : {"mlm_accuracy", "mlm_majority_accuracy", "nsp_accuracy", "nsp_majority_accuracy"}) {
    CAPTURE(key);
    CHECK(json[key].get<double>() > 0);
    CHECK(json[key].get<double>() < 1);
  }
  CHECK(json["loss"].get<double>() == doctest::Approx(json["mlm_loss"].get<double>() + json["nsp_loss"].get<double>()));
  CHECK(json["mlm_accuracy"].get<double>() > json["mlm_majority_accuracy"].get<double>());
  const ProgramResult lines = shop.rapt({"eval", "runs/b", "--data", "runs/b/data.h5"});
  CHECK(lines.out.starts_with("masked words   loss "));
  CHECK(lines.out.find("\nnext sentence  loss ") != std::string::npos);
  // The run's own validation part, evaluated again.
  const Json built = Json::parse(shop.rapt({"eval", "runs/b", "--data", "runs/b/data.h5", "--json"}).out);
  const std::string events = shop.read("runs/b/metrics.jsonl");
  double best = 1e9;
  for (const Json& event : objects_of(events)) {
    if (event["event"] == "validation" && event["best"] == true) best = event["loss"];
  }
  CHECK(built["loss"].get<double>() == doctest::Approx(best).epsilon(1e-6));
}

TEST_CASE("masks are filled with the most probable words, whichever way the mask is written") {
  const Workshop& shop = little_bert();
  const ProgramResult one = shop.rapt({"fill-mask", "runs/b", "the [MASK] sat on the mat .", "--top", "3"});
  CHECK(one.code == 0);
  CHECK(std::count(one.out.begin(), one.out.end(), '\n') == 4);
  CHECK(one.out.ends_with(" sat on the mat .\n"));
  CHECK(shop.rapt({"fill-mask", "runs/b", "the <mask> sat on the mat .", "--top", "3"}).out == one.out);

  shop.write("gaps.txt", "the [MASK] sat on the mat .\na [MASK] ran to the [MASK] .\n");
  const ProgramResult many = shop.rapt({"fill-mask", "runs/b", "--data", "gaps.txt", "--json", "--top", "100000"});
  CHECK(many.code == 0);
  const std::vector<Json> results = objects_of(many.out);
  REQUIRE(results.size() == 2);
  CHECK(results[0]["masks"].size() == 1);
  CHECK(results[1]["masks"].size() == 2);
  CHECK(results[1]["text"] == "a [MASK] ran to the [MASK] .");
  CHECK(results[1]["filled"].get<std::string>().find("[MASK]") == std::string::npos);
  for (const Json& mask : results[1]["masks"]) {
    double sum = 0, before = 1;
    for (const Json& word : mask) {
      CHECK(word["probability"].get<double>() <= before);
      before = word["probability"];
      sum += before;
    }
    CHECK(sum == doctest::Approx(1));
  }
  const std::string piped = shop.rapt({"fill-mask", "runs/b", "-", "--top", "3"}, "the [MASK] sat on the mat .\n").out;
  CHECK(piped == one.out);
}

TEST_CASE("embeddings are in the order of the lines, in every format, and do not depend on other lines") {
  const Workshop& shop = little_bert();
  std::string lines;
  for (int i = 0; i < 900; ++i) lines += i % 2 == 0 ? "the cat sat on the mat .\n" : "a dog ran .\n";
  shop.write("lines.txt", lines);
  CHECK(shop.rapt({"embed", "runs/b", "--data", "lines.txt", "--out", "e.npy", "--normalize"}).code == 0);
  const std::vector<float> values = npy_values(shop.read("e.npy"));
  REQUIRE(values.size() == 900 * 16);
  double length = 0;
  for (int c = 0; c < 16; ++c)
    length += static_cast<double>(values[static_cast<std::size_t>(c)]) * values[static_cast<std::size_t>(c)];
  CHECK(length == doctest::Approx(1));
  for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(values[i] == doctest::Approx(values[i % 32]).epsilon(1e-5));

  const ProgramResult json = shop.rapt({"embed", "runs/b", "--data", "-", "--normalize"}, "the cat sat on the mat .\n");
  CHECK(json.err.empty());
  const std::vector<Json> objects = objects_of(json.out);
  REQUIRE(objects.size() == 1);
  CHECK(objects[0]["text"] == "the cat sat on the mat .");
  for (std::size_t c = 0; c < 16; ++c)
    CHECK(objects[0]["embedding"][c].get<float>() == doctest::Approx(values[c]).epsilon(1e-5));

  CHECK(shop.rapt({"embed", "runs/b", "--data", "lines.txt", "--out", "e.h5", "--pool", "cls"}).code == 0);
  const std::string hdf5 = shop.read("e.h5");
  CHECK(hdf5.starts_with("\x89HDF\r\n"));
  CHECK(hdf5.size() > 900 * 16 * 4);
}

TEST_CASE("a BERT is exported to Hugging Face and imported again, including its heads") {
  const Workshop& shop = little_bert();
  CHECK(shop.rapt({"checkpoint", "export", "runs/b", "--format", "hf", "--out", "hf"}).code == 0);
  CHECK(Json::parse(shop.read("hf/config.json"))["architectures"][0] == "BertForPreTraining");
  const std::string info = shop.rapt({"checkpoint", "info", "hf"}).out;
  CHECK(info.starts_with("hf: Hugging Face directory\nmodel       bert: 1 layer, "));
  CHECK(info.find("\ntask        mlm-nsp\n") != std::string::npos);
  CHECK(shop.rapt({"checkpoint", "import", "hf", "--out", "back.h5"}).code == 0);
  const auto filled = [&](const char* model) {
    return shop.rapt({"fill-mask", model, "the [MASK] sat on the mat .", "--json"}).out;
  };
  CHECK(filled("hf") == filled("runs/b"));
  CHECK(filled("back.h5") == filled("runs/b"));
  CHECK(shop.rapt({"eval", "hf", "--data", "runs/b/data.h5", "--json"}).code == 0);
}

TEST_CASE("BERT's presets are counted with the pooler") {
  const Workshop& shop = little_bert();
  const Json tiny = Json::parse(shop.rapt({"params", "--preset", "bert-tiny", "--json"}).out);
  CHECK(tiny["parameters"] == 4385920);
  CHECK(tiny["parts"]["pooler"] == 128 * 128 + 128);
  CHECK(Json::parse(shop.rapt({"params", "--preset", "bert-base", "--json"}).out)["parameters"] == 109482240);
}

TEST_CASE("fine-tuning steps are timed, with the keys of the script that PyTorch is timed with") {
  const Workshop& shop = little_bert();
  shop.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\na\ndog\nsat\non\nmat\nran\n.\n");
  const ProgramResult result = shop.rapt({"bench", "finetune", "--shape", "tiny", "--batch", "4", "--data", "train.tsv",
                                          "--tokenizer", "vocab.txt", "--steps", "2", "--warm", "1", "--json"});
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const Json json = Json::parse(result.out);
  for (const char* key : {"what", "threads", "precision", "median_ms", "total_s", "tokens_per_s", "loss", "peak_mb",
                          "sentences_per_s", "padding", "share_of_peak", "tensor_peak_mb"}) {
    CAPTURE(key);
    CHECK(json.contains(key));
  }
  CHECK(json["what"] == "bert tiny packed");
  check_error(shop.rapt({"bench", "finetune", "--shape", "huge"}), 64,
              "--shape must be one of tiny|mini|small|minilm|medium|base, got \"huge\"");
  check_error(shop.rapt({"bench", "finetune"}), 64, "rapt bench finetune needs --data FILE");
}

TEST_CASE("the new commands are in help and completion") {
  const Workshop& shop = little_bert();
  const std::string help = shop.rapt({"help"}).out, completion = shop.rapt({"completion", "bash"}).out;
  for (const char* verb : {"finetune", "predict", "fill-mask", "embed"}) {
    CAPTURE(verb);
    CHECK(help.find("  rapt " + std::string(verb) + " ") != std::string::npos);
    CHECK(completion.find(" " + std::string(verb) + " ") != std::string::npos);
    CHECK(shop.rapt({"help", verb}).out.find("\nUsage: rapt " + std::string(verb)) != std::string::npos);
  }
  CHECK(completion.find("\"bench finetune\")") != std::string::npos);
}

TEST_CASE("errors of fill-mask and embed are reported in one line") {
  const Workshop& shop = little_bert();
  check_error(
      shop.rapt({"fill-mask", "runs/b"}), 64,
      "rapt fill-mask needs a text that contains [MASK]: rapt fill-mask runs/b \"the [MASK] sat on the mat .\"");
  check_error(shop.rapt({"fill-mask", "runs/b", "the cat sat"}), 64,
              "fill-mask: the text must have a [MASK], got \"the cat sat\"; write one where a word is missing");
  std::string longer = "[MASK]";
  for (int i = 0; i < 140; ++i) longer += " .";
  check_error(shop.rapt({"fill-mask", "runs/b", longer}), 64,
              "fill-mask: the text has 143 tokens, the model accepts at most 128; shorten it");
  check_error(shop.rapt({"fill-mask", "runs/b", "[MASK]", "--top", "0"}), 64,
              "--top must be a whole number of at least 1, got \"0\"");
  check_error(shop.rapt({"embed", "runs/b"}), 64, "rapt embed needs --data FILE");
  check_error(shop.rapt({"embed", "runs/b", "--data", "text.txt", "--out", "e.csv"}), 64,
              "--out must end with .npy, .h5 or .jsonl, got e.csv");
  check_error(shop.rapt({"embed", "runs/b", "--data", "text.txt", "--pool", "max"}), 64,
              "--pool must be one of mean|cls|last, got \"max\"");
  check_error(shop.rapt({"embed", "runs/b", "--data", "-"}), 65,
              "embed: the data must have at least one line, got none");
  CHECK(shop.rapt({"train", "text.txt", "--layers", "1", "--heads", "2", "--width", "16", "--context", "16", "--steps",
                   "2", "--tokenizer", "char", "--threads", "1", "--quiet", "--out", "runs/g"})
            .code == 0);
  check_error(shop.rapt({"fill-mask", "runs/g", "a [MASK]"}), 64,
              "model: runs/g/best.h5 must be a masked language model, got a gpt2 for --task lm; use it with rapt "
              "generate, score or eval");
  check_error(
      shop.rapt({"embed", "runs/g", "--data", "-"}, "the cat\n\n"), 65,
      "standard input: line 2: the text must have at least one token, got an empty line; each line is one text");
}

TEST_CASE("a BERT without settings is bert-tiny with its recipe, and given settings are kept") {
  const Workshop& shop = little_bert();
  const auto holds = [&](const std::vector<std::string>& more, const std::vector<std::string>& lines) {
    std::vector<std::string> call = {"train", "text.txt", "--model", "bert", "--steps", "4", "--quiet", "--out"};
    call.push_back("runs/recipe-" + std::to_string(more.size()));
    call.insert(call.end(), more.begin(), more.end());
    const ProgramResult result = shop.rapt(call);
    INFO(result.err);
    REQUIRE(result.code == 0);
    const std::string config = "\n" + shop.read(call[8] + "/config.toml");
    for (const std::string& line : lines) {
      CAPTURE(line);
      CHECK(config.find("\n" + line + "\n") != std::string::npos);
    }
  };
  holds({}, {"task = \"mlm-nsp\"", "layers = 2", "heads = 2", "width = 128", "context = 128", "batch = 16",
             "warmup = \"20%\"", "weight-decay = 0.1", "dropout = 0", "schedule = \"linear\"",
             "attention-start = \"neighbours\""});
  holds({"--attention-start", "random", "--context", "64", "--batch", "8", "--dropout", "0.1"},
        {"attention-start = \"random\"", "context = 64", "batch = 8", "dropout = 0.1", "warmup = \"20%\""});
  check_error(
      shop.rapt({"train", "text.txt", "--model", "gpt2", "--attention-start", "neighbours", "--layers", "1", "--heads",
                 "2", "--width", "16", "--context", "16", "--steps", "2", "--quiet", "--out", "runs/no"}),
      64, "--attention-start requires --model bert, got --model gpt2");
}

TEST_CASE("a BERT of another size and context continues on masked words, with a fine-tuning learning rate") {
  const Workshop& shop = little_bert();
  const ProgramResult result = shop.rapt({"finetune", "--task", "mlm", "--init", "runs/b", "--train", "text.txt",
                                          "--steps", "2", "--out", "runs/further"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  const std::string before = shop.read("runs/b/config.toml"), after = shop.read("runs/further/config.toml");
  for (const char* name : {"\nlayers = ", "\nwidth = ", "\ncontext = "}) {
    CAPTURE(name);
    const std::size_t at = before.find(name);
    CHECK(after.find(before.substr(at, before.find('\n', at + 1) + 1 - at)) != std::string::npos);
  }
  CHECK(after.find("\nlearning-rate = 5e-5\n") != std::string::npos);
}

// Previously, a signal left `e.jsonl.tmp.PID` behind.
TEST_CASE("a command that is interrupted while writing leaves neither a partial result nor a temporary file") {
  const Workshop& shop = little_bert();
  std::string lines;
  for (int i = 0; i < 50000; ++i) lines += "the cat sat on the mat .\n";
  shop.write("many.txt", lines);
  const auto temporaries = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(shop.path("")))
      count += entry.path().filename().string().find(".tmp.") != std::string::npos ? 1 : 0;
    return count;
  };
  const pid_t child = shop.start({"embed", "runs/b", "--data", "many.txt", "--out", "many.jsonl"});
  siginfo_t ended{};
  while (temporaries() == 0 && ended.si_pid == 0) {
    ::usleep(1000);
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0);
  }
  ::kill(child, SIGINT);
  const ProgramResult result = shop.wait(child);
  CHECK(temporaries() == 0);
  if (result.code != 0) CHECK_FALSE(shop.has("many.jsonl"));
  CHECK(result.code == 128 + SIGINT);
}
