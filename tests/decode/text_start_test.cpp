#include "decode/text_start.h"

#include <doctest/doctest.h>

#include <memory>

#include "text/tokenizer/training/tokenizer_trainer.h"

using namespace rapt;

namespace {

std::unique_ptr<Tokenizer> learn(TokenizerType type, const std::string& text) {
  TokenizerTrainer trainer({.type = type, .vocabulary = 300});
  trainer.add_text(text);
  return trainer.train();
}

TextStart start(const Tokenizer& tokenizer, std::optional<std::int32_t> end, const std::string& text) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  return text_start(tokenizer, end,
                    [&](std::size_t i) { return i < ids.size() ? std::optional(ids[i]) : std::nullopt; });
}

}  // namespace

// Previously, samples during training omitted their first token, and therefore started inside a word.
TEST_CASE("a text starts after the end of another, else after a line end, else with the data's first characters") {
  const auto bytes = learn(TokenizerType::kByte, "");
  CHECK(start(*bytes, 7, "\xC3\xA9t\xC3\xA9").ids == std::vector<std::int32_t>{7});
  CHECK(start(*bytes, 7, "x").shown.empty());
  CHECK(start(*bytes, std::nullopt, "x").ids == bytes->encode("\n"));
  CHECK(start(*bytes, std::nullopt, "x").shown.empty());

  const auto characters = learn(TokenizerType::kChar, "\xC3\xA9t\xC3\xA9");
  CHECK(start(*characters, std::nullopt, "\xC3\xA9t").shown == "\xC3\xA9");
  CHECK(start(*characters, std::nullopt, "\xC3\xA9t").ids == characters->encode("\xC3\xA9"));

  const auto words = learn(TokenizerType::kWordBpe, "the cat sat on the mat, the cat sat");
  CHECK(start(*words, std::nullopt, "the cat").shown == "the");
  CHECK(start(*words, std::nullopt, "").ids.empty());
}
