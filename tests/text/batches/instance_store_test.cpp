// Token stores for masked language models: sentences, documents, held-out parts.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/batches/token_store.h"
#include "text/corpus/stories.h"
#include "text/corpus/token_file.h"
#include "text/text_fixture.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "text/tokenizer_fixture.h"

using namespace rapt;
using Ids = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

namespace {

const Tokenizer& letters() {
  static const auto tokenizer =
      learn_for_bert(TokenizerType::kChar, "abcdefghijklmnopqrstuvwxyz []CLSEPMASK0123456789.");
  return *tokenizer;
}

std::string text_of(const TokenStore& store, const Tokenizer& tokenizer, TokenRange range) {
  Ids ids(static_cast<std::size_t>(range.size()));
  store.copy(range.begin, ids);
  return tokenizer.decode(ids);
}

/// Each document as its sentences, separated by bars.
Texts documents_with_bars(const TokenStore& store, Part part, const Tokenizer& tokenizer = letters()) {
  Texts texts;
  const TokenRange documents = store.documents(part);
  for (Dim d = documents.begin; d < documents.end; ++d) {
    const TokenRange document = store.document(d);
    std::vector<Dim> begins = {document.begin};
    store.sentences_within(document, begins);
    begins.push_back(document.end);
    std::string text;
    for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
      text += (i == 0 ? "" : "|") + text_of(store, tokenizer, {begins[i], begins[i + 1]});
    }
    texts.push_back(text);
  }
  return texts;
}

TokenStoreOptions for_pairs(double validation = 0, Dim document_lines = 1) {
  return {.validation_fraction = validation,
          .instances = InstanceOptions{.context = 16, .passes = 2, .document_lines = document_lines}};
}

TokenStore build_store(const TemporaryFolder& folder, const Corpus& corpus, const TokenStoreOptions& options,
                       const Tokenizer& tokenizer = letters()) {
  return build_token_store(corpus, nullptr, tokenizer, folder / "d.h5", options);
}

}  // namespace

TEST_CASE("a sentence is a line, a document ends at a blank line") {
  const TemporaryFolder folder;
  const std::string text = "\n\nab cd\n  ef\t\n\n \n\ngh\r\nij\nkl";
  const auto documents = [&](DocumentUnit unit) {
    return documents_with_bars(build_store(folder, Corpus::from_text("a", text, unit), for_pairs()), Part::kTrain);
  };
  CHECK(documents(DocumentUnit::kParagraph) == Texts{"ab cd|ef", "gh|ij|kl"});
  CHECK(documents(DocumentUnit::kFile) == Texts{"ab cd|ef|gh|ij|kl"});
  CHECK(message_of<DataError>([&] { documents(DocumentUnit::kLine); }) ==
        folder / "d.h5" +
            ": next-sentence prediction needs documents of two lines or more, got none; join lines with --documents "
            "paragraph or file, or leave the pairs out with --task mlm");
}

TEST_CASE("short paragraphs are joined with the next one, but not across files or JSON objects") {
  const TemporaryFolder folder;
  const std::string a = write_in(folder, "a.txt", "a\n\nb\nc\n\nd\n\ne\n\n\nf\ng\nh\n\ni\n"),
                    b = write_in(folder, "b.txt", "j\nk\n\nl\n"),
                    c = write_in(folder, "c.jsonl", "{\"text\": \"m\\n\\nn\"}\n{\"text\": \"o\"}\n");
  const auto documents = [&](Dim lines) {
    const Corpus corpus({.sources = {a, b, c}, .unit = DocumentUnit::kParagraph});
    return documents_with_bars(build_store(folder, corpus, for_pairs(0, lines)), Part::kTrain);
  };
  CHECK(documents(1) == Texts{"a", "b|c", "d", "e", "f|g|h", "i", "j|k", "l", "m|n", "o"});
  CHECK(documents(2) == Texts{"a|b|c", "d|e", "f|g|h", "i", "j|k", "l", "m|n", "o"});
  CHECK(documents(3) == Texts{"a|b|c", "d|e|f|g|h", "i", "j|k|l", "m|n", "o"});
  CHECK(documents(100) == Texts{"a|b|c|d|e|f|g|h|i", "j|k|l", "m|n", "o"});
}

TEST_CASE("the ends of stretches of documents are held out, so that every file has a share") {
  const TemporaryFolder folder;
  const auto held = [&](int documents, double fraction, Dim lines = 1) {
    std::string text;
    for (int i = 0; i < documents; ++i) text += std::to_string(i) + "\n.\n\n";
    const TokenStore store =
        build_store(folder, Corpus::from_text("a", text, DocumentUnit::kParagraph), for_pairs(fraction, lines));
    const Texts train = documents_with_bars(store, Part::kTrain),
                validation = documents_with_bars(store, Part::kValidation);
    if (lines == 1) CHECK(static_cast<int>(train.size() + validation.size()) == documents);
    std::set<std::string> all(train.begin(), train.end());
    all.insert(validation.begin(), validation.end());
    CHECK(all.size() == train.size() + validation.size());
    return validation;
  };
  CHECK(held(2, 0.01) == Texts{"1|."});
  CHECK(held(2, 0.99) == Texts{"1|."});
  CHECK(held(10, 0.1) == Texts{"9|."});
  CHECK(held(20, 0.1) == Texts{"9|.", "19|."});
  CHECK(held(30, 0.2) == Texts{"4|.", "9|.", "14|.", "19|.", "24|.", "29|."});
  CHECK(held(100, 0.15).size() == 15);
  CHECK(held(103, 0.5).size() == 52);
  CHECK(held(40, 0.1, 4) == Texts{"9|.", "19|.", "29|.", "39|."});  // joined with what is held out beside them
  CHECK(held(40, 0, 4).empty());
}

TEST_CASE("a file that is one document is split at a line end") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 10; ++i) text += "abcdefghi\n";
  for (const auto& [fraction, lines] : {std::pair{0.1, 1}, {0.11, 1}, {0.19, 1}, {0.2, 2}, {0.5, 5}, {0.001, 0}}) {
    const double share = fraction;
    CAPTURE(share);
    const TokenStore store = build_store(folder, Corpus::from_text("a", text), for_pairs(share));
    CHECK(store.part(Part::kTrain).size() == 9 * (10 - lines));
    CHECK(store.part(Part::kValidation).size() == 9 * lines);
  }
}

TEST_CASE("special tokens in the text are text") {
  const TemporaryFolder folder;
  const TokenStore store = build_store(folder, Corpus::from_text("a", "a [MASK] b\n[SEP]\n"), for_pairs());
  CHECK(documents_with_bars(store, Part::kTrain) == Texts{"a [MASK] b|[SEP]"});
  CHECK(store.size() == 15);  // no special tokens among them
}

TEST_CASE("a long text encoded in pieces has the sentences of the whole") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(3, 3'000'000);
  const auto tokenizer = learn_for_bert(TokenizerType::kByteBpe, text.substr(0, 200'000));
  Texts expected;
  for (std::size_t at = 0; at < text.size();) {  // lines of a paragraph, separated by bars
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    std::string document = text.substr(at, end - at);
    if (document.ends_with('\n')) document.pop_back();
    std::replace(document.begin(), document.end(), '\n', '|');
    expected.push_back(document);
    at = end + 2;
  }
  const TokenStore store =
      build_store(folder, Corpus::from_text("a", text, DocumentUnit::kParagraph), for_pairs(), *tokenizer);
  CHECK(documents_with_bars(store, Part::kTrain, *tokenizer) == expected);
  std::string joined;
  for (const std::string& document : expected) joined += (joined.empty() ? "" : "|") + document;
  const TokenStore whole = build_store(folder, Corpus::from_text("a", text), for_pairs(), *tokenizer);
  CHECK(documents_with_bars(whole, Part::kTrain, *tokenizer) == Texts{joined});
}

TEST_CASE("the file has the same bytes each time, on any number of threads") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(4, 600'000);
  const auto tokenizer = learn_for_bert(TokenizerType::kByteBpe, text.substr(0, 100'000));
  const int threads = thread_count();
  for (const DocumentUnit unit : {DocumentUnit::kFile, DocumentUnit::kParagraph}) {
    const Corpus corpus = Corpus::from_text("a", text, unit);
    set_thread_count(1);
    build_token_store(corpus, nullptr, *tokenizer, folder / "one.h5", for_pairs(0.1, 2));
    set_thread_count(3);
    build_token_store(corpus, nullptr, *tokenizer, folder / "three.h5", for_pairs(0.1, 2));
    CHECK(read_plainly(folder / "one.h5") == read_plainly(folder / "three.h5"));
  }
  set_thread_count(threads);
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("instances of a part are made of its documents, and the file gives back how they were made") {
  const TemporaryFolder folder;
  const std::string text = generate_stories(5, 300'000);
  const auto tokenizer = learn_for_bert(TokenizerType::kByteBpe, text.substr(0, 100'000));
  TokenStoreOptions options = for_pairs(0.1);
  options.instances = InstanceOptions{
      .context = 64, .passes = 3, .short_probability = 0.25, .document_lines = 2, .seed = ~std::uint64_t{0}};
  options.masking = {.probability = 0.2, .most = 7, .whole_words = true, .dynamic = false};
  const TokenStore store =
      build_store(folder, Corpus::from_text("a", text, DocumentUnit::kParagraph), options, *tokenizer);
  REQUIRE(store.instance_options().has_value());
  const InstanceOptions& made = *store.instance_options();
  CHECK(made.task == InstanceTask::kMlmNsp);
  CHECK(made.context == 64);
  CHECK(made.passes == 3);
  CHECK(made.short_probability == 0.25);
  CHECK(made.document_lines == 2);
  CHECK(made.seed == ~std::uint64_t{0});
  CHECK(store.masking().probability == 0.2);
  CHECK(store.masking().most == 7);
  CHECK(store.masking().whole_words);
  CHECK_FALSE(store.masking().dynamic);
  Dim next = 0;
  const auto check_range = [&](TokenRange instances, Part part) {
    CHECK(instances.begin == next);
    CHECK(instances.size() > 20);
    next = instances.end;
    const TokenRange tokens = store.part(part);
    for (Dim i = instances.begin; i < instances.end; ++i) {
      const Instance instance = store.instance(i);
      for (const TokenRange range : {instance.first, instance.second}) {
        REQUIRE(range.begin >= tokens.begin);
        REQUIRE(range.end <= tokens.end);
      }
    }
  };
  for (Dim pass = 0; pass < 3; ++pass) check_range(store.instances(Part::kTrain, pass), Part::kTrain);
  check_range(store.instances(Part::kValidation), Part::kValidation);
  CHECK_THROWS_AS(store.instance(next), std::out_of_range);
  CHECK_THROWS_AS(store.instances(Part::kTrain, 3), std::out_of_range);

  const TokenStore plain = build_store(folder, Corpus::from_text("a", text), {}, *tokenizer);
  CHECK_FALSE(plain.instance_options().has_value());
  CHECK(plain.instances(Part::kTrain).size() == 0);
}

TEST_CASE("a separate validation corpus is the validation part") {
  const TemporaryFolder folder;
  const Corpus training = Corpus::from_text("t", "a\nb\n\nc\nd\n", DocumentUnit::kParagraph),
               validation = Corpus::from_text("v", "e\nf\n\ng\nh\n", DocumentUnit::kParagraph);
  const TokenStore store = build_token_store(training, &validation, letters(), folder / "d.h5", for_pairs());
  CHECK(documents_with_bars(store, Part::kTrain) == Texts{"a|b", "c|d"});
  CHECK(documents_with_bars(store, Part::kValidation) == Texts{"e|f", "g|h"});
}

TEST_CASE("each token file is one sentence") {
  const TemporaryFolder folder;
  const Ids ids(1000, *letters().token_id("a"));
  for (const std::string name : {"a.bin", "b.bin"}) {
    TokenFileWriter writer(folder / name, TokenFileFormat::kLlmc16, static_cast<Dim>(ids.size()));
    writer.append(ids);
    writer.commit();
  }
  const Corpus corpus({.sources = {folder / "a.bin", folder / "b.bin"}});
  const TokenStore store = build_store(folder, corpus, for_pairs());
  CHECK(store.instances(Part::kTrain).size() > 100);
  std::vector<Dim> begins;
  store.sentences_within({0, 2000}, begins);
  CHECK(begins == std::vector<Dim>{1000});
}

TEST_CASE("the key includes everything that determines the contents") {
  const Corpus corpus = Corpus::from_text("a", "a\nb\n");
  std::set<std::string> keys;
  const auto add = [&](auto&& change) {
    TokenStoreOptions options = for_pairs();
    change(options, *options.instances);
    keys.insert(token_store_key(corpus, nullptr, letters(), options));
  };
  const TokenStoreOptions plain{.validation_fraction = 0};
  keys.insert(token_store_key(corpus, nullptr, letters(), plain));
  using Options = TokenStoreOptions;
  using Instances = InstanceOptions;
  add([](Options&, Instances&) {});
  add([](Options&, Instances& i) { i.task = InstanceTask::kMlm; });
  add([](Options&, Instances& i) { i.context = 17; });
  add([](Options&, Instances& i) { i.passes = 3; });
  add([](Options&, Instances& i) { i.short_probability = 0.2; });
  add([](Options&, Instances& i) { i.document_lines = 2; });
  add([](Options&, Instances& i) { i.seed = 1; });
  add([](Options& o, Instances&) { o.masking.probability = 0.2; });
  add([](Options& o, Instances&) { o.masking.most = 3; });
  add([](Options& o, Instances&) { o.masking.whole_words = true; });
  add([](Options& o, Instances&) { o.masking.dynamic = false; });
  CHECK(keys.size() == 12);
  add([](Options&, Instances&) {});
  CHECK(keys.size() == 12);
}

TEST_CASE("input that cannot become instances leaves no file") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text, const TokenStoreOptions& options) {
    return message_of<Error>([&] { build_store(folder, Corpus::from_text("a.txt", text), options); });
  };
  CHECK(message("", for_pairs()) == "a.txt: must hold text, got none");
  CHECK(message("ab\n", for_pairs()).find("documents of two lines or more") != std::string::npos);
  CHECK(message("\nab\ncd\n", for_pairs(0.9)) == folder / "d.h5" + ": must hold text to train on, got none");
  TokenStoreOptions options = for_pairs();
  options.instances->context = 4;
  CHECK(message("ab\ncd\n", options) == "instances: the context must be from 5 to 65536 tokens, got 4");
  options = for_pairs();
  options.masking.probability = 2;
  CHECK(message("ab\ncd\n", options) == "masking: the probability must be above 0 and at most 1, got 2");
  options = for_pairs();
  options.end_of_text = 0;
  CHECK_THROWS_AS(build_store(folder, Corpus::from_text("a", "ab\ncd\n"), options), std::invalid_argument);
  TokenizerTrainer trainer({.type = TokenizerType::kByte});
  const auto bytes = trainer.train();
  CHECK_THROWS_AS(build_store(folder, Corpus::from_text("a", "ab\ncd\n"), for_pairs(), *bytes), DataError);
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("BERT's sample text has its three documents") {
  const std::string path = shared_data("data/lm/bert_sample_text.txt");
  if (path.empty()) return;
  const TemporaryFolder folder;
  const auto tokenizer = learn_for_bert(TokenizerType::kByteBpe, "a");
  const Corpus corpus({.sources = {path}, .unit = DocumentUnit::kParagraph});
  const TokenStore store = build_store(folder, corpus, for_pairs(), *tokenizer);
  const TokenRange documents = store.documents(Part::kTrain);
  std::vector<std::size_t> sentences;
  for (Dim d = documents.begin; d < documents.end; ++d) {
    std::vector<Dim> begins = {0};
    store.sentences_within(store.document(d), begins);
    sentences.push_back(begins.size());
  }
  CHECK(sentences == std::vector<std::size_t>{3, 13, 15});
}
