#include "text/tokenizer/files/sentencepiece_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/file.h"
#include "io/shared_data.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/text_fixture.h"
#include "text/tokenizer/files/sentencepiece_bytes.h"
#include "text/tokenizer/files/tokenizer_files.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;

using testing::field;
using testing::piece;
using testing::varint;

static std::string small_pieces() {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("\u2581", -2) + piece("\u2581a", -3) + piece("b", -4) +
         piece("a", -9) + piece("<br>", 0, 4) + piece("ab", -1, 5);
}

static std::unique_ptr<Tokenizer> read(const std::string& bytes) {
  return std::make_unique<Tokenizer>(read_sentencepiece_model(bytes, "m.model"), "m.model");
}
static std::string error_of(const std::string& bytes) {
  return message_of<DataError>([&] { read(bytes); });
}

TEST_CASE("a model file is read by its pieces, their roles and its rules for spaces") {
  const auto tokenizer = read(small_pieces());
  CHECK(tokenizer->vocabulary_size() == 8);
  CHECK(tokenizer->encode("a b") == Ids{3, 2, 4});
  CHECK(tokenizer->encode("  a   b  ") == Ids{3, 2, 4});
  CHECK(tokenizer->encode("ab") == Ids{3, 4});         // "ab" is unused
  CHECK(tokenizer->encode("a<br>b") == Ids{3, 6, 4});  // found regardless of its score
  CHECK(tokenizer->encode("xay") == Ids{2, 0, 5, 0});
  CHECK(tokenizer->encode("<s>a") == Ids{1, 3});
  CHECK(tokenizer->encode("<s>a", SpecialTokens::kAsText) == Ids{2, 0, 5});
  CHECK(tokenizer->encode("  ") == Ids{});
  CHECK(tokenizer->encode("") == Ids{});
  CHECK(tokenizer->decode(Ids{3, 2, 4, 0, 3}) == "a b \u2047  a");
  CHECK(tokenizer->is_special(1));
  CHECK_FALSE(tokenizer->is_special(6));

  // Spaces are kept, and none is added at the front; the unknown piece decodes to the text in the file.
  const auto plain = read(small_pieces() + field(2, field(44, std::string("?"))) + field(3, field(3, 0) + field(4, 0)));
  CHECK(plain->encode(" a  b") == Ids{3, 2, 2, 4});
  CHECK(plain->encode("a") == Ids{5});
  CHECK(plain->decode(Ids{3, 0}) == " a?");
}

TEST_CASE("unknown characters become byte tokens if the model has them") {
  std::string bytes = small_pieces();
  for (int b = 0; b < 256; ++b) {
    const char* const digits = "0123456789ABCDEF";
    bytes += piece(std::string("<0x") + digits[b / 16] + digits[b % 16] + ">", 0, 6);
  }
  const auto tokenizer = read(bytes + field(2, field(35, 1)));
  CHECK(tokenizer->encode("aé") == Ids{3, 8 + 0xC3, 8 + 0xA9});
  CHECK(tokenizer->decode(Ids{3, 8 + 0xC3, 8 + 0xA9}) == "aé");
  CHECK(tokenizer->encode("<0x41>").size() > 1);  // ordinary text
  CHECK(tokenizer_from_json(tokenizer->to_json(), "again")->encode("<0x41>é") == tokenizer->encode("<0x41>é"));
}

TEST_CASE("model files are recognised by their name, also gzipped") {
  const TemporaryFolder folder;
  write_plainly(folder / "m.model", small_pieces());
  write_plainly(folder / "m.model.gz", gzipped(small_pieces()));
  CHECK(load_tokenizer(folder / "m.model")->encode("a b") == Ids{3, 2, 4});
  CHECK(load_tokenizer(folder / "m.model.gz")->to_json() == load_tokenizer(folder / "m.model")->to_json());
  CHECK_THROWS_AS(load_tokenizer(folder / "absent.model"), MissingInputError);
}

TEST_CASE("models of other types and with other rules are rejected by name") {
  const auto type = [](std::uint64_t value) { return error_of(small_pieces() + field(2, field(3, value))); };
  CHECK(type(2) ==
        "tokenizer: m.model must be a SentencePiece model of type unigram, got BPE; transformers writes others as "
        "tokenizer.json");
  CHECK(type(3).find("got words;") != std::string::npos);
  CHECK(type(4).find("got characters;") != std::string::npos);
  CHECK(type(77).find("got an unknown type;") != std::string::npos);
  CHECK(error_of(small_pieces() + field(2, field(24, 1))) ==
        "tokenizer: m.model must have spaces in front of words, as U+2581, got a model that has them behind");
  CHECK(error_of(small_pieces() + field(3, field(5, 0))).find("keeps them as they are") != std::string::npos);
  CHECK(error_of(piece("a", 0)) == "tokenizer: m.model must have one unknown piece, got 0");
  CHECK(error_of(small_pieces() + piece("<unk2>", 0, 2)) == "tokenizer: m.model must have one unknown piece, got 2");
}

TEST_CASE("a damaged file is rejected with the reason") {
  const std::string good = small_pieces();
  const std::string begin = "tokenizer: m.model is damaged or not a SentencePiece model: ";
  CHECK(error_of("") == "tokenizer: m.model must have one unknown piece, got 0");
  CHECK(error_of(good.substr(0, good.size() - 1)) ==
        begin + "a field must end before the message does, got one that wants 11 bytes of 10");
  CHECK(error_of("{\"model\": 1}").find(begin) == 0);
  CHECK(error_of(std::string(1, '\x0B')) == begin + "field 1 must have wire type 0, 1, 2 or 5, got 3");
  CHECK(error_of(std::string(1, '\x02')) == begin + "a field's number must be from 1 to 536870911, got another");
  CHECK(error_of(std::string(11, '\xFF')) == begin + "a number must have at most 10 bytes, got more");
  CHECK(error_of(field(1, 3)) == begin + "field 1 must be bytes, got another type");
  CHECK(error_of(field(1, field(1, std::string("a")) + field(2, 3))) ==
        begin + "field 2 must be a number of 32 bits, got another type");
  CHECK(error_of(field(2, field(3, std::string("a")))) == begin + "field 3 must be an integer, got another type");
  CHECK(error_of(piece("", 0)) == "tokenizer: m.model must have pieces of text in UTF-8, got \"\"");
  CHECK(error_of(piece("\xFF", 0)).find("pieces of text in UTF-8") != std::string::npos);
  CHECK(error_of(good + piece("b", 0)) == "tokenizer: m.model: token \"b\" must have one id, got 4 and 8");
  CHECK(error_of(good + piece("x", std::bit_cast<float>(0x7FC00000u))).find("must be finite, got nan") !=
        std::string::npos);
  CHECK(error_of(good + piece(std::string(4097, 'x'), 0)).find("at most 4096 bytes") != std::string::npos);
}

TEST_CASE("any damage to a file is an error or still a tokenizer") {
  std::string good = small_pieces() + field(2, field(3, 1) + field(44, std::string("?"))) + field(3, field(3, 1));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      try {
        const auto tokenizer = read(bad);
        tokenizer->decode(tokenizer->encode("a <s>  b\xFF"));
      } catch (const DataError&) {
      }
    }
    CHECK_NOTHROW([&] {
      try {
        read(good.substr(0, at));
      } catch (const DataError&) {
      }
    }());
  }
}
