#include "train/tasks/run_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/corpus/table_format.h"
#include "text/labelled/undecided_error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/tasks/train_tokenizer.h"

namespace rapt {
namespace {

DocumentUnit document_unit(const std::string& name) {
  if (name == "line") return DocumentUnit::kLine;
  if (name == "paragraph") return DocumentUnit::kParagraph;
  return DocumentUnit::kFile;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const Corpus& corpus, const Notice& notice) {
  if (!config.learns_tokenizer()) return load_tokenizer(config.tokenizer);
  TokenizerTrainerOptions options;
  options.type = tokenizer_type_named(config.tokenizer);
  options.vocabulary = config.vocabulary;
  options.lowercase = options.type == TokenizerType::kWordPiece && config.lowercase;
  options.special = default_special_tokens(options.type);
  std::shared_ptr<const Tokenizer> tokenizer = train_tokenizer(corpus, options);
  notice("tokenizer: " + tokenizer->kind() + ", " + std::to_string(tokenizer->vocabulary_size()) +
         " entries, trained on the data");
  return tokenizer;
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

RunData prepare_data(const TrainConfig& config, const std::optional<Corpus>& corpus, const RunFolder& folder,
                     std::shared_ptr<const Tokenizer> tokenizer, const Notice& notice,
                     const std::optional<InstanceOptions>& instances) {
  if (!corpus) {
    TokenStore store = TokenStore::open(config.data[0]);
    if (tokenizer == nullptr && !config.learns_tokenizer()) tokenizer = load_tokenizer(config.tokenizer);
    if (tokenizer != nullptr) {
      store.require_tokenizer(*tokenizer);
    } else {
      tokenizer = tokenizer_from_json(store.tokenizer_json(), store.path() + ": /tokenizer");
    }
    return {std::move(tokenizer), std::move(store)};
  }
  std::optional<Corpus> validation;
  if (!config.validation_data.empty()) {
    TrainConfig held_out = config;
    held_out.data = {config.validation_data};
    validation = open_corpus(held_out, notice);
    if (!validation) {
      throw UsageError("train: --validation-data must be text where the data is, got the token store " +
                       config.validation_data);
    }
  }
  if (tokenizer == nullptr) tokenizer = make_tokenizer(config, *corpus, notice);
  TokenStoreOptions options{.validation_fraction = config.validation_fraction, .instances = instances};
  if (!instances) options.end_of_text = document_end(*corpus, *tokenizer);
  TokenStore store =
      open_or_build_token_store(*corpus, validation ? &*validation : nullptr, *tokenizer, folder.data(), options);
  return {std::move(tokenizer), std::move(store)};
}

LmOrder lm_order(const TrainConfig& config) {
  if (config.sampling_order == "documents") return LmOrder::kDocuments;
  return config.sampling_order == "epoch" ? LmOrder::kEpoch : LmOrder::kRandom;
}

std::optional<LmEvaluation> held_out(const TrainConfig& config, const TokenStore& store) {
  if (store.part(Part::kValidation).size() < 2) return std::nullopt;
  return LmEvaluation(store, Part::kValidation, config.longest_sequence(), lm_order(config));
}

TrainingData training_data(const TrainConfig& config, const TokenStore& store) {
  const auto batches = std::make_shared<LmBatches>(store, Part::kTrain, config.longest_sequence(), lm_order(config),
                                                   static_cast<std::uint64_t>(config.seed));
  TrainingData data;
  data.train = [batches](std::int64_t first, Dim count) {
    return batches->batch(static_cast<std::uint64_t>(first), count);
  };
  data.samples_per_epoch = static_cast<std::int64_t>(batches->samples_per_epoch());
  data.tokens_per_sample = static_cast<double>(config.longest_sequence());
  if (config.batch_tokens > 0) {
    data.fitting = fitting_by_tokens(config.batch_tokens, [batches](std::int64_t sample) {
      return batches->sequence(static_cast<std::uint64_t>(sample)).length;
    });
  }
  return data;
}

double bits_per_byte(double loss, std::int64_t targets, double text_bytes) {
  if (text_bytes <= 0) return std::numeric_limits<double>::quiet_NaN();
  return loss * static_cast<double>(targets) / (std::numbers::ln2 * text_bytes);
}

}  // namespace rapt
