#include "text/tokenizer/files/marian_files.h"

#include <doctest/doctest.h>

#include "io/file.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/files/sentencepiece_bytes.h"
#include "text/tokenizer/files/tokenizer_files.h"

using namespace rapt;
using testing::piece;
using Ids = std::vector<std::int32_t>;

namespace {

const std::string kMark = "\u2581";

// Each side has pieces of its own; vocab.json has both, in an order of its own.
struct Directory {
  Directory() {
    const std::string special = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
    write_in(folder, "source.spm", special + piece(kMark, -3) + piece("a", -4) + piece(kMark + "ein", -1));
    write_in(folder, "target.spm",
             special + piece(kMark, -3) + piece("a", -1) + piece(kMark + "one", -2) + piece("z", -5));
    write_in(folder, "vocab.json",
             R"({"</s>": 0, "<unk>": 1, "a": 2, "▁ein": 3, "▁one": 4, ">>de<<": 5, "▁": 6, "<pad>": 7, "z": 8})");
    write_in(folder, "tokenizer_config.json", R"({"source_lang": "de"})");
  }
  TemporaryFolder folder;
  std::string path() const { return folder / ""; }
};

}  // namespace

TEST_CASE("each side splits with its own pieces and has the ids of vocab.json") {
  const Directory directory;
  REQUIRE(has_marian_files(directory.path()));
  const MarianTokenizers both = read_marian_files(directory.path());
  CHECK(both.source->vocabulary_size() == 9);
  CHECK(both.source->encode("ein a") == Ids{3, 6, 2});
  CHECK(both.target->encode("ein") == Ids{6, 1});  // not a piece of this side
  CHECK(both.target->encode("one a") == Ids{4, 6, 2});
  CHECK(both.source->encode("z x") == Ids{6, 8, 6, 1});  // MarianTokenizer finds the text of an unknown piece
  CHECK(both.source->encode(">>de<< ein", SpecialTokens::kAsText) == Ids{5, 3});
  CHECK(both.source->encode("</s>", SpecialTokens::kAsText).size() > 1);
  CHECK(both.target->decode(Ids{4, 6, 2, 0}, true) == "one a");
  CHECK(both.target->pad_token() == 7);
  CHECK(both.target->separator_token() == 0);
}

TEST_CASE("the bytes of the files survive a checkpoint") {
  const Directory directory;
  const MarianTokenizers both = read_marian_files(directory.path());
  const auto source = tokenizer_from_json(both.source->to_json(), "checkpoint");
  const auto target = tokenizer_from_json(both.target->to_json(), "checkpoint");
  CHECK(source->to_json() == both.source->to_json());
  CHECK(source->encode("ein a") == Ids{3, 6, 2});
  std::size_t files = 0;
  for (const auto* tokenizer : {source.get(), target.get()}) {
    for (const auto& file : tokenizer->original_files()) {
      CAPTURE(file.first);
      CHECK(file.second == read_file(directory.folder / file.first));
      ++files;
    }
  }
  CHECK(files == 4);
}

TEST_CASE("files that do not belong together are refused") {
  const Directory directory;
  const std::string path = directory.path();
  const auto with = [&](const std::string& vocabulary) {
    write_in(directory.folder, "vocab.json", vocabulary);
    return message_of<DataError>([&] { read_marian_files(path); });
  };
  CHECK(with(R"({"</s>": 0, "<unk>": 1, "a": 2, "▁": 3})") ==
        "tokenizer: " + path + "/vocab.json must have every piece of " + path + "/source.spm, got no \"▁ein\"");
  CHECK(with(R"({"</s>": 0, "<unk>": 1, "a": 3})") ==
        "tokenizer: " + path + "/vocab.json must have ids from 0 without a gap, got none with id 2");
  std::filesystem::remove(directory.folder / "target.spm");
  CHECK_FALSE(has_marian_files(path));
}
