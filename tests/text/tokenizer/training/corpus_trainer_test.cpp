#include "text/tokenizer/training/corpus_trainer.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/parallel.h"

using namespace rapt;

TEST_CASE("text may be split at a single white space between two words") {
  CHECK(length_of_whole_words("one two three") == 7);
  CHECK(length_of_whole_words("one\ntwo") == 3);
  CHECK(length_of_whole_words("one  two") == 0);
  CHECK(length_of_whole_words("one ") == 0);
  CHECK(length_of_whole_words(" one") == 0);
  CHECK(length_of_whole_words("") == 0);
  CHECK(length_of_whole_words("a b\xc2\xa0") == 1);
  CHECK(length_of_whole_words("\xc3\xa9 b") == 0);
}

TEST_CASE("text of white space alone is an error") {
  for (const TokenizerType type : {TokenizerType::kByteBpe, TokenizerType::kWordPiece, TokenizerType::kChar})
    CHECK_THROWS_WITH_AS(train_tokenizer(Corpus::from_text("blank.txt", "  \n\t\n"), {.type = type}),
                         "blank.txt: must hold text to train a tokenizer on, got only white space", DataError);
}

TEST_CASE("a tokenizer trained on a corpus equals one trained on its whole text, on any number of threads") {
  std::string text;
  for (std::int64_t i = 0; text.size() < 9000000; ++i)
    text += "word" + std::to_string(i * 7919 % 5003) + (i % 11 ? " " : ".\n");
  for (const TokenizerType type : {TokenizerType::kByteBpe, TokenizerType::kWordBpe, TokenizerType::kChar}) {
    const TokenizerTrainerOptions options{.type = type, .vocabulary = 600};
    TokenizerTrainer whole(options);
    whole.add_text(text);
    const std::string expected = whole.train()->to_json();
    const int before = thread_count();
    for (const int threads : {1, 2}) {
      set_thread_count(threads);
      CHECK(train_tokenizer(Corpus::from_text("text", text), options)->to_json() == expected);
    }
    set_thread_count(before);
  }
}
