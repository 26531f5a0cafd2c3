// Enforces the dependencies in docs/architecture.md: reads the #include lines of src and apps.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/source_folder.h"

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = rapt::source_folder();

// The direct dependencies of each folder of src; a folder may include those and everything that they may include.
const std::map<std::string, std::set<std::string>> kStandsOn = {
    {"tensor", {}},   {"autograd", {"tensor"}},   {"nn", {"autograd"}},  {"io", {"tensor"}},
    {"text", {"io"}}, {"decode", {"nn", "text"}}, {"train", {"decode"}},
};

// The sub-folders of a folder, in the order of the data flow: each may include itself and those before it. "" is the
// folder itself.
const std::map<std::string, std::vector<std::string>> kOrder = {
    {"text", {"", "corpus", "tokenizer", "tokenizer/files", "tokenizer/training", "batches", "labelled", "pairs"}},
    {"train", {"team", "metrics", "settings", "models", "optimise", "files", "labelled", "tasks", "run"}},
};

std::set<std::string> may_include(const std::string& folder) {
  std::set<std::string> result = {folder};
  for (const std::string& below : kStandsOn.at(folder)) result.merge(may_include(below));
  return result;
}

// "train" of "train/tasks/job.h".
std::string first_folder(const std::string& path) { return path.substr(0, path.find('/')); }

// "tasks" of "train/tasks/job.h", "" of "text/utf8.h".
std::string sub_folder(const std::string& path) {
  const std::size_t first = path.find('/'), last = path.rfind('/');
  return first == last ? "" : path.substr(first + 1, last - first - 1);
}

// The position of a file's sub-folder in its folder's order; the number of sub-folders if it has none.
std::size_t place(const std::string& path) {
  const std::vector<std::string>& order = kOrder.at(first_folder(path));
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), sub_folder(path)) - order.begin());
}

// Whether a file of src may include another one; both as paths from src.
bool allowed(const std::string& file, const std::string& header) {
  const std::string own = first_folder(file);
  if (may_include(own).count(first_folder(header)) == 0) return false;
  return first_folder(header) != own || kOrder.count(own) == 0 || place(header) <= place(file);
}

struct Include {
  std::string file;  // from the root of the repository
  int line = 0;
  std::string header;  // the text between the quotes or angle brackets
  bool quoted = false;
  std::string where() const { return file + ":" + std::to_string(line) + " includes " + header; }
};

struct Source {
  std::string file;
  std::vector<std::string> lines;
  std::vector<Include> includes;
};

// "#  include <a/b.h>  // why" gives a/b.h; anything else an empty header.
Include parse_include(const std::string& text) {
  Include include;
  std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string::npos || text[at] != '#') return include;
  at = text.find_first_not_of(" \t", at + 1);
  if (at == std::string::npos || text.compare(at, 7, "include") != 0) return include;
  at = text.find_first_of("\"<", at + 7);
  if (at == std::string::npos) return include;  // #include MACRO
  include.quoted = text[at] == '"';
  const std::size_t end = text.find(include.quoted ? '"' : '>', at + 1);
  if (end != std::string::npos) include.header = text.substr(at + 1, end - at - 1);
  return include;
}

Source read_source(const fs::path& path) {
  Source source;
  source.file = fs::relative(path, kRoot).generic_string();
  std::ifstream in(path);
  for (std::string text; std::getline(in, text);) {
    source.lines.push_back(text);
    Include include = parse_include(text);
    if (include.header.empty()) continue;
    include.file = source.file;
    include.line = static_cast<int>(source.lines.size());
    source.includes.push_back(include);
  }
  return source;
}

std::vector<Source> sources_below(const std::string& folder) {
  std::vector<Source> sources;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp") sources.push_back(read_source(entry.path()));
  }
  return sources;
}

const std::vector<Source>& library() {
  static const std::vector<Source> sources = sources_below("src");
  return sources;
}

bool has(const Source& source, const std::string& text) {
  return std::any_of(source.lines.begin(), source.lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

// Every include for which `wrong` holds, one per line.
std::string offenders(const std::vector<Source>& sources, const std::function<bool(const Include&)>& wrong) {
  std::string found;
  for (const Source& source : sources) {
    for (const Include& include : source.includes) {
      if (wrong(include)) found += include.where() + "\n";
    }
  }
  return found;
}

}  // namespace

TEST_CASE("include lines are understood in the forms that occur") {
  CHECK(parse_include("#include \"text/tokenizer/bpe.h\"").header == "text/tokenizer/bpe.h");
  CHECK(parse_include("#  include <cblas.h>  // why").header == "cblas.h");
  CHECK_FALSE(parse_include("#include <cblas.h>").quoted);
  CHECK(parse_include("#include HWY_TARGET_INCLUDE").header.empty());
  CHECK(parse_include("// #include \"text/tokenizer/bpe.h\"").header.empty());
}

TEST_CASE("every folder of src is in the table of dependencies, and its dependencies exist") {
  REQUIRE_FALSE(library().empty());
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "src")) {
    const std::string folder = entry.path().filename().string();
    CAPTURE(folder);
    CHECK(kStandsOn.count(folder) == 1);
  }
}

TEST_CASE("every sub-folder has its place in the order") {
  for (const Source& source : library()) {
    const std::string path = source.file.substr(4);  // after "src/"
    if (kOrder.count(first_folder(path)) == 0) continue;
    CAPTURE(path);
    CHECK(place(path) < kOrder.at(first_folder(path)).size());
  }
}

TEST_CASE("an upward include is detected") {
  CHECK(allowed("train/run/run.cpp", "train/tasks/job.h"));
  CHECK(allowed("train/run/run.cpp", "text/corpus/corpus.h"));
  CHECK(allowed("text/tokenizer/tokenizer.cpp", "text/utf8.h"));
  CHECK_FALSE(allowed("train/tasks/job.cpp", "train/run/run.h"));
  CHECK_FALSE(allowed("text/utf8.cpp", "text/corpus/input.h"));
  CHECK_FALSE(allowed("text/tokenizer/tokenizer.cpp", "text/tokenizer/training/bpe_trainer.h"));
  CHECK_FALSE(allowed("nn/linear.cpp", "decode/decoder.h"));
  CHECK_FALSE(allowed("text/utf8.cpp", "nn/linear.h"));
}

TEST_CASE("no file of src includes upwards or sideways") {
  CHECK(offenders(library(), [](const Include& include) {
          return include.quoted && !allowed(include.file.substr(4), include.header);  // after "src/"
        }) == "");
}

TEST_CASE("our headers are included in quotes, by their path from src") {
  CHECK(offenders(library(), [](const Include& include) {
          const bool ours = fs::exists(kRoot / "src" / include.header);
          return include.quoted != ours;
        }) == "");
}

TEST_CASE("only one file uses each large dependency: OpenMP, OpenBLAS, oneDNN, Highway, the HDF5 C API") {
  const auto only = [](const std::string& header, const std::string& file) {
    return offenders(library(),
                     [&](const Include& include) { return include.header == header && include.file != file; });
  };
  CHECK(only("omp.h", "src/tensor/parallel.cpp") == "");
  CHECK(only("cblas.h", "src/tensor/matmul_openblas.cpp") == "");
  CHECK(only("dnnl.hpp", "src/tensor/matmul_onednn.cpp") == "");
  CHECK(only("hwy/highway.h", "src/tensor/simd.h") == "");
  CHECK(only("hdf5.h", "src/io/hdf5.cpp") == "");
  for (const Source& source : library()) {
    if (source.file == "src/tensor/parallel.cpp") continue;
    CAPTURE(source.file);
    CHECK_FALSE(has(source, "#pragma omp"));
  }
}

TEST_CASE("the library does not print") {
  CHECK(offenders(library(), [](const Include& include) { return include.header == "iostream"; }) == "");
}

TEST_CASE("neither the library nor its tests include the program") {
  std::vector<Source> sources = library();
  for (Source& source : sources_below("tests")) sources.push_back(std::move(source));
  CHECK(offenders(sources, [](const Include& include) { return first_folder(include.header) == "apps"; }) == "");
}

// This makes a header that needs another include before it fail to compile; headers without a .cpp are compiled by
// rapt_lone_headers (tests/CMakeLists.txt).
TEST_CASE("a .cpp that has a header includes it first") {
  for (const Source& source : library()) {
    const fs::path path = source.file;
    if (path.extension() != ".cpp") continue;
    const std::string header = fs::path(path).replace_extension(".h").generic_string().substr(4);
    if (!fs::exists(kRoot / "src" / header)) continue;
    CAPTURE(source.file);
    CHECK_FALSE(source.includes.empty());
    if (!source.includes.empty()) CHECK(source.includes.front().header == header);
  }
}

TEST_CASE("every header starts with its purpose, and is included once") {
  for (const Source& source : library()) {
    if (fs::path(source.file).extension() != ".h") continue;
    CAPTURE(source.file);
    REQUIRE_FALSE(source.lines.empty());
    CHECK(source.lines.front().substr(0, 3) == "// ");
    CHECK((has(source, "#pragma once") || has(source, "HWY_TARGET_TOGGLE")));  // Highway: once per instruction set
  }
}
