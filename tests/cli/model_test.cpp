#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli/run_program.h"

using namespace rapt;

namespace {

/// One small trained model for all tests of this file.
const Workshop& trained() {
  static Workshop shop;
  static const bool done = [] {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "the cat sat on the mat\n";
    shop.write("my.txt", text);
    const ProgramResult result =
        shop.rapt({"train",     "my.txt", "--layers", "1",      "--heads",     "2",    "--width",         "16",
                   "--context", "16",     "--batch",  "4",      "--tokenizer", "char", "--learning-rate", "1e-2",
                   "--steps",   "60",     "--out",    "runs/m", "--threads",   "1",    "--quiet"});
    REQUIRE(result.code == 0);
    return true;
  }();
  (void)done;
  return shop;
}

}  // namespace

TEST_CASE("generation goes to standard output, prompt first, and is the same for the same seed") {
  const Workshop& shop = trained();
  const std::vector<std::string> call = {"generate",      "runs/m", "--prompt", "the ", "--max-tokens", "12",
                                         "--temperature", "0.8",    "--top-k",  "4",    "--seed",       "7",
                                         "--quiet"};
  const ProgramResult first = shop.rapt(call), second = shop.rapt(call);
  CHECK(first.code == 0);
  CHECK(first.err.empty());
  CHECK(first.out.starts_with("the "));
  CHECK(first.out == second.out);
  std::vector<std::string> silent = call;
  silent.push_back("--no-echo");
  CHECK("the " + shop.rapt(silent).out == first.out);
  CHECK(shop.rapt({"generate", "runs/m", "--prompt", "the ", "--max-tokens", "6", "--greedy", "--json"})
            .out.starts_with("{\"prompt\":\"the \",\"text\":\""));
  CHECK(shop.rapt({"generate", "runs/m", "--prompt", "the ", "--max-tokens", "6", "--beam", "2"}).code == 0);
}

// Previously, the text was cut, but "tokens" and "log_probability" went on past the cut, and "finish" was "length" with
// --beam.
TEST_CASE("--stop ends text, tokens and log-probability at the same place, with sampling, greedy decoding and beams") {
  const Workshop& shop = trained();
  for (const std::vector<std::string>& way :
       {std::vector<std::string>{"--greedy"}, {"--beam", "3", "--length-penalty", "0"}, {"--top-k", "1"}}) {
    CAPTURE(way[0]);
    const auto generated = [&](const std::vector<std::string>& more) {
      std::vector<std::string> call = {"generate", "runs/m", "--prompt", "the cat ", "--max-tokens", "30", "--json"};
      call.insert(call.end(), way.begin(), way.end());
      call.insert(call.end(), more.begin(), more.end());
      const ProgramResult result = shop.rapt(call);
      CAPTURE(result.err);
      REQUIRE(result.code == 0);
      return nlohmann::json::parse(result.out);
    };
    const auto whole = generated({}), cut = generated({"--stop", " ", "--stop", "mat"});
    const std::string text = cut["text"];
    CHECK(whole["finish"] == "length");
    CHECK(whole["tokens"].size() == 30);
    CHECK(cut["finish"] == "stop");
    CHECK(text.find(' ') == std::string::npos);
    CHECK(cut["tokens"].size() == text.size());  // the tokens of this model are characters
    CHECK(cut["log_probability"].get<double>() >= whole["log_probability"].get<double>());
    CHECK(generated({"--stop", "never"})["text"] == whole["text"]);
  }
  // One character is a token: if a stop string is the first one, nothing is left.
  const ProgramResult nothing =
      shop.rapt({"generate", "runs/m", "--prompt", "the ca", "--greedy", "--stop", "t", "--json"});
  CHECK(nothing.out.find("\"text\":\"\",\"tokens\":[],\"log_probability\":0.0,\"finish\":\"stop\"") !=
        std::string::npos);
  check_error(shop.rapt({"generate", "runs/m", "--stop", ""}), 64,
              "--stop must not be empty; give the text to stop before, or leave it out");
}

// Previously, it started after the end-of-text token, which a run on one text never sees: the first bytes were noise.
TEST_CASE("without a prompt, text starts like a line of the training text") {
  const Workshop& shop = trained();
  REQUIRE(shop.rapt({"train", "my.txt", "--tokenizer", "byte-bpe", "--vocab", "270", "--steps", "3", "--layers", "1",
                     "--heads", "2", "--width", "16", "--context", "16", "--out", "runs/bpe", "--quiet"})
              .code == 0);
  const auto text = [&](const std::vector<std::string>& prompt) {
    std::vector<std::string> call = {"generate", "runs/bpe", "--greedy", "--max-tokens", "20", "--no-echo"};
    call.insert(call.end(), prompt.begin(), prompt.end());
    return shop.rapt(call).out;
  };
  CHECK(text({}) == text({"--prompt", "\n"}));
  CHECK(shop.rapt({"generate", "runs/m", "--max-tokens", "2", "--json"}).out.starts_with("{\"prompt\":\"\","));
}

TEST_CASE("a run folder, a checkpoint and a Hugging Face directory are the same model") {
  const Workshop& shop = trained();
  CHECK(shop.rapt({"checkpoint", "export", "runs/m", "--format", "hf", "--out", "hf"}).code == 0);
  CHECK(shop.rapt({"checkpoint", "import", "hf", "--out", "imported.h5"}).code == 0);
  const auto greedy = [&](const char* model) {
    return shop.rapt({"generate", model, "--prompt", "the cat", "--greedy", "--max-tokens", "20"}).out;
  };
  const std::string text = greedy("runs/m");
  CHECK(text.size() > 20);
  for (const char* model : {"runs/m/best.h5", "hf", "imported.h5"}) CHECK(greedy(model) == text);
}

TEST_CASE("what rapt train makes without flags is exported, read back, and gives the same scores and text") {
  const Workshop shop;
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the cat sat on the mat, and it isn't the old one\n";
  shop.write("my.txt", text);
  shop.write("lines.txt", "the old cat\nit isn't on the mat\n");
  // The default choices, but small and with the same number of updates on every machine.
  REQUIRE(shop.rapt({"train",     "my.txt", "--position",      "rope", "--tokenizer", "byte-bpe", "--vocab", "300",
                     "--layers",  "2",      "--heads",         "2",    "--width",     "16",       "--batch", "4",
                     "--context", "16",     "--learning-rate", "1e-2", "--steps",     "60",       "--quiet"})
              .code == 0);
  const ProgramResult exported = shop.rapt({"checkpoint", "export", "runs/my", "--format", "hf", "--out", "hf"});
  CHECK(exported.code == 0);
  CHECK(exported.err == "wrote hf from runs/my/best.h5\n");
  CHECK(shop.read("hf/config.json").find("\"GPTNeoXForCausalLM\"") != std::string::npos);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "model.safetensors"}) {
    CHECK(shop.has(std::string("hf/") + name));
  }
  CHECK(shop.rapt({"checkpoint", "import", "hf", "--out", "imported.h5"}).code == 0);
  CHECK(shop.rapt({"checkpoint", "export", "imported.h5", "--format", "hf", "--out", "again"}).code == 0);
  CHECK(shop.read("again/model.safetensors") == shop.read("hf/model.safetensors"));
  CHECK(shop.read("again/config.json") == shop.read("hf/config.json"));

  const auto said = [&](const char* model) {
    const ProgramResult scores = shop.rapt({"score", model, "--data", "lines.txt", "--per-token"});
    const ProgramResult loss = shop.rapt({"eval", model, "--data", "my.txt", "--json"});
    const ProgramResult greedy =
        shop.rapt({"generate", model, "--prompt", "the cat", "--greedy", "--max-tokens", "12"});
    CHECK(scores.code + loss.code + greedy.code == 0);
    return scores.out + loss.out.substr(0, loss.out.find(",\"model\":")) + greedy.out;
  };
  const std::string first = said("runs/my");
  CHECK(first.size() > 100);
  CHECK(said("hf") == first);
  CHECK(said("imported.h5") == first);
  CHECK(shop.rapt({"train", "my.txt", "--init", "hf", "--steps", "1", "--out", "runs/on", "--quiet"}).code == 0);
}

TEST_CASE("exporting a GPT without a class in transformers is an error that says so") {
  const Workshop shop;
  shop.write("my.txt", std::string(4000, 'a'));
  REQUIRE(shop.rapt({"train", "my.txt", "--position", "sinusoidal", "--tokenizer", "char", "--layers", "1", "--width",
                     "8", "--heads", "2", "--context", "8", "--steps", "1", "--quiet"})
              .code == 0);
  check_error(shop.rapt({"checkpoint", "export", "runs/my", "--out", "hf"}), 64,
              "export: transformers has no GPT with sinusoidal positions; train it with --position learned or rope to "
              "export it");
  CHECK_FALSE(shop.has("hf"));
}

TEST_CASE("eval and score have their documented output") {
  const Workshop& shop = trained();
  const ProgramResult json = shop.rapt({"eval", "runs/m", "--data", "my.txt", "--json"});
  CHECK(json.code == 0);
  for (const char* key : {"{\"loss\":", "\"perplexity\":", "\"bits_per_byte\":", "\"tokens\":6899"}) {
    CAPTURE(key);
    CHECK(json.out.find(key) != std::string::npos);
  }
  shop.write("two.txt", "the cat\nsat on\n");
  const ProgramResult lines = shop.rapt({"score", "runs/m", "--data", "two.txt", "--per-line"});
  CHECK(std::count(lines.out.begin(), lines.out.end(), '\n') == 2);
  CHECK(lines.out.find("\tthe cat\n") != std::string::npos);
}

TEST_CASE("checkpoints are verified, described and compared") {
  const Workshop& shop = trained();
  CHECK(shop.rapt({"checkpoint", "verify", "runs/m/last.h5"}).out.starts_with("runs/m/last.h5: intact, step 60"));
  CHECK(shop.rapt({"checkpoint", "info", "runs/m"}).out.find("\nparameters  ") != std::string::npos);
  CHECK(shop.rapt({"checkpoint", "diff", "runs/m", "runs/m/last.h5"}).out == "equal\n");

  std::string damaged = shop.read("runs/m/last.h5");
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 4);
  shop.write("damaged.h5", damaged);
  shop.write("cut.h5", damaged.substr(0, 5000));
  const ProgramResult bad = shop.rapt({"checkpoint", "verify", "damaged.h5"});
  CHECK(bad.code == 65);
  CHECK(bad.err.starts_with("error: damaged.h5: "));
  check_error(shop.rapt({"checkpoint", "verify", "cut.h5"}), 65,
              "cut.h5: the checkpoint is truncated: must be " + std::to_string(damaged.size()) +
                  " bytes, got 5000; use another checkpoint of the run, or the copy this one came from");
}

// Previously, it printed bytes and counters, but not which model it is.
TEST_CASE("info prints model, size, task, tokenizer, step, best score and data of runs and Hugging Face directories") {
  const Workshop& shop = trained();
  const std::string run = shop.rapt({"checkpoint", "info", "runs/m"}).out;
  const std::vector<std::string> lines = {"\nmodel       gpt2: 1 layer, 2 heads, width 16, feed-forward 64, ",
                                          "\nparameters  3,",
                                          "\ncontext     16 tokens\n",
                                          "\ntask        lm\n",
                                          "\ntokenizer   characters, 11 entries\n",
                                          "\nstep        60, run finished\n",
                                          "\nbest        loss ",
                                          " at step 60\n",
                                          "\ndata        my.txt (6,900 bytes)\n"};
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(run.find(line) != std::string::npos);
  }
  REQUIRE(shop.rapt({"checkpoint", "export", "runs/m", "--out", "told"}).code == 0);
  const std::string directory = shop.rapt({"checkpoint", "info", "told"}).out;
  CHECK(directory.starts_with("told: Hugging Face directory\nmodel       gpt2: 1 layer, 2 heads, width 16, "));
  CHECK(directory.find("\ntokenizer   characters, 11 entries\n") != std::string::npos);
  // Previously, a name that fills its column ran into the type: `dense.biasF32`.
  const std::string tensors = shop.rapt({"checkpoint", "info", "told/model.safetensors"}).out;
  CHECK(tensors.find(" F32 [16, 64]\n") != std::string::npos);
  const std::string all = shop.rapt({"checkpoint", "info", "runs/m", "--all"}).out;
  CHECK(all.find("optimizer/m/blocks.0.feed_forward.down.weight    f32 [16, 64]\n") != std::string::npos);
}

// Previously, it only said "differs", and rejected directories: "must be a file, got a folder".
TEST_CASE("diff gives the size of each difference, both shapes, and compares with Hugging Face directories") {
  const Workshop& shop = trained();
  const auto train = [&](const char* width, const char* steps, const char* out) {
    return shop
        .rapt({"train",     "my.txt", "--layers", "1", "--heads",     "2",    "--width",         width,
               "--context", "16",     "--batch",  "4", "--tokenizer", "char", "--learning-rate", "1e-2",
               "--steps",   steps,    "--out",    out, "--quiet"})
        .code;
  };
  REQUIRE(train("16", "30", "runs/short") == 0);
  REQUIRE(train("8", "1", "runs/narrow") == 0);
  REQUIRE(shop.rapt({"checkpoint", "export", "runs/m", "--out", "same"}).code == 0);
  const std::string not_compared = "not compared: optimiser and state, which Hugging Face directories do not have\n";
  for (const auto& [a, b] : {std::pair{"runs/m", "same"}, {"same", "runs/m/last.h5"}, {"same", "same"}}) {
    const ProgramResult equal = shop.rapt({"checkpoint", "diff", a, b});
    CHECK(equal.out == not_compared + "equal\n");
    CHECK(equal.code == 0);
  }
  const ProgramResult sizes = shop.rapt({"checkpoint", "diff", "runs/short", "same"});
  CHECK(sizes.code == 1);
  CHECK(std::regex_search(sizes.out,
                          std::regex("^ +max \\|A - B\\| relative L2\nmodel/tokens.weight  +[0-9.e-]+ +[0-9.e-]+\n")));
  CHECK(std::regex_search(sizes.out, std::regex("\nall common parameters  +[0-9.e-]+ +[0-9.e-]+\n")));
  CHECK(sizes.out.find("\n16 differences\n") != std::string::npos);
  const ProgramResult shapes = shop.rapt({"checkpoint", "diff", "runs/m", "runs/narrow"});
  CHECK(shapes.code == 1);
  CHECK(shapes.out.find("model/norm.gain                                  f32 [16] and f32 [8]\n") !=
        std::string::npos);
}

TEST_CASE("errors of commands on models are reported in one line") {
  const Workshop& shop = trained();
  check_error(shop.rapt({"generate"}), 64, "rapt generate needs MODEL; see rapt help generate");
  check_error(shop.rapt({"generate", "nothing"}), 66, "model not found: nothing");
  check_error(shop.rapt({"generate", "runs/m", "--temperature", "-1"}), 64,
              "--temperature must be a number from 0 to 1e9, got \"-1\"");
  check_error(shop.rapt({"generate", "runs/m", "--top-p", "2"}), 64, "--top-p must be above 0 and at most 1, got 2");
  check_error(shop.rapt({"generate", "runs/m", "--max-tokens", "many"}), 64,
              "--max-tokens must be a whole number of at least 0, got \"many\"");
  check_error(shop.rapt({"generate", "runs/m", "--prompt", "XYZ"}), 65,
              "tokenizer: a character must be one of the vocabulary's 11, got \"X\" (U+0058) at byte 0; train the "
              "tokenizer on text that has "
              "it, or as --type byte");
  check_error(shop.rapt({"eval", "runs/m"}), 64, "rapt eval needs --data FILE");
  check_error(shop.rapt({"eval", "my.txt", "--data", "my.txt"}), 65,
              "my.txt: not a rapt checkpoint: must begin with RAPTCKPT, got \"the cat \"");
  check_error(shop.rapt({"score", "runs/m", "--data", "none.txt"}), 66, "none.txt: no such file");
  check_error(shop.rapt({"checkpoint", "export", "runs/m", "--format", "onnx", "--out", "x"}), 64,
              "--format must be one of hf, got \"onnx\"");
  check_error(shop.rapt({"checkpoint", "export", "runs/m"}), 64, "rapt checkpoint export needs --out DIR");
  check_error(shop.rapt({"checkpoint", "diff", "runs/m"}), 64,
              "rapt checkpoint diff needs A B; see rapt help checkpoint diff");
  check_error(shop.rapt({"bench", "step", "--preset", "gpt3"}), 64,
              "--preset must be one of char-cpu, char, gpt2, gpt2-dropout, got \"gpt3\"; did you mean gpt2?");
}
