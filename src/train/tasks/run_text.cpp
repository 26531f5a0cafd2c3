#include "train/tasks/run_text.h"

#include <algorithm>
#include <filesystem>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/corpus/table_format.h"
#include "text/labelled/undecided_error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/tasks/make_tokenizer.h"

namespace rapt {
namespace {

DocumentUnit document_unit(const std::string& name) {
  if (name == "line") return DocumentUnit::kLine;
  if (name == "paragraph") return DocumentUnit::kParagraph;
  return DocumentUnit::kFile;
}

// --format for text.
std::optional<SourceFormat> source_format(const TrainConfig& config) {
  if (config.format.empty()) return std::nullopt;
  if (config.format == "text" || config.format == "lines") return SourceFormat::kText;
  if (config.format.starts_with("json")) return SourceFormat::kJsonLines;
  throw UsageError("--format " + config.format + " is for labelled data, got --task " + config.task +
                   ", which trains on text; give --task classify or tag, or --format text");
}

// Labelled data and checkpoints could be read as text, which is rarely intended.
void require_plain_text(const CorpusSource& source, const TrainConfig& config) {
  const bool named = source.name() == "standard input" || std::ranges::count(config.data, source.name()) > 0;
  if (!named || source.format() == SourceFormat::kTokens) return;
  const std::string must = escape_for_terminal(source.name()) + ": must be plain text, got ";
  const Input input = source.open();
  std::string beginning(16, '\0');
  beginning.resize(input.read(0, beginning.data(), beginning.size()));
  if (known_binary(beginning) == "a rapt checkpoint") {
    throw DataError(must + "a rapt checkpoint; to continue from it, give the text as data and --init " +
                    escape_for_terminal(source.name()));
  }
  const DataKind kind = data_kind_of(input);
  if (kind == DataKind::kText) return;
  const std::vector<std::string> fields = fields_of(input);
  const bool has_text = std::ranges::count(fields, config.text_field) > 0;
  const bool has_label = std::ranges::any_of(fields, is_usual_label_name);
  const std::string as_it_is = "; --format text trains on it as plain text";
  if (!fields.empty() && kind == DataKind::kTable && (has_text || !has_label)) {
    if (source.format() == SourceFormat::kJsonLines) return;  // the reader names the fields if text is missing
    if (!has_text) throw UndecidedError(must + "JSON" + as_it_is, "--format text");
    throw UndecidedError(
        must + "JSON" + as_it_is + "; --format jsonl trains on its field " + in_quotes(config.text_field),
        "--format jsonl");
  }
  const std::string task = "--task " + std::string(task_for(kind));
  throw UndecidedError(must + std::string(name_of(kind)) + as_it_is + "; to train on its labels, use " + task, task);
}

}  // namespace

bool is_given_store(const TrainConfig& config) {
  return config.data.size() == 1 && std::filesystem::is_regular_file(config.data[0]) && is_token_store(config.data[0]);
}

std::optional<Corpus> open_corpus(const TrainConfig& config, const Notice& notice) {
  if (is_given_store(config)) return std::nullopt;
  const Corpus corpus({.sources = config.data,
                       .unit = document_unit(config.documents),
                       .text_field = config.text_field,
                       .format = source_format(config)},
                      notice);
  if (config.format.empty()) {
    for (const CorpusSource& source : corpus.sources()) require_plain_text(source, config);
  }
  return corpus;
}

namespace {

// The held-out text of --validation-data.
std::optional<Corpus> open_validation(const TrainConfig& config, const Notice& notice) {
  if (config.validation_data.empty()) return std::nullopt;
  TrainConfig held_out = config;
  held_out.data = {config.validation_data};
  std::optional<Corpus> validation = open_corpus(held_out, notice);
  if (!validation) {
    throw UsageError("train: --validation-data must be text where the data is, got the token store " +
                     config.validation_data);
  }
  return validation;
}

void expect(Corpus& corpus, const std::vector<InputFile>& files) {
  if (files.size() == corpus.sources().size()) corpus.expect(files);
}

// The store that is a run's only data.
RunData open_given(const TrainConfig& config, std::shared_ptr<const Tokenizer> tokenizer) {
  TokenStore store = TokenStore::open(config.data[0]);
  if (tokenizer == nullptr && !config.learns_tokenizer()) tokenizer = load_tokenizer(config.tokenizer);
  if (tokenizer != nullptr) {
    store.require_tokenizer(*tokenizer);
  } else {
    tokenizer = tokenizer_from_json(store.tokenizer_json(), store.path() + ": /tokenizer");
  }
  return {.tokenizer = std::move(tokenizer), .store = std::move(store), .files = std::nullopt};
}

}  // namespace

RunText::RunText(const TrainConfig& config, const Notice& notice, const DataFiles* known)
    : corpus_(open_corpus(config, notice)), notice_(notice) {
  if (corpus_ && known != nullptr) {
    expect(*corpus_, known->train);
    known_validation_ = known->validation;
  }
}

const CorpusInfo& RunText::read(const TrainConfig& config) {
  if (!config.learns_tokenizer()) return corpus_->scan();
  words_.emplace(trainer_options(config));
  return corpus_->scan([this](const CorpusPiece& piece) { words_->add(piece); });
}

RunData RunText::tokenise(const TrainConfig& config, const RunFolder& folder,
                          std::shared_ptr<const Tokenizer> tokenizer, const std::optional<InstanceOptions>& instances) {
  if (!corpus_) return open_given(config, std::move(tokenizer));
  std::optional<Corpus> validation = open_validation(config, notice_);
  if (validation) expect(*validation, known_validation_);
  if (tokenizer == nullptr) {
    tokenizer = make_tokenizer(config, notice_, [&](const TokenizerTrainerOptions& options) {
      if (!words_) return train_tokenizer(*corpus_, options);
      return words_->train(options.vocabulary, corpus_->sources().front().name());
    });
  }
  words_.reset();  // its counts may be large
  TokenStoreOptions options{.validation_fraction = config.validation_fraction, .instances = instances};
  if (!instances) options.end_of_text = document_end(*corpus_, *tokenizer);
  TokenStore store =
      open_or_build_token_store(*corpus_, validation ? &*validation : nullptr, *tokenizer, folder.data(), options);
  DataFiles files{.train = corpus_->files(), .validation = {}};
  if (validation) files.validation = validation->files();
  return {.tokenizer = std::move(tokenizer), .store = std::move(store), .files = std::move(files)};
}

}  // namespace rapt
