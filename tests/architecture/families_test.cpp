// A model family is named only in its own files and in the tables of settings. All other code uses a property in the
// family's record (src/train/models/family.h).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "support/source_folder.h"

namespace fs = std::filesystem;

namespace {

const fs::path kSource = fs::path(rapt::source_folder()) / "src";

const std::vector<std::string> kNames = {"\"gpt2\"", "\"gpt1\"", "\"bert\""};

// Files that may name a family: its network, its record, its Hugging Face kinds, and tables of settings.
const std::set<std::string> kOwn = {
    "nn/models/bert.cpp",
    "train/models/gpt_family.cpp",
    "train/models/bert_family.cpp",
    "train/models/hugging_face_gpt.cpp",
    "train/models/hugging_face_bert.cpp",
    "train/settings/setting_rows_model.cpp",  // the choices of --model
    "train/settings/train_config.h",          // its default
    "train/settings/presets.cpp",             // recipes
    "train/settings/recipes.cpp",             // what is chosen for a classifier from scratch
};

bool names_a_family(const std::string& line) {
  return std::ranges::any_of(kNames, [&](const std::string& name) { return line.find(name) != std::string::npos; });
}

}  // namespace

TEST_CASE("a line that names a family is detected") {
  CHECK(names_a_family("  if (config.model == \"bert\") return;"));
  CHECK_FALSE(names_a_family("  use(\"bert.encoder\");"));
}

TEST_CASE("no file of src names a model family except its own and the tables of settings") {
  std::set<std::string> named;
  std::string offenders;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kSource)) {
    if (!entry.is_regular_file()) continue;
    const std::string file = fs::relative(entry.path(), kSource).generic_string();
    std::ifstream in(entry.path());
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (!names_a_family(line)) continue;
      named.insert(file);
      if (kOwn.count(file) == 0) offenders += file + ":" + std::to_string(number) + ": " + line + "\n";
    }
  }
  CHECK(offenders == "");
  CHECK(named == kOwn);  // a file that no longer names one must leave the list
}
