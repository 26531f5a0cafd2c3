#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "cli/run_program.h"

using namespace rapt;

TEST_CASE("no arguments, help and version print to standard output and succeed") {
  Workshop shop;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"--help"}, {"-h"}, {"help"}}) {
    const ProgramResult result = shop.rapt(arguments);
    CHECK(result.code == 0);
    CHECK(result.err.empty());
    CHECK(result.out.find("rapt train my.txt") != std::string::npos);
    CHECK(result.out.find("rapt params ") != std::string::npos);
  }
  CHECK(shop.rapt({"--version"}).out == "rapt 0.1.0\n");
}

TEST_CASE("errors for unknown commands name the most similar one, and for files the command to use") {
  Workshop shop;
  check_error(shop.rapt({"parms"}), 64, "unknown command parms; did you mean rapt params?");
  check_error(shop.rapt({"xyzzy"}), 64, "unknown command xyzzy; rapt help lists them all");
  check_error(shop.rapt({"\x1b[31m"}), 64, "unknown command \\x1b[31m; rapt help lists them all");
  shop.write("my.txt", "text");
  check_error(shop.rapt({"my.txt"}), 64, "unknown command my.txt; to train on that file: rapt train my.txt");
  check_error(shop.rapt({"help", "doctr"}), 64, "unknown command doctr; did you mean rapt doctor?");
  check_error(shop.rapt({"--layers", "4"}), 64, "a command must come first, got \"--layers\"; see rapt help");
}

TEST_CASE("unknown options are reported with the most similar one, before errors that they cause") {
  Workshop shop;
  check_error(shop.rapt({"params", "--layrs", "4"}), 64, "unknown option --layrs; did you mean --layers?");
  check_error(shop.rapt({"params", "--n_layr=4"}), 64, "unknown option --n_layr; did you mean --layers?");
  check_error(shop.rapt({"params", "-z"}), 64, "unknown option -z; see rapt help params");
  check_error(shop.rapt({"params", "-layers", "4"}), 64, "unknown option -layers; did you mean --layers?");
  check_error(shop.rapt({"params", "--layers", "--witdh", "4"}), 64, "unknown option --witdh; did you mean --width?");
}

TEST_CASE("missing, superfluous and invalid values are named") {
  Workshop shop;
  check_error(shop.rapt({"params", "--layers"}), 64, "--layers needs a value: --layers N");
  check_error(shop.rapt({"params", "--layers", "--width", "8"}), 64, "--layers needs a value: --layers N");
  check_error(shop.rapt({"params", "--json=yes", "--preset", "gpt2"}), 64, "--json takes no value, got \"yes\"");
  check_error(shop.rapt({"params", "--no-bias=1"}), 64, "--no-bias takes no value, got \"1\"");
  check_error(shop.rapt({"params", "extra"}), 64,
              "unexpected argument \"extra\": rapt params takes no arguments; see rapt help params");
  check_error(shop.rapt({"params", "--layers", "four"}), 64,
              "--layers must be a whole number from 1 to 10000, got \"four\"");
  check_error(shop.rapt({"params", "--heads", "-3"}), 64, "--heads must be a whole number from 1 to 10000, got \"-3\"");
  check_error(shop.rapt({"params", "--bias", "--tie", "perhaps"}), 64,
              "unexpected argument \"perhaps\": rapt params takes no arguments; see rapt help params");
  check_error(shop.rapt({"doctor", "--color", "red"}), 64, "--color must be one of auto|always|never, got \"red\"");
  check_error(shop.rapt({"doctor", "--threads", "many"}), 64,
              "--threads must be a whole number from 0 to 4096, got \"many\"");
  check_error(shop.rapt({"completion", "tcsh"}), 64, "rapt completion supports bash, zsh and fish, got \"tcsh\"");
  check_error(shop.rapt({"completion"}), 64, "rapt completion needs bash|zsh|fish; see rapt help completion");
}

// Previously, it said "got "file.tsv" besides", and not what to type.
TEST_CASE("an argument for which an option exists is an error that names the option") {
  Workshop shop;
  for (const char* verb : {"score", "embed"}) {
    CAPTURE(verb);
    check_error(
        shop.rapt({verb, "runs/my", "file.tsv"}), 64,
        "unexpected argument \"file.tsv\": rapt " + std::string(verb) + " takes only MODEL; use --data file.tsv");
  }
  check_error(
      shop.rapt({"eval", "runs/my", "file.tsv"}), 64,
      "eval: several models need --source and --target, the texts that all of them translate; data for one model "
      "is given with --data FILE");
  check_error(shop.rapt({"generate", "runs/my", "Once upon"}), 64,
              "unexpected argument \"Once upon\": rapt generate takes only MODEL; use --prompt \"Once upon\"");
}

TEST_CASE("errors for options of other programs name ours, or say why none is needed") {
  Workshop shop;
  const std::vector<std::pair<std::vector<std::string>, std::string>> expected = {
      {{"finetune", "--do_train"},
       "--do_train is an option of transformers: not needed, rapt train and rapt finetune always train"},
      {{"finetune", "--do_eval"},
       "--do_eval is an option of transformers: not needed, a run validates at every --eval-every; to evaluate it "
       "later: rapt eval RUN"},
      {{"finetune", "--evaluation_strategy", "epoch"},
       "--evaluation_strategy is an option of transformers: use --eval-every 500 (updates), 1e (epochs) or off"},
      {{"train", "--save-strategy=no"},
       "--save-strategy is an option of transformers: use --save-every 500 (updates), 1e (epochs) or off"},
      {{"finetune", "--fp16"},
       "--fp16 is an option of transformers: rapt computes in f32, or in bf16 with --precision bf16"},
      {{"finetune", "--per_device_eval_batch_size", "8"},
       "--per_device_eval_batch_size is an option of transformers: not needed, rapt chooses the batch size of "
       "validation"},
      {{"finetune", "--overwrite_output_dir"},
       "--overwrite_output_dir is an option of transformers: rapt never overwrites a run; remove the folder or change "
       "--out"},
      {{"finetune", "--logging_dir", "x"},
       "--logging_dir is an option of transformers: not needed, metrics are in metrics.jsonl in the run folder"},
      {{"finetune", "--load_best_model_at_end"},
       "--load_best_model_at_end is an option of transformers: not needed, best.h5 in the run folder is the best "
       "checkpoint"},
      {{"train", "--compile=False"}, "--compile is an option of nanoGPT: not needed, rapt is compiled"},
      {{"train", "--device=cpu"}, "--device is an option of nanoGPT: not needed, rapt runs on the CPU"},
      {{"train", "--dtype", "float32"}, "--dtype is an option of nanoGPT: use --precision bf16"},
      {{"train", "--train-sets", "a", "b"}, "--train-sets is an option of Marian: use --data FILE"},
      {{"train", "--vocabs", "a", "b"}, "--vocabs is an option of Marian: use --tokenizer FILE"}};
  for (const auto& [arguments, message] : expected) check_error(shop.rapt(arguments), 64, message);
  // Marian's --valid-freq is an alias of --eval-every, not an error; advice that names an option which the command does
  // not have would be useless.
  CHECK(shop.rapt({"train", "x.txt", "--valid-freq", "5"}).err.starts_with("note: read --valid-freq as --eval-every"));
  check_error(shop.rapt({"doctor", "--train-sets", "a"}), 64, "unknown option --train-sets; see rapt help doctor");
}

TEST_CASE("impossible models are rejected with a valid value") {
  Workshop shop;
  check_error(shop.rapt({"params", "--width", "100", "--heads", "3"}), 64,
              "--width 100 must be a multiple of --heads 3; try --width 99 or 102");
  check_error(shop.rapt({"params", "--preset", "gpt9"}), 64,
              "--preset must be one of shakespeare-char-cpu, shakespeare-char, gpt1, gpt2, gpt2-medium, gpt2-large, "
              "gpt2-xl, bert-tiny, bert-mini, bert-small, bert-medium, bert-base, "
              "lstm-seq2seq, gru-seq2seq, gru-bahdanau, lstm-luong, transformer-base, transformer-big, "
              "transformer-tiny, multi30k, "
              "glue/cola, glue/sst2, glue/mrpc, glue/stsb, glue/qqp, glue/mnli, glue/qnli, glue/rte, glue/wnli, got "
              "\"gpt9\"; did you mean gpt1?");
  check_error(shop.rapt({"params", "--size", "huge"}), 64,
              "--size must be one of tiny, mini, small, base, got \"huge\"");
}

TEST_CASE("names from other projects work and are reported once with ours") {
  Workshop shop;
  const ProgramResult result =
      shop.rapt({"params", "--n_layer", "2", "--n_embd=64", "--n_layer", "3", "--vocab_size", "100", "--json"});
  CHECK(result.code == 0);
  CHECK(result.err == "note: read --n_layer as --layers, --n_embd as --width, --vocab_size as --vocab\n");
  CHECK(result.out.find("\"vocabulary\":100") != std::string::npos);
  CHECK(shop.rapt({"--quiet", "params", "--n_layer", "2", "--vocab_size", "100"}).err.empty());
}

TEST_CASE("options may stand before the command, values may start with a dash, and -- ends options") {
  Workshop shop;
  CHECK(shop.rapt({"--threads", "1", "-q", "params", "--preset", "gpt2", "--json"}).code == 0);
  check_error(shop.rapt({"params", "--config", "-x.toml"}), 66, "-x.toml: no such file");
  check_error(shop.rapt({"params", "--", "--layers"}), 64,
              "unexpected argument \"--layers\": rapt params takes no arguments; see rapt help params");
}

TEST_CASE("configuration files are read, with line and column when something is wrong") {
  Workshop shop;
  shop.write("run.toml", "preset = 'gpt2'\nlayers = 1\n");
  const ProgramResult result = shop.rapt({"params", "--config", "run.toml", "--json"});
  CHECK(result.code == 0);
  CHECK(result.out.find("\"per_block\":7087872") != std::string::npos);
  shop.write("bad.toml", "layers = 1\nlayrs = 2\n");
  check_error(shop.rapt({"params", "-c", "bad.toml"}), 78, "bad.toml:2:9: unknown setting layrs; did you mean layers?");
  shop.write("bad.toml", "heads = 'x'\n");
  check_error(shop.rapt({"params", "-c", "bad.toml"}), 78,
              "bad.toml:1:9: heads must be a whole number from 1 to 10000, got \"x\"");
}

TEST_CASE("the published models are counted as published") {
  Workshop shop;
  CHECK(shop.rapt({"params", "--preset", "gpt2"}).out.find("\nparameters                124,439,808\n") !=
        std::string::npos);
  CHECK(shop.rapt({"params", "--preset", "gpt1"}).out.find("\nparameters                116,534,784\n") !=
        std::string::npos);
  CHECK(shop.rapt({"params"}).out.find("  shakespeare-char-cpu") != std::string::npos);
}

TEST_CASE("every command explains itself within a screen, and completely with --help-all") {
  Workshop shop;
  const std::string overview = shop.rapt({"help"}).out;
  std::size_t commands = 0;
  for (std::size_t at = overview.find("Commands:"); (at = overview.find("\n  rapt ", at)) != std::string::npos; ++at) {
    const std::string line = overview.substr(at + 8, overview.find('\n', at + 1) - at - 8);
    std::vector<std::string> arguments = {"help"};
    const std::string name = line.substr(0, line.find("  "));
    arguments.push_back(name.substr(0, name.find(' ')));
    if (name.find(' ') != std::string::npos) arguments.push_back(name.substr(name.find(' ') + 1));
    CAPTURE(name);
    const ProgramResult help = shop.rapt(arguments);
    CHECK(help.code == 0);
    CHECK(help.out.find("rapt " + name + ": ") == 0);
    CHECK(help.out.find("Usage: rapt " + name) != std::string::npos);
    CHECK(std::count(help.out.begin(), help.out.end(), '\n') < 80);
    ++commands;
  }
  CHECK(commands >= 4);
}

TEST_CASE("completion scripts know every command") {
  Workshop shop;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const ProgramResult result = shop.rapt({"completion", shell});
    CHECK(result.code == 0);
    CHECK(result.out.find("params") != std::string::npos);
    CHECK(result.out.find("vocab") != std::string::npos);
  }
}

TEST_CASE("a result that cannot be written is an error; a reader that exited is not") {
  Workshop shop;
  const std::string program = RAPT_PROGRAM;
  const auto shell = [](const std::string& line) { return WEXITSTATUS(std::system(line.c_str())); };
  CHECK(shell(program + " help > /dev/full 2> " + shop.path("err")) == 74);
  CHECK(shop.read("err") == "error: standard output: cannot write: No space left on device\n");
  CHECK(shell("bash -o pipefail -c '" + program + " completion fish | true' 2> " + shop.path("err")) == 141);
  CHECK(shop.read("err").empty());
}

TEST_CASE("RAPT_SIMD limits the instruction set, and must name one") {
  Workshop shop;
  const char* const was = std::getenv("RAPT_SIMD");
  const std::string before = was == nullptr ? "" : was;
  ::setenv("RAPT_SIMD", "mmx", 1);
  const ProgramResult refused = shop.rapt({"doctor"});
  ::setenv("RAPT_SIMD", "sse4", 1);
  const ProgramResult held = shop.rapt({"doctor"});
  was == nullptr ? ::unsetenv("RAPT_SIMD") : ::setenv("RAPT_SIMD", before.c_str(), 1);
#if defined(__x86_64__)
  check_error(refused, 64, "RAPT_SIMD: must be one of sse4, avx2, avx512, got \"mmx\"; unset it to use the best one");
  CHECK(held.out.find("instructions  SSE4 (RAPT_SIMD=sse4)\n") != std::string::npos);
#else
  CHECK(refused.code == 64);
#endif
}

TEST_CASE("doctor reports its findings, also as JSON") {
  Workshop shop;
  const ProgramResult result = shop.rapt({"doctor", "--threads", "1"});
  CHECK(result.code == 0);
  for (const char* word : {"processor", "threads       1\n", "OpenBLAS", "hdf5          1.", "free here",
                           "matrix products are correct", "GFLOP/s"}) {
    CAPTURE(word);
    CHECK(result.out.find(word) != std::string::npos);
  }
  CHECK(shop.rapt({"doctor", "--json"}).out.find("\"products_right\":true") != std::string::npos);
}
